//! Any input gets a response, without a panic or a lost event.

use super::*;
use proptest::prelude::*;
use std::sync::OnceLock;

fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap())
        .block_on(future)
}

fn path() -> impl Strategy<Value = &'static str> {
    let calls = ["/v1/batch", "/v1/b", "/v1/track", "/v1/i", "/v1/group", "/v1/alias", "/api/s/page", "/batch/", "/e/"];
    proptest::sample::select([&calls[..], &["/hooks/stripe", "/hooks/app"]].concat())
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,10}".prop_map(Value::from),
        Just(json!("u-1")),
        Just(json!("2026-11-01T00:00:00.123+00:00")),
    ];
    let known = [
        "type",
        "messageId",
        "userId",
        "anonymousId",
        "event",
        "groupId",
        "previousId",
        "timestamp",
        "sentAt",
        "properties",
        "traits",
        "context",
        "distinct_id",
        "uuid",
        "$set",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let name = prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"];
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::vec((name, inner), 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn event() -> impl Strategy<Value = Value> {
    let kind = proptest::sample::select(vec!["identify", "track", "page", "screen", "group", "alias", "other"]);
    (kind, json_value()).prop_map(|(kind, value)| match value {
        Value::Object(mut event) => {
            event.entry("type").or_insert_with(|| kind.into());
            event.entry("userId").or_insert_with(|| "u".into());
            event.into()
        }
        other => other,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_get_an_answer(path in path(), bytes in proptest::collection::vec(any::<u8>(), 0..200), compressed: bool) {
        let fixture = Fixture::new();
        let bytes = if compressed { gzip(&bytes) } else { bytes };
        let answer = block_on(fixture.post(path, bytes));
        prop_assert!((200..500).contains(&answer.status), "{}", answer.status);
    }

    #[test]
    fn broken_json_gets_an_answer(path in path(), value in json_value(), cut in any::<prop::sample::Index>(), flip: u8) {
        let fixture = Fixture::new();
        let mut bytes = value.to_string().into_bytes();
        let at = cut.index(bytes.len());
        bytes[at] ^= flip;
        let answer = block_on(fixture.post(path, bytes));
        prop_assert!((200..500).contains(&answer.status), "{}", answer.status);
    }

    /// Reading the queue's messages fails where score would.
    #[test]
    fn what_is_accepted_and_what_is_rejected_is_what_was_sent(events in proptest::collection::vec(event(), 0..12), posthog: bool) {
        let fixture = Fixture::new();
        let path = if posthog { "/batch/" } else { "/v1/batch" };
        let answer = block_on(fixture.post(path, json!({"batch": events}).to_string()));
        prop_assert_eq!(answer.status, 200);
        let told = |name: &str| usize::try_from(answer.body[name].as_u64().unwrap()).unwrap();
        let (accepted, rejected) = (told("accepted"), told("rejected"));
        prop_assert_eq!(accepted + rejected, events.len());
        prop_assert_eq!(fixture.rejected().len(), rejected);
        // Person and account properties of a PostHog event become separate calls.
        let most = if posthog { 4 * accepted } else { accepted };
        prop_assert!((accepted..=most).contains(&fixture.events().len()), "{} of {}", fixture.events().len(), accepted);
    }

    #[test]
    fn any_header_gets_an_answer(value in "[ -~]{0,40}", origin in "[!-~]{0,20}", query in "[a-zA-Z0-9%=&+]{0,20}") {
        let fixture = Fixture::new();
        let value = value.trim();
        let headers = [("authorization", value), ("x-write-key", value), ("origin", &*origin), ("host", value), ("stripe-signature", value)];
        for (method, path) in [("POST", "/v1/track"), ("POST", "/hooks/stripe"), ("POST", "/hooks/app"), ("GET", "/sourceConfig/")] {
            let answer = block_on(fixture.send(method, &format!("{path}?writeKey={query}"), &headers, b"{}"));
            prop_assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
    }
}
