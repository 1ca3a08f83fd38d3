#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::io::{BufReader, Cursor};

fn open(text: &[u8], reader: Reader) -> Result<Rows, Reject> {
    Rows::open(Box::new(BufReader::new(Cursor::new(text.to_vec()))), reader)
}

/// The rows as JSON, and of rejects line, column and code.
fn read(text: impl AsRef<[u8]>) -> Vec<Value> {
    let rows = match open(text.as_ref(), Reader::default()) {
        Ok(rows) => rows,
        Err(reject) => return vec![json!([reject.line, reject.column, reject.code.as_str()])],
    };
    let one = |row: Result<Row, Reject>| match row {
        Ok(row) => json!({ "line": row.line, "values": row.values }),
        Err(reject) => json!([reject.line, reject.column, reject.code.as_str()]),
    };
    rows.map(one).collect()
}

fn row(line: u64, values: Value) -> Value {
    json!({ "line": line, "values": values })
}

#[test]
fn tables_are_read_with_any_delimiter_quotes_and_line_ends() {
    let expected = vec![row(2, json!({"id": "1", "name": "Ada, \"L\""})), row(3, json!({"id": "2", "name": "Bo"}))];
    for text in [
        "id,name\n1,\"Ada, \"\"L\"\"\"\n2,Bo\n",
        "id,name\r\n1,\"Ada, \"\"L\"\"\"\r\n2,Bo",
        "id;name\r1;\"Ada, \"\"L\"\"\"\r2;Bo\r",
        "id\tname\n1\t\"Ada, \"\"L\"\"\"\n2\tBo\n",
        "id|name|\n1|\"Ada, \"\"L\"\"\"|\n2|Bo|\n",
        "\u{feff}id,name\n1,\"Ada, \"\"L\"\"\"\n2,Bo,,\n",
    ] {
        assert_eq!(read(text), expected, "{text:?}");
    }
    assert_eq!(read("sep=;\nid;name\n1;a,b\n"), [row(3, json!({"id": "1", "name": "a,b"}))]);
    assert_eq!(
        read("a,b\n\n1,\"x\ny\"\n\n2,z\n"),
        [row(3, json!({"a": "1", "b": "x\ny"})), row(6, json!({"a": "2", "b": "z"}))]
    );
    assert_eq!(read(""), Vec::<Value>::new());
    assert_eq!(read("id\n"), Vec::<Value>::new());
}

#[test]
fn headers_with_repeated_and_empty_names_get_names_of_their_own() {
    let rows = open(b" Email ,Email,,\"Last\nname\"\n", Reader::default()).unwrap();
    assert_eq!(rows.columns().unwrap(), ["Email", "Email_2", "column_3", "Last\nname"]);
}

#[test]
fn cells_of_spreadsheets_are_texts_or_nothing() {
    let text = "a,b,c,d,e,f\n\"=\"\"007\"\"\",#N/A, ,=1+1,'x,\" y \"\n";
    assert_eq!(read(text), [row(2, json!({"a": "007", "d": "=1+1", "e": "'x", "f": " y "}))]);
}

#[test]
fn a_bad_row_costs_that_row_only() {
    // Too few, too many, a NUL, no UTF-8.
    let text = b"id,n\n1\n2,a\n3,b,c\n4,\0\n5,\xff\n6,d\n";
    assert_eq!(
        read(text),
        [
            json!([2, "", "columns"]),
            row(3, json!({"id": "2", "n": "a"})),
            json!([4, "", "columns"]),
            json!([5, "n", "nul"]),
            json!([6, "n", "encoding"]),
            row(7, json!({"id": "6", "n": "d"})),
        ]
    );
}

