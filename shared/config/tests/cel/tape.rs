//! Random conditions: a tape of random bytes selects productions of a grammar, so that a shorter or smaller tape makes
//! a simpler condition, to which a failing test shrinks.
//!
//! No fractional number comes near integers beyond 2 to the 53rd: there the interpreter rounds before it compares,
//! while we compare exactly, as the specification does. And nothing becomes infinite or NaN: comparing NaN is an error
//! in the interpreter, but false in the specification and here.

use super::world::Facts;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Choices, one a byte; zeros where it ends.
pub(crate) struct Tape<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tape<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn choose(&mut self, among: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % among
    }

    fn of(&mut self, words: &[&str]) -> String {
        words[self.choose(words.len())].to_owned()
    }

    /// A condition of at most `depth` levels.
    pub(crate) fn truth(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.of(&[
                "true",
                "false",
                "pays",
                "properties.flag",
                "anything",
                "has(properties.a)",
                "idle_days > 3",
            ]);
        }
        let d = depth - 1;
        match self.choose(22) {
            0 => self.truth(0),
            1 => format!("{} {} {}", self.whole(d), self.order(), self.whole(d)),
            2 => format!("{} {} {}", self.fraction(d), self.order(), self.whole(d)),
            3 => format!("{} {} {}", self.text(d), self.order(), self.text(d)),
            4 => format!("{} {} {}", self.any(d), self.order(), self.any(d)),
            5 => format!("{} {} {}", self.any(d), self.of(&["==", "!="]), self.list(d)),
            6 | 7 => format!("({} && {})", self.truth(d), self.truth(d)),
            8 | 9 => format!("({} || {})", self.truth(d), self.truth(d)),
            10 => format!("!({})", self.truth(d)),
            11 => format!("({} ? {} : {})", self.truth(d), self.truth(d), self.truth(d)),
            12 => format!("{} in {}", self.any(d), self.list(d)),
            13 => format!("{} in {}", self.text(d), self.any(d)),
            14 => format!("{}.{}({})", self.text(d), self.of(&["contains", "startsWith", "endsWith"]), self.text(d)),
            15 => format!(
                "{}.matches({})",
                self.text(d),
                self.of(&["\"\"", "\"^a\"", "r\"^[a-z]+$\"", "\"(?i)B\"", "'ä?c$'"])
            ),
            16 => format!("{}.{}(e, {})", self.list(d), self.of(&["exists", "all"]), self.of_element(d)),
            17 => format!(
                "properties.{}.{}(e, {})",
                self.of(&["list", "o", "a"]),
                self.of(&["exists", "all"]),
                self.of_element(d)
            ),
            18 => self.of(&["has(properties.a)", "has(properties.o)", "\"a\" in properties", "'zz' in properties"]),
            19 => format!("{} {} {}", self.truth(d), self.of(&["==", "!=", "<", ">="]), self.truth(d)),
            20 => format!("{} {} {}", self.fraction(d), self.order(), self.fraction(d)),
            _ => format!("{} == null", self.any(d)),
        }
    }

    fn of_element(&mut self, depth: usize) -> String {
        match self.choose(5) {
            0 => format!("e == {}", self.any(depth)),
            1 => format!("e {} {}", self.order(), self.whole(depth)),
            2 => "e.k == 1".to_owned(),
            3 => "has(e.k)".to_owned(),
            _ => format!("[1, \"a\"].{}(f, e == f || {})", self.of(&["exists", "all"]), self.truth(0)),
        }
    }

    fn order(&mut self) -> String {
        self.of(&["==", "!=", "<", "<=", ">", ">="])
    }

    pub(crate) fn whole(&mut self, depth: usize) -> String {
        if depth == 0 {
            let words = [
                "1",
                "0",
                "idle_days",
                "visits",
                "-1",
                "7",
                "9223372036854775807",
                "9007199254740993",
                "count(\"a\")",
                "account.people",
            ];
            return self.of(&words);
        }
        let d = depth - 1;
        match self.choose(8) {
            0 => self.whole(0),
            1..=3 => format!("({} {} {})", self.whole(d), self.of(&["+", "-", "*", "/", "%"]), self.whole(d)),
            4 => format!("-({})", self.whole(d)),
            5 => format!(
                "size({})",
                self.of(&["stage", "segments", "properties.a", "properties.list", "\"äb\"", "[1, visits]"])
            ),
            6 => format!("({} ? {} : {})", self.truth(d), self.whole(d), self.whole(d)),
            _ => format!("int({})", self.fraction(d)),
        }
    }

    pub(crate) fn fraction(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.of(&["1.5", "0.0", "sentiment", "engagement", "-2.5", "1e30", "double(account.people)"]);
        }
        let d = depth - 1;
        match self.choose(4) {
            0 => self.fraction(0),
            1 if self.choose(3) == 0 => format!("({} / {})", self.fraction(d), self.of(&["2.0", "-0.5"])),
            1 => format!("({} {} {})", self.fraction(d), self.of(&["+", "-", "*"]), self.fraction(d)),
            2 => format!("-({})", self.fraction(d)),
            _ => {
                format!("double({})", self.of(&["account.people", "count(\"a\")", "3", "size(stage)", "properties.a"]))
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.of(&[
                "stage",
                "\"a\"",
                "\"\"",
                "source",
                "'abc'",
                "\"ÄB\\u00e4\"",
                "properties.a",
                "properties[\"first name\"]",
            ]);
        }
        let d = depth - 1;
        match self.choose(4) {
            0 => self.text(0),
            1 => format!("({} + {})", self.text(d), self.text(d)),
            2 => format!("{}.lowerAscii()", self.text(0)),
            _ => format!("({} ? {} : {})", self.truth(d), self.text(d), self.text(d)),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        match self.choose(6) {
            0 => "segments".to_owned(),
            1 => self.of(&["[]", "[\"a\", \"abc\", \"x\"]", "[1, 2.5, \"a\", null, true]", "[[1], [\"a\"]]"]),
            2 => "properties.list".to_owned(),
            3 => format!("[{}, {}]", self.any(depth / 2), self.any(depth / 2)),
            4 => format!("[{}]", self.text(depth / 2)),
            _ => format!("({} + [{}])", self.of(&["segments", "[1]", "properties.list"]), self.any(0)),
        }
    }

    fn any(&mut self, depth: usize) -> String {
        match self.choose(10) {
            0 => "anything".to_owned(),
            1 => "properties.a".to_owned(),
            2 => self.of(&[
                "properties.o",
                "properties.o.k",
                "properties[\"o\"].k",
                "properties.list[0]",
                "properties.list[1]",
                "properties.o[\"k\"]",
            ]),
            3 => "properties.b".to_owned(),
            4 => self.whole(depth),
            5 => self.text(depth),
            6 => self.fraction(depth),
            7 => self.of(&["null", "true", "false"]),
            8 => format!(
                "(properties.a {} {})",
                self.of(&["+", "-", "*", "/", "%"]),
                self.of(&["properties.b", "1", "2.0", "anything"])
            ),
            _ => format!("(pays ? {} : anything)", self.of(&["properties.a", "properties.b"])),
        }
    }

    /// Returns random facts: each name has a value of its type, an unfitting one if its type is unknown, or none.
    pub(crate) fn facts(&mut self) -> Facts {
        let mut facts = BTreeMap::new();
        for name in ["idle_days", "visits"] {
            self.put(
                &mut facts,
                name,
                &[json!(3), json!(0), json!(-1), json!(i64::MAX), json!(i64::MIN), json!(9_007_199_254_740_993_i64)],
            );
        }
        for name in ["sentiment", "engagement"] {
            self.put(&mut facts, name, &[json!(0.5), json!(-0.0), json!(3.0), json!(1e30)]);
        }
        for name in ["stage", "source"] {
            self.put(&mut facts, name, &[json!("a"), json!(""), json!("abc"), json!("ABC ÄÖ"), json!("vip")]);
        }
        self.put(&mut facts, "pays", &[json!(true), json!(false)]);
        self.put(&mut facts, "segments", &[json!(["a", "vip"]), json!([]), json!(["abc"])]);
        let anything = no_object(self.json());
        self.put(&mut facts, "anything", &[anything]);
        let mut properties = BTreeMap::new();
        for name in ["a", "b", "flag", "list", "o", "first name"] {
            let any = self.json();
            let element = any.clone();
            let usual = match name {
                "list" => json!([1, "a", {"k": 1}, element]),
                "o" => json!({"k": element}),
                "flag" => json!(true),
                _ => json!("abc"),
            };
            let any = if name == "b" { no_object(any) } else { any };
            self.put(&mut properties, name, &[usual, any]);
        }
        facts.insert("properties".to_owned(), json!(properties));
        facts.insert("account".to_owned(), if self.choose(4) == 0 { json!({}) } else { json!({"people": 12}) });
        facts.insert("count".to_owned(), if self.choose(4) == 0 { json!({}) } else { json!({"a": self.choose(5)}) });
        Facts(facts)
    }

    fn put(&mut self, facts: &mut BTreeMap<String, Json>, name: &str, values: &[Json]) {
        let at = self.choose(values.len() + 1);
        if let Some(value) = values.get(at) {
            facts.insert(name.to_owned(), value.clone());
        }
    }

    fn json(&mut self) -> Json {
        let values = [
            json!(1),
            json!("a"),
            json!(null),
            json!(true),
            json!(1.0),
            json!(2.5),
            json!(-7),
            json!(""),
            json!("ABC"),
            json!([1, 2.0, "a"]),
            json!({"k": 1}),
            json!({"k": {"k": "a"}, "b": [1]}),
            json!([]),
            json!(false),
            json!(-3),
            json!({}),
        ];
        values[self.choose(values.len())].clone()
    }
}

/// Something else for an object: the interpreter adds one to a list, which the specification does not have.
fn no_object(json: Json) -> Json {
    if json.is_object() { json!([json]) } else { json }
}
