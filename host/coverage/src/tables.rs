//! All tables, and the page that they make.

use crate::table::Table;
use crate::{best, inflections, pareto, within_run};

/// Each table, made of so many sweeps for each row.
pub(crate) const TABLES: [fn(u32) -> Table; 5] = [
    inflections::false_alarms,
    inflections::knees,
    best::plateaus,
    pareto::calibration,
    within_run::latencies,
];

const HEAD: &str = "\
# How often the conclusions are right

Sweeps with known laws and simulated noise go through the analysis that a real sweep goes through, and the share of right
answers is counted. Behind each share stands its Monte Carlo error, one standard deviation. The seeds are fixed:
`cargo xtask coverage` writes this page again.
[methodology.md](methodology.md) has the rules.
";

/// The page in Markdown.
pub(crate) fn page(sweeps: u32) -> String {
    let tables = TABLES.iter().map(|table| table(sweeps).markdown());
    std::iter::once(HEAD.to_owned()).chain(tables).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_docs_has_these_tables_and_rows() {
        let committed = include_str!("../../../docs/coverage.md");
        let shape = |page: &str| {
            let cell = |line: &str| line.split('|').nth(1).unwrap_or(line).to_owned();
            page.lines().map(cell).collect::<Vec<_>>()
        };
        assert_eq!(shape(committed), shape(&page(1)), "run cargo xtask coverage");
    }
}
