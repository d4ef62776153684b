//! Tables for people, in the exact form of the official program: cells padded
//! to their column, joined by one tab, no lines (spec/cli.md §4.2).

use comfy_table::{ColumnConstraint, ContentArrangement, Width};

use crate::output::style::TITLE;

/// Rows under a header.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|title| (*title).to_owned()).collect()] }
    }

    /// Adds a row; an empty cell shows as `-`.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { one_line(&cell) });
        self.rows.push(cells.collect());
    }

    /// The table for a terminal: columns share its width, long cells are wrapped.
    pub(crate) fn fitted(&self) -> String {
        let width = console::Term::stdout().size_checked().map_or(80, |(_, width)| width);
        let text = self.wrapped(width);
        // Titles do not wrap: a column is at least as wide as its own.
        let (title, rows) = text.split_once('\n').unwrap_or((&text, ""));
        format!("{TITLE}{title}{TITLE:#}\n{rows}")
    }

    /// The table in this many columns of text, or more when they do not suffice.
    fn wrapped(&self, width: u16) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
        let plain = |row: &Vec<String>| row.iter().map(|cell| shown(cell)).collect::<Vec<_>>();
        let mut rows = self.rows.iter().map(plain);
        let titles = rows.next().unwrap_or_default();
        let constraints: Vec<ColumnConstraint> = titles
            .iter()
            .map(|title| ColumnConstraint::LowerBoundary(Width::Fixed(u16::try_from(title.len() + 2).unwrap_or(20))))
            .collect();
        table.set_header(titles).add_rows(rows).set_constraints(constraints);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines = table.to_string();
        lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// The table in the form that scripts know.
    pub(crate) fn render(&self) -> String {
        let n_columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..n_columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
            cells.join("\t") + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}

/// A cell filled with spaces; formatting with a width takes no more than 65,535.
fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
}

/// The longest cell that is shown at a terminal.
const MAX_SHOWN: usize = 2000;

/// A cell for a terminal: without control characters, and cut where nobody would read on.
fn shown(cell: &str) -> String {
    let cell = crate::output::plain(cell);
    match cell.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_padded_and_joined_by_a_tab() {
        let mut table = Table::new(&["ID", "Name"]);
        table.row(["a".to_owned(), String::new()]);
        table.row(["long-id".to_owned(), "two\nlines".to_owned()]);
        assert_eq!(table.render(), "ID     \tName     \na      \t-        \nlong-id\ttwo lines\n");
    }

    #[test]
    fn a_terminal_gets_columns_that_fit() {
        let mut table = Table::new(&["ID", "Description"]);
        table.row(["a".to_owned(), "some words that are too long for one line of this terminal".to_owned()]);
        table.row(["with\u{1b}[31m-colour".to_owned(), "x".to_owned()]);
        let text = table.wrapped(40);
        assert!(text.lines().all(|line| line.len() <= 40) && text.lines().count() > 3, "{text}");
        assert!(text.starts_with("ID"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn cells_may_be_long() {
        let mut table = Table::new(&["ID", "Description"]);
        table.row(["a".to_owned(), "x".repeat(100_000)]);
        assert!(table.render().contains(&"x".repeat(100_000)));
        assert!(table.wrapped(40).contains('…'));
    }
}
