//! A table in Markdown.

use std::fmt::Write;

pub struct Table {
    columns: usize,
    text: String,
}

impl Table {
    pub fn new<C: AsRef<str>>(columns: &[C]) -> Self {
        let mut table = Self {
            columns: columns.len(),
            text: String::new(),
        };
        table.row(columns);
        let rule: Vec<_> = (0..table.columns)
            .map(|at| if at == 0 { "---" } else { "---:" })
            .collect();
        table.row(&rule);
        table
    }

    pub fn row<C: AsRef<str>>(&mut self, cells: &[C]) {
        debug_assert_eq!(cells.len(), self.columns);
        for cell in cells {
            // Writing to a string does not fail.
            let _ = write!(self.text, "| {} ", cell.as_ref().replace('|', "\\|"));
        }
        self.text.push_str("|\n");
    }

    pub fn finish(self) -> String {
        self.text
    }
}
