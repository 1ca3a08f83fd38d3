//! Lists of rows in an object of JSON, as APIs return them: `{"object": "list", "data": [{…}, {…}]}`. They are found by
//! reading on, so that a list of any length needs no memory.

use std::sync::Arc;

/// The member that most APIs call the list.
const USUAL: &str = "data";
/// The members that APIs write before that list. An object that begins with others is a row with a list of its own.
const AROUND: [&str; 18] = [
    "object",
    "has_more",
    "hasmore",
    "url",
    "next",
    "next_page",
    "previous",
    "count",
    "total",
    "total_count",
    "page",
    "per_page",
    "limit",
    "offset",
    "meta",
    "links",
    "paging",
    "success",
];

/// Follows an object to the list at the end of a path of members. Takes bytes of valid JSON; of anything else, it may
/// find nothing.
pub(super) struct Finder<'a> {
    path: &'a [String],
    /// The number of open brackets.
    depth: usize,
    /// The number of members of the path in which the bytes are.
    matched: usize,
    /// The text in progress, with its quotes.
    text: Option<Vec<u8>>,
    escaped: bool,
    /// The last text of the object that is followed: its next member's name, once a colon follows.
    last: Option<Vec<u8>>,
    /// The member of the followed object whose value comes next.
    member: Option<String>,
    /// The members of the outermost object so far.
    seen: Vec<String>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(path: &'a [String]) -> Self {
        Self { path, depth: 0, matched: 0, text: None, escaped: false, last: None, member: None, seen: Vec::new() }
    }

    /// Returns whether the bytes are directly within the object that is followed.
    fn is_followed(&self) -> bool {
        self.depth == self.matched + 1
    }

    /// Returns whether the value that comes next is that of the path's next member.
    fn is_next(&self) -> bool {
        self.is_followed() && self.member.is_some() && self.member.as_ref() == self.path.get(self.matched)
    }

    /// Takes the next byte. Returns whether it is the bracket that opens the list.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        if let Some(text) = &mut self.text {
            text.push(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.last = self.text.take(),
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.text = Some(vec![byte]),
            b':' if self.is_followed() => {
                self.member = self.last.take().and_then(|name| serde_json::from_slice(&name).ok());
                if self.matched == 0 {
                    self.seen.extend(self.member.clone());
                }
            }
            b',' if self.is_followed() => self.member = None,
            b'[' if self.is_next() && self.matched + 1 == self.path.len() => return true,
            b'{' if self.is_next() && self.matched + 1 < self.path.len() => {
                self.matched += 1;
                self.depth += 1;
                self.member = None;
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.matched >= self.depth {
                    self.matched = self.depth.saturating_sub(1);
                    self.member = None;
                }
            }
            _ => {}
        }
        false
    }
}

/// Returns the path of the list in a text that begins with `start`, if it begins as APIs return lists of objects.
pub(super) fn usual(start: &[u8]) -> Option<Arc<[String]>> {
    let path: Arc<[String]> = Arc::new([USUAL.to_owned()]);
    let mut finder = Finder::new(&path);
    let at = start.iter().position(|byte| finder.take(*byte) || finder.depth == 0 && *byte == b'}')?;
    let is_list = start.get(at) == Some(&b'[');
    let (_, before) = finder.seen.split_last()?;
    let is_wrapped = before.iter().all(|name| AROUND.contains(&name.to_ascii_lowercase().as_str()));
    let first = start[at + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
    let has_objects = matches!(first, Some(b'{' | b']') | None);
    (is_list && is_wrapped && has_objects).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &[&str], text: &str) -> Option<usize> {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        let mut finder = Finder::new(&path);
        text.bytes().position(|byte| finder.take(byte))
    }

    #[test]
    fn list_is_found_at_its_path_and_nowhere_else() {
        assert_eq!(found(&["data"], r#"{"data":[1]}"#), Some(8));
        assert_eq!(
            found(&["data"], r#"{ "a" : {"data":[1]}, "b": "data", "c": [{"data": [1]}], "data" : [ 1]}"#),
            Some(66)
        );
        assert_eq!(found(&["a", "b"], r#"{"b":[1],"a":{"x":{"b":[2]},"c":[3],"b":[4]}}"#), Some(40));
        assert_eq!(found(&["a", "b"], r#"{"a":{"c":1},"b":[1]}"#), None);
        assert_eq!(found(&["a", "b"], r#"{"a":[{"b":[1]}]}"#), None);
        assert_eq!(found(&["d\"ü"], r#"{"x":"\\","d\"\u00fc":[1]}"#), Some(22));
        assert_eq!(found(&["data"], r#"{"data":"[","x":[1]}"#), None);
    }

    #[test]
    fn answers_of_apis_are_known_and_rows_with_a_list_are_not_taken_for_one() {
        for text in [
            r#"{"data":[{"id":1}]}"#,
            "{\n  \"object\": \"list\",\n  \"has_more\": true,\n  \"data\": [\n    {",
            r#"{"meta":{"page":1},"links":{},"data":[]}"#,
        ] {
            assert!(usual(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            r#"{"event":"x","data":[{"id":1}]}"#,
            r#"{"data":[1,2]}"#,
            r#"{"data":{"a":[{}]}}"#,
            r#"{"id":1}"#,
            r#"{"object":"list"} {"data":[{}]}"#,
            "{",
        ] {
            assert!(usual(text.as_bytes()).is_none(), "{text}");
        }
    }
}