#[test]
fn quote_that_is_never_closed_costs_its_line_only() {
    let text = "id,n\n1,\"open\n2,b\n3,c\n";
    assert_eq!(
        read(text),
        [json!([2, "n", "quote"]), row(3, json!({"id": "2", "n": "b"})), row(4, json!({"id": "3", "n": "c"}))]
    );
    // A later quote closes it, within a value.
    let text = "id,n\n1,\"open\n2,b\n3,\"c\"\n4,d\n";
    assert_eq!(
        read(text),
        [
            json!([2, "", "quote"]),
            row(3, json!({"id": "2", "n": "b"})),
            row(4, json!({"id": "3", "n": "c"})),
            row(5, json!({"id": "4", "n": "d"})),
        ]
    );
    let many: String =
        std::iter::once("id,n\n0,\"open\n".to_owned()).chain((1..5_000).map(|n| format!("{n},x\n"))).collect();
    let found = read(many);
    assert_eq!((found.len(), &found[0]), (5_000, &json!([2, "n", "quote"])));
}

#[test]
fn huge_values_are_rejected_and_the_next_row_is_read() {
    let huge = "x".repeat(MAX_ROW_BYTES + 10);
    let text = format!("id,n\n1,{huge}\n2,\"{huge}\"\n3,c\n");
    assert_eq!(
        read(text),
        [json!([2, "", "row_too_large"]), json!([3, "", "row_too_large"]), row(4, json!({"id": "3", "n": "c"}))]
    );
    let text = format!("{{\"id\":1}}\n{{\"n\":\"{huge}\"}}\n{{\"id\":3}}\n");
    assert_eq!(read(text), [row(1, json!({"id": 1})), json!([2, "", "row_too_large"]), row(3, json!({"id": 3}))]);
}

#[test]
fn json_is_read_one_a_line_as_an_array_and_over_several_lines() {
    let expected = |lines: [u64; 2]| vec![row(lines[0], json!({"a": 1})), row(lines[1], json!({"b": {"c": "}]\""}}))];
    for (text, lines) in [
        ("{\"a\":1}\n{\"b\":{\"c\":\"}]\\\"\"}}\n", [1, 2]),
        ("\n {\"a\":1}\r\n\r\n\u{1e}{\"b\":{\"c\":\"}]\\\"\"}}", [2, 4]),
        ("[{\"a\":1},{\"b\":{\"c\":\"}]\\\"\"}}]", [1, 1]),
        ("[\n  {\n    \"a\": 1\n  },\n  {\"b\":\n {\"c\": \"}]\\\"\"}}\n]\n", [2, 5]),
        ("{\n \"a\": 1\n}\n{\n \"b\": {\"c\": \"}]\\\"\"}\n}", [1, 4]),
    ] {
        assert_eq!(read(text), expected(lines), "{text}");
    }
    assert_eq!(read("[]"), Vec::<Value>::new());
}

#[test]
fn bad_json_costs_its_line_only() {
    let text = "{\"a\":1}\n{\"a\":\n7\nnull\n{\"b\":\"x\ny\"}\n{\"a\":2} trailing\n{\"a\":3}\n";
    assert_eq!(
        read(text),
        [
            row(1, json!({"a": 1})),
            json!([2, "", "not_json"]),
            json!([3, "", "not_json"]),
            json!([4, "", "not_json"]),
            json!([5, "", "not_json"]),
            json!([6, "", "not_json"]),
            json!([7, "", "not_json"]),
            row(8, json!({"a": 3})),
        ]
    );
    // The bracket of the second object is not closed.
    let text = "[\n{\"a\":1},\n{\"a\":{\n,\n{\"a\":3},\n{\"a\":4}\n]";
    let found = read(text);
    assert_eq!(found.first(), Some(&row(2, json!({"a": 1}))));
    assert!(
        found[1..].contains(&row(5, json!({"a": 3}))) && found[1..].contains(&row(6, json!({"a": 4}))),
        "{found:?}"
    );
    assert!(found.contains(&json!([3, "", "row_too_large"])), "{found:?}");
}

#[test]
fn values_over_lines_are_put_back_once_only() {
    // Each line opens a bracket: reading on from the second line of each would take the square of their number.
    let text = "[".to_owned() + &"{\n".repeat(600_000);
    let started = read(text).len();
    assert!(started < 600_000);
}

