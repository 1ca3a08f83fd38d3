//! Finds a position in a template's part within its TOML file.

use perennial_channels::render::TemplateProblem;

/// Returns the line and column of a problem in the file's text, both from 1; the part's own line and column 1 if the
/// problem has none, and 0 if the part is not found.
pub(super) fn in_file(text: &str, problem: &TemplateProblem) -> (usize, usize) {
    let mut begin = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let value = line.strip_prefix(problem.part).and_then(|rest| rest.trim_start().strip_prefix('='));
        if let Some(value) = value {
            let value = value.trim_start();
            let offset = line.len() - value.len();
            return within(&text[begin + offset..], (at + 1, line[..offset].chars().count() + 1), problem);
        }
        begin += line.len();
    }
    (0, 0)
}

/// The place in a value that begins with its quotes at `start`.
fn within(value: &str, start: (usize, usize), problem: &TemplateProblem) -> (usize, usize) {
    let Some(quotes) = ["\"\"\"", "\'\'\'", "\"", "\'"].into_iter().find(|quotes| value.starts_with(quotes)) else {
        return (start.0, 1);
    };
    let has_escapes = quotes.starts_with('"');
    let (mut line, mut column) = (start.0, start.1 + quotes.len());
    let mut rest = &value[quotes.len()..];
    // A text that begins with a line break begins on the next line.
    if quotes.len() == 3 && rest.starts_with('\n') {
        (line, column, rest) = (line + 1, 1, &rest[1..]);
    }
    if problem.column == 0 {
        return (line + problem.line.saturating_sub(1), 1);
    }
    // The line and column in the value that the rest of it begins at.
    let mut read = (1, 1);
    while !rest.is_empty() {
        let (written, read_as) = unit(rest, has_escapes);
        if read == (problem.line, problem.column) && read_as.is_some() {
            break;
        }
        for c in rest[..written].chars() {
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        match read_as {
            Some('\n') => read = (read.0 + 1, 1),
            Some(_) => read.1 += 1,
            None => {}
        }
        rest = &rest[written..];
    }
    (line, column)
}

/// Returns the length in bytes of a value's first character in the file, and the character; `None` if it stands for
/// nothing. <https://toml.io/en/v1.0.0#string>
fn unit(text: &str, has_escapes: bool) -> (usize, Option<char>) {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return (0, None) };
    if first != '\\' || !has_escapes {
        return (first.len_utf8(), Some(first));
    }
    match chars.next() {
        Some('u') => (6.min(text.len()), Some('u')),
        Some('U') => (10.min(text.len()), Some('U')),
        Some('n') => (2, Some('\n')),
        // At the end of a line it takes all white space away that follows.
        Some(c) if c.is_whitespace() => (text.len() - text[1..].trim_start().len(), None),
        Some(c) => (1 + c.len_utf8(), Some(c)),
        None => (1, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, part: &'static str, line: usize, column: usize) -> (usize, usize) {
        in_file(text, &TemplateProblem { template: String::new(), part, line, column, problem: String::new() })
    }

    #[test]
    fn a_place_in_a_value_is_found_in_its_file() {
        let text = "# a\nsubject = \"Hi {{ x }}\"\ntext = \"\"\"\none\n  two\n\"\"\"\nlink = 'a'\n";
        assert_eq!(place(text, "subject", 1, 4), (2, 15));
        assert_eq!(place(text, "text", 2, 3), (5, 3));
        assert_eq!(place(text, "link", 1, 1), (7, 9));
        assert_eq!(place(text, "html", 1, 1), (0, 0));
        assert_eq!(place(text, "text", 2, 0), (5, 1), "the column is not known");
    }

    #[test]
    fn escapes_take_more_room_in_the_file() {
        assert_eq!(place("text = \"\\\"a\\u00e4b\"", "text", 1, 4), (1, 18));
        assert_eq!(place("text = \"a\\nb\"", "text", 2, 1), (1, 12));
        assert_eq!(place("text = \"\"\"a \\\n   b\"\"\"", "text", 1, 3), (2, 4));
        assert_eq!(place("text = 'a\\nb'", "text", 1, 4), (1, 12));
        assert_eq!(place("text = \"\"\"Ä{{ x\"\"\"", "text", 1, 2), (1, 12));
    }
}
