//! Plain tables: columns and nothing between them, to read and to cut.

use chelseru_core::Timestamp;
use comfy_table::{CellAlignment, Table, presets};

/// A table with this header. A `>` before a column's name puts it to the right, as numbers are.
pub(super) fn new(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = header.iter().map(|name| name.trim_start_matches('>'));
    table.set_header(names);
    for (column, name) in table.column_iter_mut().zip(header) {
        column.set_padding((0, 2));
        if name.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The table as text, without white space at the ends of lines.
pub(super) fn text(table: &Table) -> String {
    let lines: Vec<_> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// What is not known or not there.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A time to the second, for people.
pub(super) fn in_utc(time: Timestamp) -> String {
    let text = time.to_string().replace('T', " ");
    text.get(..19).unwrap_or(&text).to_owned()
}

/// One of this program's words, for people.
pub(super) fn said(word: &str) -> String {
    word.replace('_', " ")
}
