//! Tables as all commands print them.

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::HumanDuration;
use jiff::{SignedDuration, Timestamp};

pub(super) use perennial_views::words::{counted, number};

/// Numbers that were counted within this time are those of now.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(2);

/// Creates a table of numbers: the first column contains names, the others numbers.
pub(super) fn numbers(header: &[&str]) -> Table {
    let mut table = framed(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A table with a frame, as wide as the terminal at most.
pub(super) fn framed(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

/// Columns side by side without a frame; those in `right` are numbers.
pub(super) fn plain(right: &[usize]) -> Plain {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    Plain { table, right: right.to_vec() }
}

/// A table whose alignment is set when it is printed: the columns are known with the first row.
pub(super) struct Plain {
    table: Table,
    right: Vec<usize>,
}

impl Plain {
    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.table.add_row(cells);
    }
}

impl std::fmt::Display for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut table = self.table.clone();
        for at in &self.right {
            if let Some(column) = table.column_mut(*at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        f.write_str(&table.trim_fmt())
    }
}

/// Wraps `text` into lines of at most `width` characters, at spaces; a longer word stays whole. An empty text is one
/// line.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A line about when numbers were counted; nothing where that was just now.
pub(super) fn counted_at(at: Timestamp, now: Timestamp) -> String {
    let ago = now.duration_since(at);
    if ago < JUST_NOW {
        return String::new();
    }
    format!("Counted at {at:.0}, {} ago.\n", HumanDuration(ago.unsigned_abs()))
}

/// A line about what of the archive cannot be read; nothing where all of it can.
pub(super) fn damaged(parts: u64) -> String {
    if parts == 0 {
        return String::new();
    }
    format!(
        "{} of the archive cannot be read; the log names them.\n",
        counted(parts, "object or line", "objects or lines")
    )
}

/// A line about profiles that cannot be read; nothing where there are none.
pub(super) fn unreadable(profiles: u64) -> String {
    if profiles == 0 {
        return String::new();
    }
    format!("{} cannot be read, and are not included.\n", counted(profiles, "profile", "profiles"))
}
