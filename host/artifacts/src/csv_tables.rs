//! RFC 4180 tables in one file, separated by one empty row.

use crate::error::ArtifactError;
use std::io;

/// A file of tables in the making.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    bytes: Vec<u8>,
}

impl Tables {
    /// Adds a table, a row at a time.
    pub(crate) fn table<R>(&mut self, rows: R) -> Result<(), ArtifactError>
    where
        R: IntoIterator,
        R::Item: IntoIterator<Item: AsRef<[u8]>>,
    {
        if !self.bytes.is_empty() {
            self.bytes.extend_from_slice(b"\r\n");
        }
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut self.bytes);
        for row in rows {
            writer.write_record(row).map_err(encode)?;
        }
        writer.flush().map_err(|error| encode(error.into()))
    }

    /// The file.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A number with all its digits, or an empty cell.
pub(crate) fn number(value: Option<f64>) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return String::new() };
    // Unlike `Display`, `Debug` turns to an exponent where the zeros would fill the line.
    let digits = format!("{value:?}");
    digits.strip_suffix(".0").map(str::to_owned).unwrap_or(digits)
}

/// A list inside one cell.
pub(crate) fn numbers(values: &[f64]) -> String {
    let cells: Vec<String> = values.iter().map(|value| number(Some(*value))).collect();
    cells.join(", ")
}

fn encode(error: csv::Error) -> ArtifactError {
    ArtifactError::Encode { what: "table", source: io::Error::other(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_separated_by_one_empty_row_and_cells_quoted() {
        let mut tables = Tables::default();
        tables.table([vec!["a", "b"], vec!["1,5", "say \"x\""]]).unwrap();
        tables.table([["Title"]]).unwrap();
        let text = String::from_utf8(tables.into_bytes()).unwrap();
        assert_eq!(text, "a,b\r\n\"1,5\",\"say \"\"x\"\"\"\r\n\r\nTitle\r\n");
    }

    #[test]
    fn numbers_keep_their_digits_and_unknown_ones_are_empty() {
        assert_eq!(number(Some(0.1 + 0.2)), "0.30000000000000004");
        assert_eq!(number(Some(f64::NAN)), "");
        assert_eq!(number(None), "");
        assert_eq!((number(Some(5e-324)), number(Some(96.0))), ("5e-324".to_owned(), "96".to_owned()));
        assert_eq!(numbers(&[80.6, 1.0]), "80.6, 1");
    }
}
