//! RFC 4180 tables in one file, separated by one empty row.
//!
//! A spreadsheet runs cells that begin like a formula, and some texts come from plugins and from servers: those stand
//! behind an apostrophe, which spreadsheets take as the sign of a text. Numbers stay numbers.

use crate::error::ArtifactError;
use std::borrow::Cow;
use std::io;

/// What stands between the numbers of a list inside one cell.
const SEPARATOR: &str = ", ";

/// With what a cell begins that a spreadsheet would run; what stands before it may be skipped by some.
const BEGINS_A_FORMULA: [char; 8] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0'];

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
        R::Item: IntoIterator<Item: AsRef<str>>,
    {
        if !self.bytes.is_empty() {
            self.bytes.extend_from_slice(b"\r\n");
        }
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut self.bytes);
        for row in rows {
            writer
                .write_record(row.into_iter().map(|cell| inert(cell.as_ref()).into_owned()))
                .map_err(encode)?;
        }
        writer.flush().map_err(|error| encode(error.into()))
    }

    /// The file.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The cell as a spreadsheet shows it without running it.
fn inert(cell: &str) -> Cow<'_, str> {
    let is_finite = |number: &str| number.parse().is_ok_and(f64::is_finite);
    if cell.starts_with(BEGINS_A_FORMULA) && !cell.split(SEPARATOR).all(is_finite) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
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
    cells.join(SEPARATOR)
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
    fn no_text_is_a_formula_and_numbers_stay_numbers() {
        for formula in
            ["=1+1", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-inf", "-1, =2", "-"]
        {
            let mut tables = Tables::default();
            tables.table([[formula]]).unwrap();
            let bytes = tables.into_bytes();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
            let cell = reader.records().next().unwrap().unwrap();
            assert_eq!(&cell[0], format!("'{formula}"));
        }
        for number in ["-5", "+1.5e-7", "-0.25, -1, 3", "-5e-324"] {
            assert_eq!(inert(number), number);
        }
        for text in ["a-b", "1 - 2", "", "(=)"] {
            assert_eq!(inert(text), text);
        }
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
