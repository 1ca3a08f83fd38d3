#![allow(clippy::unwrap_used, clippy::panic)]
use crate::test_support::browser::{Browser, SESSION, SIGN_IN, TOKEN};
use crate::test_support::{add, now};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

#[tokio::test]
async fn visitor_signs_in_and_returns_to_the_page_that_was_asked_for() {
    let mut browser = Browser::new().await;
    let asked = browser.get("/people?search=a%20b&min=5").await;
    assert_eq!(
        (asked.status, asked.location.as_str()),
        (StatusCode::SEE_OTHER, "/sign-in?to=%2Fpeople%3Fsearch%3Da%2520b%26min%3D5")
    );
    let seen = browser.sign_in("/people?search=a%20b&min=5", &json!(["staff"])).await;
    assert_eq!((seen.status, seen.location.as_str()), (StatusCode::SEE_OTHER, "/people?search=a%20b&min=5"));
    assert!(
        seen.set
            .iter()
            .any(|cookie| cookie.starts_with(SESSION)
                && cookie.ends_with("Max-Age=28800; HttpOnly; SameSite=Lax; Secure"))
    );
    assert!(browser.has(SESSION) && !browser.has(SIGN_IN));
    let page = browser.get("/people").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.contains("Eve &lt;b&gt;") && page.html.contains("viewer"), "who is signed in is shown, escaped");
    browser.time.advance(SignedDuration::from_hours(8));
    assert_eq!(browser.get("/segments").await.location, "/sign-in?to=%2Fsegments", "the session has ended");
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let mut browser = Browser::new().await;
    for to in
        ["//evil.example", "/\\evil.example", "https://evil.example", "/%09/evil", "\t//evil.example", "/sign-out"]
    {
        let seen = browser.sign_in(to, &json!(["staff"])).await;
        assert!(
            !seen.location.contains("evil") || seen.location.starts_with("/%09"),
            "{to} leads to {}",
            seen.location
        );
        assert!(seen.location.starts_with('/') && !seen.location.starts_with("//"), "{to} leads to {}", seen.location);
    }
}