#[test]
fn utf16_of_spreadsheets_is_read() {
    let text: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("id\tname\r\n1\tŽan\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read(text), [row(2, json!({"id": "1", "name": "Žan"}))]);
    let reader = Reader { encoding: crate::text::encoding("windows-1252"), delimiter: Some(b';'), list: None };
    let rows: Vec<Row> = open(b"id;n\n1;na\xefve\n", reader).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows[0].values["n"], "naïve");
}

/// Texts of the signs that tables and JSON are made of.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let sign = prop_oneof![
        4 => Just(b",".to_vec()),
        4 => Just(b"\n".to_vec()),
        3 => Just(b"\"".to_vec()),
        2 => Just(b"\r".to_vec()),
        2 => Just(b"a".to_vec()),
        1 => Just(b"{".to_vec()),
        1 => Just(b"}".to_vec()),
        1 => Just(b"[".to_vec()),
        1 => Just(b"]".to_vec()),
        1 => Just(b":".to_vec()),
        1 => Just(b"\\".to_vec()),
        1 => Just(b"\0".to_vec()),
        1 => Just(vec![0xef, 0xbb, 0xbf]),
        1 => Just(vec![0xff]),
        1 => Just(b"=\"1\"".to_vec()),
        1 => Just("ü".as_bytes().to_vec()),
    ];
    proptest::collection::vec(sign, 0..200).prop_map(|signs| signs.concat())
}

fn field() -> impl Strategy<Value = String> {
    "[a-z0-9 ,;\"\n|{ü]{0,12}"
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(text in hostile()) {
        for prefix in [&b""[..], b"a,b\n", b"{\"a\":1}\n", b"["] {
            let whole = [prefix, &text].concat();
            let lines = whole.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
            for found in read(&whole) {
                let line = found["line"].as_u64().or_else(|| found[0].as_u64()).unwrap();
                prop_assert!((1..=lines).contains(&line), "{found}");
            }
        }
    }

    /// Tables as RFC 4180 defines them are read unchanged.
    #[test]
    fn written_tables_are_read_as_they_were(rows in proptest::collection::vec((field(), field()), 0..20)) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut text = "first,second,last\r\n".to_owned();
        for (a, b) in &rows {
            text += &format!("{},{},end\r\n", quoted(a), quoted(b));
        }
        let rows: Vec<(String, String)> = rows;
        let found: Vec<Row> = open(text.as_bytes(), Reader::default()).unwrap().map(|row| row.unwrap()).collect();
        prop_assert_eq!(found.len(), rows.len());
        for (row, (a, b)) in found.iter().zip(&rows) {
            for (name, written) in [("first", a), ("second", b)] {
                let read = row.values.get(name).and_then(Value::as_str).unwrap_or_default();
                if !written.trim().is_empty() {
                    prop_assert_eq!(read, written);
                }
            }
            prop_assert_eq!(&row.values["last"], "end");
        }
    }
}

/// The rows with `list` as the place of their list.
fn read_list(text: &str, list: &[&str]) -> Vec<Value> {
    let list = list.iter().map(|name| (*name).to_owned()).collect();
    let rows = open(text.as_bytes(), Reader { list: Some(list), ..Reader::default() }).unwrap();
    let one = |row: Result<Row, Reject>| match row {
        Ok(row) => json!({ "line": row.line, "values": row.values }),
        Err(reject) => json!([reject.line, reject.column, reject.code.as_str()]),
    };
    rows.map(one).collect()
}

