//! A table of shares, each with the error that comes from counting few sweeps.

use std::fmt::Write as _;

/// One table of the page.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    /// What was simulated and what is counted, in Markdown.
    pub(crate) about: &'static str,
    pub(crate) header: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// The table as a section of a page in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}\n\n", self.title, self.about);
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let header: Vec<String> = self.header.iter().map(|&cell| cell.to_owned()).collect();
        text += &line(&header);
        text += &line(&vec!["---".to_owned(); header.len()]);
        for row in &self.rows {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", line(row));
        }
        text
    }
}

/// How many of so many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    count: u32,
    total: u32,
}

impl Share {
    pub(crate) fn note(&mut self, is_so: bool) {
        self.count += u32::from(is_so);
        self.total += 1;
    }

    pub(crate) fn total(self) -> u32 {
        self.total
    }

    pub(crate) fn value(self) -> f64 {
        f64::from(self.count) / f64::from(self.total.max(1))
    }

    /// The standard error of the share, from the counting alone.
    pub(crate) fn error(self) -> f64 {
        let share = self.value();
        (share * (1.0 - share) / f64::from(self.total.max(1))).sqrt()
    }

    /// `97.3 ± 0.4 %`.
    pub(crate) fn text(self) -> String {
        format!("{:.1} ± {:.1} %", 100.0 * self.value(), 100.0 * self.error())
    }
}