#[tokio::test]
async fn each_role_is_kept_and_the_highest_group_counts() {
    let mut browser = Browser::new().await;
    for (groups, role, sees_log) in [
        (json!(["staff"]), "viewer", false),
        (json!(["staff", "ops"]), "operator", false),
        (json!(["boss"]), "admin", true),
    ] {
        browser.sign_in("/", &groups).await;
        let page = browser.get("/segments").await;
        assert!(page.html.contains(role), "{role}");
        assert_eq!(page.html.contains("href=\"/audit\""), sees_log, "{role}");
        let status = if sees_log { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(browser.get("/audit").await.status, status, "{role}");
    }
}

#[tokio::test]
async fn who_has_no_role_gets_no_session_and_is_told_what_is_needed() {
    let mut browser = Browser::new().await;
    let seen = browser.sign_in("/", &json!(["<i>guests</i>"])).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    for expected in ["&lt;i&gt;guests&lt;/i&gt;", "<code><bdi>staff</bdi></code>", "Operator", "Sign in"] {
        assert!(seen.html.contains(expected), "{expected}: {}", seen.html);
    }
    assert!(!browser.has(SESSION) && !seen.html.contains("<nav"));
    assert_eq!(browser.get("/segments").await.status, StatusCode::SEE_OTHER);

    let asked = browser.begin("/").await;
    browser.issue(&asked("nonce"), &Value::Null, &json!({ "_claim_names": { "groups": "src1" } }));
    let seen = browser.get(&format!("/sign-in/callback?code=c&state={}", asked("state"))).await;
    assert!(seen.html.contains("app roles"), "groups overage: {}", seen.html);
}

#[tokio::test]
async fn answer_of_another_sign_in_is_not_accepted() {
    let mut browser = Browser::new().await;
    // Without a beginning: as if somebody else's link were opened.
    assert_eq!(browser.get("/sign-in/callback?code=c&state=s").await.status, StatusCode::BAD_REQUEST);
    // Of another state, and of none.
    for state in ["state=other", "state=", "x=y"] {
        let asked = browser.begin("/").await;
        browser.issue(&asked("nonce"), &json!(["boss"]), &json!({}));
        assert_eq!(browser.get(&format!("/sign-in/callback?code=c&{state}")).await.status, StatusCode::BAD_REQUEST);
        assert!(browser.has(SIGN_IN) && !browser.has(SESSION), "a link of another site ends no sign-in that has begun");
    }
    browser.cookies.clear();
    // Replayed: the same answer again, with the same cookie.
    let asked = browser.begin("/").await;
    let cookies = browser.cookies.clone();
    browser.issue(&asked("nonce"), &json!(["boss"]), &json!({}));
    let callback = format!("/sign-in/callback?code=c&state={}", asked("state"));
    assert_eq!(browser.get(&callback).await.status, StatusCode::SEE_OTHER);
    browser.cookies = cookies.clone();
    browser.web.on(TOKEN, &[(400, json!({ "error": "invalid_grant" }).to_string())]);
    assert_eq!(browser.get(&callback).await.status, StatusCode::FORBIDDEN, "the provider takes a code once");
    // Too late.
    browser.cookies = cookies;
    browser.issue(&asked("nonce"), &json!(["boss"]), &json!({}));
    browser.time.advance(SignedDuration::from_mins(10));
    assert_eq!(browser.get(&callback).await.status, StatusCode::BAD_REQUEST);
    // A token with the nonce of another sign-in.
    let asked = browser.begin("/").await;
    browser.issue("other", &json!(["boss"]), &json!({}));
    let seen = browser.get(&format!("/sign-in/callback?code=c&state={}", asked("state"))).await;
    assert!(seen.status == StatusCode::FORBIDDEN && seen.html.contains("of another sign-in"), "{}", seen.html);
    // An answer that says that it is of another issuer (RFC 9207).
    let asked = browser.begin("/").await;
    browser.issue(&asked("nonce"), &json!(["boss"]), &json!({}));
    let answer = format!("/sign-in/callback?code=c&state={}&iss=https%3A%2F%2Fevil.example", asked("state"));
    assert_eq!(browser.get(&answer).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_longer_than_any_of_ours_is_not_read() {
    let mut browser = Browser::new().await;
    let asked = browser.begin("/").await;
    let long = "x".repeat(20_000);
    let seen = browser.get(&format!("/sign-in/callback?code={long}&state={}", asked("state"))).await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    browser.cookies = vec![(SESSION.to_owned(), format!("{long}.{long}")), (SIGN_IN.to_owned(), long.clone())];
    assert_eq!(browser.get("/segments").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/sign-in/callback?code=c&state=s").await.status, StatusCode::BAD_REQUEST);
    browser.cookies.clear();
    let seen = browser.get(&format!("/sign-in?to=/{long}")).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    assert!(browser.cookies.iter().all(|(_, value)| value.len() < 3_072), "the page is forgotten instead");
}

#[tokio::test]
async fn cookie_of_a_sign_in_is_no_session_and_the_reverse() {
    let mut browser = Browser::new().await;
    let _asked = browser.begin("/").await;
    let pending = browser.cookies[0].1.clone();
    browser.cookies = vec![(SESSION.to_owned(), pending)];
    assert_eq!(browser.get("/segments").await.status, StatusCode::SEE_OTHER);
    browser.sign_in("/", &json!(["boss"])).await;
    let session = browser.cookies.iter().find(|(name, _)| name == SESSION).unwrap().1.clone();
    browser.cookies = vec![(SIGN_IN.to_owned(), session)];
    assert_eq!(browser.get("/sign-in/callback?code=c&state=").await.status, StatusCode::BAD_REQUEST);
}

/// A browser that opens several tabs again asks for several pages at once.
#[tokio::test]
async fn several_tabs_sign_in_at_once() {
    let mut browser = Browser::new().await;
    let tabs = [browser.begin("/people").await, browser.begin("/accounts").await, browser.begin("/segments").await];
    for (asked, page) in [(&tabs[1], "/accounts"), (&tabs[0], "/people"), (&tabs[2], "/segments")] {
        browser.issue(&asked("nonce"), &json!(["boss"]), &json!({}));
        let callback = format!("/sign-in/callback?code=c&state={}", asked("state"));
        let seen = browser.get(&callback).await;
        assert_eq!((seen.status, seen.location.as_str()), (StatusCode::SEE_OTHER, page));
        // The same answer once more, as by the button back: the session stays.
        let again = browser.get(&callback).await;
        assert_eq!((again.status, again.location.as_str()), (StatusCode::SEE_OTHER, "/"));
        assert!(browser.has(SESSION));
    }
    assert!(!browser.has(SIGN_IN), "nothing is pending");
    for _ in 0..40 {
        let _asked = browser.begin("/people").await;
        assert!(browser.cookies.iter().all(|(_, value)| value.len() <= 3_072), "the oldest are forgotten");
    }
}

#[tokio::test]
async fn refusal_and_outage_of_the_provider_are_pages_that_say_so() {
    let mut browser = Browser::new().await;
    let asked = browser.begin("/").await;
    let said = "error=access_denied&error_description=User+%3Cb%3Edenied%3C%2Fb%3E";
    let seen = browser.get(&format!("/sign-in/callback?{said}&state={}", asked("state"))).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert!(seen.html.contains("access_denied User &lt;b&gt;denied&lt;/b&gt;"), "{}", seen.html);
    let asked = browser.begin("/").await;
    browser.web.on(TOKEN, &[(503, String::new())]);
    let seen = browser.get(&format!("/sign-in/callback?code=c&state={}", asked("state"))).await;
    assert_eq!(seen.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn sign_out_ends_the_session_and_needs_a_form_of_ours() {
    let mut browser = Browser::new().await;
    browser.sign_in("/", &json!(["staff"])).await;
    assert_eq!(browser.get("/sign-out").await.status, StatusCode::METHOD_NOT_ALLOWED);
    // A form of another site comes without our cookies, which the answer must not delete.
    let cookies = std::mem::take(&mut browser.cookies);
    browser.site = "cross-site";
    let seen = browser.call("POST", "/sign-out", "").await;
    assert_eq!((seen.status, seen.set.len()), (StatusCode::FORBIDDEN, 0));
    (browser.site, browser.cookies) = ("same-origin", cookies);
    assert_eq!(browser.call("POST", "/sign-out", "token=x").await.status, StatusCode::FORBIDDEN);
    assert!(browser.has(SESSION));
    let page = browser.get("/segments").await.html;
    let token = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let seen = browser.call("POST", "/sign-out", &format!("token={token}")).await;
    assert_eq!((seen.status, seen.location.as_str()), (StatusCode::SEE_OTHER, "/signed-out"));
    assert!(!browser.has(SESSION));
    assert!(browser.get("/signed-out").await.html.contains("https://login.example/logout?client_id=us"));
    assert_eq!(browser.get("/segments").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.call("POST", "/people/u1/unmerge", "").await.status, StatusCode::FORBIDDEN, "without a session");
}

#[tokio::test]
async fn role_that_may_not_act_sees_no_button_and_its_forms_are_refused() {
    let mut browser = Browser::new().await;
    add(&browser.house, 1).await;
    browser.sign_in("/", &json!(["staff"])).await;
    let page = browser.get("/people/u1").await.html;
    assert!(!page.contains("Unmerge") && !page.contains("As JSON"), "{page}");
    let token =
        |page: &str| page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = |token: &str| format!("token={token}&identity=anonymous%3Adesk-1&why=shared&by=Mallory");
    let viewer = token(&page);
    assert_eq!(browser.call("POST", "/people/u1/unmerge", &form(&viewer)).await.status, StatusCode::FORBIDDEN);
    assert!(browser.house.events.drain().is_empty());

    browser.sign_in("/", &json!(["ops"])).await;
    let page = browser.get("/people/u1").await.html;
    assert!(page.contains("Unmerge") && !page.contains("Your name"));
    let refused = browser.call("POST", "/people/u1/unmerge", &form(&viewer)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "a token of another session");
    let seen = browser.call("POST", "/people/u1/unmerge", &form(&token(&page))).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.html);
    let queued = browser.house.events.drain();
    assert!(
        queued[0].0.contains("Eve <b>") && !queued[0].0.contains("Mallory"),
        "who acted is who signed in: {queued:?}"
    );
}

#[tokio::test]
async fn whatever_shows_personal_data_is_in_the_log_before_it_is_sent() {
    let mut browser = Browser::new().await;
    for n in 0..3 {
        add(&browser.house, n).await;
    }
    let store = browser.house.deps.views.store.clone();
    let acme = perennial_domain::AccountId::parse("acme").unwrap();
    let mut account = perennial_store::accounts::StoredAccount::new(acme);
    account.account.summary = Some(perennial_domain::AccountSummary { people: 3, ..Default::default() });
    store.save_account(&mut account).await.unwrap();
    let u1 = perennial_domain::Identity::User(perennial_domain::UserId::parse("u1").unwrap()).person_id();
    browser.sign_in("/", &json!(["boss"])).await;
    let pages = [
        "/people",
        "/people?search=Person&owner=ada@acme.example",
        "/people?search=person&sort=highest",
        "/people?format=csv",
        "/people/u1",
        "/people/u1/why-not?journey=course",
        "/accounts",
        "/accounts/acme",
        "/accounts?format=csv",
        "/segments",
        "/journeys/course",
        "/people/nobody",
    ];
    for page in pages {
        browser.get(page).await;
        browser.time.advance(SignedDuration::from_secs(1));
    }
    let day = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let log = store.audit(day, 100, None).await.unwrap().entries;
    let what: Vec<(&str, u64)> = log.iter().rev().map(|entry| (entry.what.as_str(), entry.rows)).collect();
    let (person, why) = (format!("/people/{u1}"), format!("/people/{u1}/why-not?journey=course"));
    assert_eq!(
        what,
        [
            ("/people", 3),
            ("/people?search=hidden&sort=highest", 3),
            ("/people?format=csv", 3),
            (person.as_str(), 1),
            (why.as_str(), 1),
            ("/accounts/acme", 1),
        ]
    );
    let text = format!("{log:?}");
    assert!(!text.contains('@') && !text.contains("Person 1"), "neither names nor addresses: {text}");
    assert!(log.iter().all(|entry| entry.actor.subject == "u-1" && entry.actor.role == "admin"));
    let page = browser.get("/audit").await;
    assert!(page.html.contains(&person) && page.html.contains("Eve &lt;b&gt;"), "{}", page.html);
    assert_eq!(browser.get("/audit?day=yesterday").await.status, StatusCode::BAD_REQUEST);
    let csv = browser.get("/audit?format=csv").await;
    assert!(csv.html.starts_with("\"at\",\"subject\",\"name\",\"role\","), "{}", csv.html);
}

#[tokio::test]
async fn what_cannot_be_noted_is_neither_shown_nor_done() {
    let mut browser = Browser::new().await;
    add(&browser.house, 1).await;
    browser.sign_in("/", &json!(["ops"])).await;
    let page = browser.get("/people/u1").await.html;
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    browser.calls.refuse("PutItem");
    let seen = browser.get("/people/u1").await;
    assert_eq!(seen.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!seen.html.contains("Person 1"), "{}", seen.html);
    let form = format!("token={token}&identity=anonymous%3Adesk-1&why=shared");
    assert_eq!(browser.call("POST", "/people/u1/unmerge", &form).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.house.events.drain().is_empty());
}
