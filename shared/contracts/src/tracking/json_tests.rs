#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn scan(text: &str) -> Result<Option<Flaw>, Malformed> {
    let mut scanner = Scanner::new(text);
    let (_, apart) = scanner.apart(|scanner| scanner.value())?;
    scanner.end()?;
    Ok(apart.flaw)
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    let at = |text: &str| scan(text).unwrap_err();
    assert_eq!(at("{\"a\":1,}"), Malformed { at: 7, expected: "a name in quotes" });
    assert_eq!(at("[1 2]"), Malformed { at: 3, expected: "`,` or `]`" });
    assert_eq!(at("{\"a\" 1}"), Malformed { at: 5, expected: "`:`" });
    assert_eq!(at("\"a\nb\"").at, 2);
    assert_eq!(at("\"a").expected, "the end of a string");
    assert_eq!(at("01").expected, "the end of the body");
    assert_eq!(at("\"\\x\"").at, 2);
    assert_eq!(at("").expected, "a JSON value");
}

#[test]
fn what_readers_would_refuse_is_a_flaw() {
    let flaw = |text: &str| scan(text).unwrap().map(|flaw| (flaw.kind, flaw.at));
    assert_eq!(flaw("[\"\\ud83d\"]"), Some((FlawKind::LoneSurrogate, 2)));
    assert_eq!(flaw("\"\\ude00\""), Some((FlawKind::LoneSurrogate, 1)));
    assert_eq!(flaw("\"\\ud83d\\ud83d\\ude00\""), Some((FlawKind::LoneSurrogate, 1)));
    assert_eq!(flaw("\"\\ud83d\\ude00\""), None);
    assert_eq!(flaw("1e999"), Some((FlawKind::NumberRange, 0)));
    assert_eq!(flaw(&"9".repeat(400)), Some((FlawKind::NumberRange, 0)));
    assert_eq!(flaw("1e-999"), None);
    assert_eq!(flaw(&format!("{}{}", "[".repeat(32), "]".repeat(32))), None);
    assert_eq!(flaw(&format!("{}{}", "[".repeat(33), "]".repeat(33))), Some((FlawKind::TooDeep, 32)));
}

#[test]
fn depth_costs_no_stack() {
    let n = 1_000_000;
    assert_eq!(scan(&format!("{}{}", "[".repeat(n), "]".repeat(n))).unwrap().unwrap().kind, FlawKind::TooDeep);
    assert_eq!(scan(&"[".repeat(n)).unwrap_err().at, n);
    let nested = format!("{}1{}", "{\"a\":[".repeat(200), "]}".repeat(200));
    assert_eq!(scan(&nested).unwrap().unwrap().kind, FlawKind::TooDeep);
}

/// Text that is often almost JSON.
fn jsonish() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        8 => proptest::sample::select(vec!["{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\"", "1", "-0.5e3", "true", "null", " ", "\n"])
            .prop_map(str::to_owned),
        1 => proptest::sample::select(vec!["\"\\ud800\"", "\"\\udc00\"", "1e400", "-", "0.", "01", "\"", "\\", "tru", "\u{ffff}", "\"\u{1}\""])
            .prop_map(str::to_owned),
        1 => "\\PC{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,16}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            proptest::collection::vec((".{0,8}", inner), 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_passes_without_a_flaw_is_read_by_serde_json(text in jsonish()) {
        let read = serde_json::from_str::<serde_json::Value>(&text);
        match scan(&text) {
            Ok(None) => prop_assert!(read.is_ok(), "{text:?}: {read:?}"),
            Ok(Some(_)) => {}
            Err(_) => prop_assert!(read.is_err(), "{text:?}"),
        }
    }

    #[test]
    fn all_json_passes(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert_eq!(scan(&text), Ok(None), "{}", text);
    }
}
