//! How tables look: columns of right-aligned numbers, or of texts, under a ruled header.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// A table of a header and rows of texts.
pub(crate) fn text_table(header: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(RULED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header).add_rows(rows);
    table
}

/// A table of a header and rows, with numbers in all columns but the first.
pub(crate) fn table(header: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = text_table(header, rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