#[test]
fn items_of_a_list_in_an_object_are_rows() {
    let expected = vec![row(1, json!({"id": 1, "data": [{"x": 2}]})), row(1, json!({"id": "]}"}))];
    let pages = |text: &str| text.replace('~', r#"{"id":1,"data":[{"x":2}]},{"id":"]}"}"#);
    for text in [
        r#"{"data":[~]}"#,
        r#"{"object":"list","has_more":true,"data":[~],"next":{"a":[1,{"b":"]"}]}}"#,
        r#" { "data" : [ ~ , ] } "#,
        r#"{"data":[]}{"data":[~]}"#,
    ] {
        assert_eq!(read(pages(text)), expected, "{text}");
    }
    let nested = pages(r#"{"meta":{"rows":[{"no":1}]},"result":{"n":[0],"rows":[~]},"rows":[{"no":2}]}"#);
    assert_eq!(read_list(&nested, &["result", "rows"]), expected);
    // Pages of one file, and objects without the list among them.
    let text = "{\"rows\":[{\"id\":1}]}\n{\"id\":2}\n[{\"id\":3}]\n{\"rows\":[{\"id\":4}],\"more\":false}\n";
    let ids: Vec<Value> =
        read_list(text, &["rows"]).iter().map(|row| json!([row["line"], row["values"]["id"]])).collect();
    assert_eq!(ids, [json!([1, 1]), json!([2, 2]), json!([3, 3]), json!([4, 4])]);
    assert_eq!(
        read_list("id,rows\n1,2\n", &["rows"]),
        [row(2, json!({"id": "1", "rows": "2"}))],
        "a table has no list"
    );
}

#[test]
fn bad_item_of_a_list_costs_that_item_and_a_list_that_ends_early_says_so() {
    let text = "{\"data\":[\n{\"id\":1},\n{\"id\":,},\n[{\"id\":2}],\n7,\n{\"id\":3}\n],\"more\":\"x\"}\n";
    let not_json = |line: u64| json!([line, "", "not_json"]);
    assert_eq!(read(text), [row(2, json!({"id": 1})), not_json(3), not_json(4), not_json(5), row(6, json!({"id": 3}))]);
    assert_eq!(read("{\"data\":[{\"id\":1},"), [row(1, json!({"id": 1})), json!([1, "", "damaged"])]);
    assert_eq!(
        read("{\"data\":[{\"id\":1},{\"id"),
        [row(1, json!({"id": 1})), json!([1, "", "row_too_large"]), json!([1, "", "damaged"])]
    );
}

proptest! {
    #[test]
    fn wrapped_items_are_those_of_the_array(
        rows in proptest::collection::vec(("[a-z\"\\\\{}\\[\\],:ü]{0,8}", any::<i32>(), any::<bool>()), 0..9),
        spread in any::<bool>(),
    ) {
        let items: Vec<Value> = rows.into_iter().map(|(text, number, deep)| {
            if deep { json!({ "data": [{ "data": text }], "n": number }) } else { json!({ "t": text, "n": number }) }
        }).collect();
        let text = |value: &Value| if spread { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() };
        let values = |text: &str| -> Vec<Value> { read(text).into_iter().map(|row| row["values"].clone()).collect() };
        prop_assert_eq!(values(&text(&json!({ "data": items }))), items.clone());
        let wrapped = json!({ "a": { "rows": [1] }, "b": { "rows": items }, "c": ["rows", { "b": [] }] });
        let found: Vec<Value> = read_list(&text(&wrapped), &["b", "rows"]).into_iter().map(|row| row["values"].clone()).collect();
        prop_assert_eq!(found, items);
    }
}

#[test]
fn an_array_that_ends_early_is_a_reject_and_a_whole_one_is_not() {
    let items = r#"{"id":"a"},{"id":"b"}"#;
    let two = [row(1, json!({"id": "a"})), row(1, json!({"id": "b"}))];
    for whole in
        [format!("[{items}]"), format!("[{items},]\n"), format!("{{\"data\":[{items}]}}"), format!("[[{items}]]")]
    {
        assert_eq!(read(&whole), two, "{whole}");
    }
    for cut in [format!("[{items}"), format!("[{items},"), format!("[{items}\n"), format!("[[{items}]")] {
        let found = read(&cut);
        assert_eq!((&found[..2], found.len()), (&two[..], 3), "{cut}: {found:?}");
        assert_eq!(found[2][2], "damaged", "{cut}");
    }
    assert_eq!(read("[]"), Vec::<Value>::new());
}
