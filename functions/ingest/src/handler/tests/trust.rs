//! Requests with the write key of a web page, and users' tokens.

use super::*;
use perennial_contracts::tokens::TokenSecrets;
use perennial_domain::Trust;

/// Sends with the write key of a web page; its server has the secret of tokens.
async fn page(body: &Value) -> (Fixture, Answered) {
    let mut fixture = Fixture::new();
    fixture.deps = fixture.deps.with_tokens(TokenSecrets::parse(TOKEN_SECRET).unwrap());
    let headers = [("authorization", &*basic("local-public-key:"))];
    let answer = fixture.send("POST", "/v1/batch", &headers, body.to_string().as_bytes()).await;
    (fixture, answer)
}

const TOKEN_SECRET: &str = "a secret of at least thirty-two bytes";

fn user_token(user: &str) -> String {
    let expires = NOW.parse::<jiff::Timestamp>().unwrap().as_second() + 60;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, TOKEN_SECRET.as_bytes());
    let signature = ring::hmac::sign(&key, format!("perennial-user:{expires}:{user}").as_bytes());
    format!("{expires}.{}", data_encoding::BASE64URL_NOPAD.encode(signature.as_ref()))
}

#[tokio::test]
async fn events_of_a_page_are_public_but_for_those_with_the_users_token() {
    let track = |user: &str, context: Value| json!({"type":"track","event":"E","userId":user,"context":context});
    let own = user_token("u");
    let calls = [
        track("u", json!({})),
        track("u", json!({"userToken": own, "ip": "::1"})),
        track("v", json!({"userToken": own})),
        track("u", json!({"userToken": "1.x"})),
        json!({"type":"track","event":"E","anonymousId":"a","context":{"userToken": own}}),
    ];
    let (fixture, answer) = page(&json!({ "batch": calls })).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(5)));
    let trust: Vec<_> = fixture.events().iter().map(|event| event.trust).collect();
    let (public, signed) = (Trust::Public, Trust::Signed);
    assert_eq!(trust, [public, signed, public, public, public]);
    let warned: Vec<_> =
        answer.body["warnings"].as_array().unwrap().iter().map(|warning| warning["index"].clone()).collect();
    assert_eq!(warned, [2, 3, 4], "{}", answer.body);
    assert_eq!(Value::from(fixture.events()[1].context.clone()), json!({"ip": "::1"}));
    let fixture = Fixture::new();
    assert_eq!(fixture.post("/v1/track", track("u", json!({})).to_string()).await.status, 200);
    assert_eq!(fixture.events()[0].trust, Trust::Server);
}

#[tokio::test]
async fn no_token_of_a_page_is_kept_wherever_it_stands() {
    let own = user_token("u");
    let calls = [
        json!({"type":"track","event":"E","userId":"u","properties":{"userToken": own, "deep": {"$user_token": own}}}),
        json!({"type":"identify","userId":"u","traits":{"user_token": own},"context":{"usertoken": own, "traits":{"userToken": own}}}),
        json!({"type":"track","userId":"u","context":{"UserToken": own}}),
    ];
    let (fixture, answer) = page(&json!({ "batch": calls })).await;
    assert_eq!((&answer.body["accepted"], &answer.body["rejected"]), (&json!(2), &json!(1)));
    let (_, signature) = own.split_once('.').unwrap();
    let kept = serde_json::to_string(&fixture.events()).unwrap() + &fixture.rejected()[0].event;
    assert!(!kept.contains(signature), "{kept}");
}

/// An id in another system is not secret either.
#[tokio::test]
async fn page_cannot_speak_for_an_id_in_another_system() {
    let ids = json!({"externalIds":[{"type":"stripe_customer_id","id":"cus_5"}]});
    let (fixture, answer) = page(&json!({"batch":[{"type":"identify","traits":{"plan":"x"},"context":ids}]})).await;
    assert_eq!((&answer.body["rejected"], fixture.events().len()), (&json!(1), 0));
    assert_eq!(fixture.rejected()[0].code, "no_identity");
}

#[tokio::test]
async fn public_key_that_sends_too_much_is_told_when_to_come_again_and_servers_never_are() {
    let mut fixture = Fixture::new();
    let throttle = crate::throttle::Throttle::new(std::num::NonZeroU32::MIN);
    fixture.deps = fixture.deps.with_throttle(Some(throttle));
    let call = |n: usize| json!({ "type": "track", "anonymousId": "a", "event": "Seen", "messageId": format!("m{n}") });
    let batch = json!({ "batch": (0..40).map(call).collect::<Vec<_>>() }).to_string();
    let send = async |key: &str, path: &str, body: &str| {
        fixture.send("POST", path, &[("authorization", &basic(key))], body.as_bytes()).await
    };
    assert_eq!(send("local-public-key:", "/v1/batch", &batch).await.status, 200);
    let refused = send("local-public-key:", "/v1/batch", &batch).await;
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "rate_limited", "20"));
    assert_eq!(refused.header("access-control-expose-headers"), "Retry-After");
    assert_eq!(fixture.events().len(), 40, "nothing of what was refused is stored");
    // The rest of the bucket may be sent.
    assert_eq!(send("local-public-key:", "/v1/track", &call(99).to_string()).await.status, 200);
    for _ in 0..5 {
        assert_eq!(send("local-write-key:", "/v1/batch", &batch).await.status, 200);
    }
}
