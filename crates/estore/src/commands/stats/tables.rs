//! Tables that a terminal shows, with a head, right-aligned numbers and as many lines as were asked for.

use std::io::IsTerminal as _;

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};
use estore_ops::monitor::Unseen;

/// A part of what is told: its table, or what there is to say instead.
#[derive(Debug)]
pub(super) struct Part {
    title: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    nothing: &'static str,
}

impl Part {
    /// `head` names the columns; those of numbers begin with `#`, which is not shown. `nothing` is said of no rows.
    pub(super) fn new(title: impl Into<String>, head: &[&'static str], nothing: &'static str) -> Self {
        Self { title: title.into(), head: head.to_vec(), rows: Vec::new(), notes: Vec::new(), nothing }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// Adds a line below the table.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Says what of a database was not seen, and the mend.
    pub(super) fn unseen(&mut self, of: &str, unseen: &Unseen) {
        self.note(format!("{of}: not seen: {}", unseen.unseen));
        if !unseen.mend.is_empty() {
            self.note(format!("  mend: {}", unseen.mend));
        }
    }

    /// Prints it, `top` rows at most.
    pub(super) fn print(&self, top: usize) {
        println!("\n{}", heading(&self.title));
        if self.rows.is_empty() {
            if self.notes.is_empty() || !self.nothing.is_empty() {
                println!(" {}", self.nothing);
            }
        } else {
            let table = self.table(top).to_string();
            for line in table.lines() {
                println!("{}", line.trim_end());
            }
        }
        if self.rows.len() > top {
            println!(" … and {} more; --top {} shows all", self.rows.len() - top, self.rows.len());
        }
        for note in &self.notes {
            println!(" {note}");
        }
    }

    fn table(&self, top: usize) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        if colours() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.force_no_tty();
        }
        let head = |name: &&str| Cell::new(name.trim_start_matches('#')).add_attribute(Attribute::Bold);
        table.set_header(self.head.iter().map(head));
        for row in self.rows.iter().take(top) {
            table.add_row(row);
        }
        for (at, name) in self.head.iter().enumerate() {
            if let Some(column) = table.column_mut(at).filter(|_| name.starts_with('#')) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// A list of what ought to worry somebody.
pub(super) fn print_concerns(rows: &[[String; 3]]) {
    if rows.is_empty() {
        return println!("Nothing here needs looking after.");
    }
    println!("{}", heading("To be looked after"));
    for [database, what, mend] in rows {
        let of = if database.is_empty() { String::new() } else { format!("{database}: ") };
        println!(" {} {of}{what}", warning("!"));
        if !mend.is_empty() {
            println!("   mend: {mend}");
        }
    }
}

fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn heading(text: &str) -> String {
    styled(text, Cell::new(text).add_attribute(Attribute::Bold))
}

fn warning(text: &str) -> String {
    styled(text, Cell::new(text).fg(Color::Yellow))
}

/// One cell in the table's style, so that there is one rule for colours.
fn styled(text: &str, cell: Cell) -> String {
    if !colours() {
        return text.to_owned();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).add_row([cell]);
    table.to_string().trim().to_owned()
}
