//! How tables look: columns of right-aligned numbers, or of texts, under a ruled header.

use crate::lines::{Lines, in_line};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// A table of a header and rows of texts.
pub(crate) fn text_table(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> Lines {
    Lines::laid_out(&ruled(header, rows).to_string())
}

/// A table of a header and rows, with numbers in all columns but the first.
pub(crate) fn table(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> Lines {
    let mut table = ruled(header, rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Lines::laid_out(&table.to_string())
}

fn ruled(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let cells = |texts: &[String]| texts.iter().map(|text| in_line(text).into_owned()).collect::<Vec<_>>();
    let mut table = Table::new();
    table.load_style(RULED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(cells(header)).add_rows(rows.into_iter().map(|row| cells(&row)));
    table
}
