//! Rows in columns: numbers to the right, text to the left.

use crate::report::{Report, Style};

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table; every row has as many cells as there are columns.
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).collect();
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// One line a row, the names of the columns first; nothing when there is no row.
    pub(crate) fn print(&self, report: &mut Report) {
        if self.rows.is_empty() {
            return;
        }
        let names: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let head = self.line(&names);
        let head = report.paint(Style::Strong, &head);
        report.line(&head);
        for row in &self.rows {
            report.line(&self.line(row));
        }
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let Some((name, align)) = self.columns.get(column) else { break };
            let cell_widths = self.rows.iter().filter_map(|row| row.get(column)).map(|c| width(c));
            let widest = cell_widths.chain([width(name)]).max().unwrap_or(0);
            let blank = " ".repeat(widest - width(cell));
            line.push_str(if column == 0 { " " } else { "  " });
            match align {
                Align::Left => line.extend([cell.as_str(), &blank]),
                Align::Right => line.extend([&blank, cell.as_str()]),
            }
        }
        line.trim_end().to_owned()
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_letters() {
        let mut table = Table::new(&[("Secteur", Align::Left), ("Sites", Align::Right)]);
        table.row(vec!["Santé".into(), "1\u{a0}204".into()]);
        table.row(vec!["Habitation".into(), "7".into()]);
        let lines: Vec<String> = table.rows.iter().map(|row| table.line(row)).collect();
        assert_eq!(lines, [" Santé       1\u{a0}204", " Habitation      7"]);
        assert_eq!(table.line(&["Secteur".into(), "Sites".into()]), " Secteur     Sites");
    }
}
