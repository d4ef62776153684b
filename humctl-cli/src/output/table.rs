//! Tables for people, in the exact form of the official program: cells padded
//! to their column, joined by one tab, no lines (spec/cli.md §4.2).

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
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
            cells.join("\t") + "\n"
        };
        self.rows.iter().map(line).collect()
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
}
