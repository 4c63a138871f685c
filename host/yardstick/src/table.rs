//! The table as Markdown.

/// One line: what was measured, what it had to reach, and what it came to.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) goal: &'static str,
    pub(crate) seen: String,
}

/// Prints the head of the table.
pub(crate) fn head() {
    println!("| what | goal | seen |\n|---|---|---|");
}

/// Prints one row.
pub(crate) fn print(Row { what, goal, seen }: &Row) {
    println!("| {what} | {goal} | {seen} |");
}
