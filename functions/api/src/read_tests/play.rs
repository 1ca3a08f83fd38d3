use crate::access::Access;
use crate::handler::handle;
use crate::test_support::{House, ada, config_with, house_with, now, with_ada};
use http::{Method, StatusCode};
use perennial_channels::unsubscribe::address_hash;
use perennial_store::suppressions::Reason;
use perennial_views::play::{Answer, Fate, MessageView, Request, SampleRequest, play_alone};
use serde_json::{Value, json};

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    trigger = { event = "Login" }
    [[journey.step]]
    channel = "mail"
    template = "letter"
    [[journey.step]]
    id = "pause"
    wait = { event = "Report Viewed", days = 3, timeout = "end" }
    [[journey.step]]
    channel = "in_app"
    template = "note"
    [[journey.step]]
    channel = "mail"
    template = "letter"
    [[journey]]
    id = "trials"
    trigger = { event = "Login" }
    stages = ["trial"]
    step = [{ channel = "mail", template = "letter" }]
"#;

const LIMITS: &str = r#"
    time_zone = "Europe/Berlin"
    [quiet_hours]
    from = "20:00"
    to = "08:00"
    [[cap]]
    messages = 1
    within_days = 7
    channels = ["mail"]
"#;

const LETTER: &str = r#"
    subject = "News for {{ person.first_name }}"
    text = "Dear {{ person.first_name }}, of {{ account.id }}: {{ unsubscribe_url }}"
"#;

async fn house() -> House {
    let config = config_with(&[
        ("journeys.toml", JOURNEYS),
        ("limits.toml", LIMITS),
        ("lifecycle.toml", "trial = [\"Trial Started\"]\nlead = [\"Signed Up\"]\n"),
        ("templates/letter.toml", LETTER),
        ("templates/note.toml", "subject = \"Look\"\ntext = \"Here.\"\nlink = \"/here\""),
    ]);
    let house = house_with(Access::Open, config).await;
    with_ada(&house).await;
    house
}

async fn ask(house: &House, journey: &str, body: &Value) -> (StatusCode, Value) {
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(format!("/api/journeys/{journey}/test"))
        .body(lambda_http::Body::Text(body.to_string()))
        .unwrap();
    let answer = handle(&house.deps, request).await;
    let body = serde_json::from_slice(answer.body().as_ref()).unwrap();
    (answer.status(), body)
}

async fn answer(house: &House, body: &Value) -> Answer {
    let (status, body) = ask(house, "course", body).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    serde_json::from_value(body).unwrap()
}

fn told(answer: &Answer) -> Vec<&str> {
    answer.steps.iter().map(|step| step.told.as_str()).collect()
}

fn messages(answer: &Answer) -> Vec<&MessageView> {
    answer.steps.iter().filter_map(|step| step.message.as_ref()).collect()
}

#[tokio::test]
async fn a_journey_is_played_for_someone_who_is_known_and_nothing_is_written_or_sent() {
    let house = house().await;
    let before = house.deps.views.store.resolve("user/1").await.unwrap().unwrap();
    let body = json!({
        "person": "ada@example.com", "from": "2026-03-02", "days": 10,
        "events": [{ "event": "Report Viewed", "at": "1d" }],
    });
    let answer = answer(&house, &body).await;
    assert_eq!(
        told(&answer),
        [
            "\"Login\" happens",
            "enters, as \"Login\" happened",
            "mail letter",
            "waits for \"Report Viewed\", until Thu 5 Mar 10:00 at most",
            "\"Report Viewed\" happens",
            "has waited for \"Report Viewed\", and goes on",
            "in_app note",
            "waits: they have had as many messages as limits.toml allows; next look Fri 6 Mar 10:00",
            "mail letter: not sent: they have had as many messages as limits.toml allows",
            "comes to the end",
        ]
    );
    assert!(answer.entered && !answer.under_way && answer.why_not.is_none());
    assert_eq!((answer.person.name.as_str(), answer.person.time_zone.as_str()), ("user/1", "Europe/Berlin"));
    let [first, note, second] = messages(&answer)[..] else { panic!("three messages") };
    assert_eq!((first.fate, first.to.as_deref()), (Fate::Sent, Some("ada@example.com")));
    assert!(first.text.as_deref().unwrap().contains("of acme: https://perennial.example/u/"), "{first:?}");
    assert!(first.html.as_deref().unwrap().starts_with("<!doctype html>"), "{first:?}");
    assert_eq!((note.subject.as_deref(), note.link.as_deref()), (Some("Look"), Some("/here")));
    assert_eq!(second.fate, Fate::Capped);
    let after = house.deps.views.store.resolve("user/1").await.unwrap().unwrap();
    assert_eq!((after.version, after.profile), (before.version, before.profile));
    assert!(house.events.bodies().is_empty());
}

#[tokio::test]
async fn who_unsubscribed_gets_no_mail_and_quiet_hours_put_one_off() {
    let house = house().await;
    let address = address_hash("ada@example.com");
    house.deps.views.store.suppress_hashed(&address, Reason::Unsubscribe, now()).await.unwrap();
    let answer = answer(&house, &json!({ "person": "user/1", "from": "2026-03-02T23:00", "days": 1 })).await;
    assert_eq!(told(&answer)[2..4], ["quiet hours: the message waits until Tue 3 Mar 08:00", "mail letter"],);
    let message = messages(&answer)[0];
    assert_eq!((message.fate, message.why.as_deref()), (Fate::Suppressed, Some("unsubscribed")));
    assert!(answer.under_way, "the clock stops before the wait ends");
}

#[tokio::test]
async fn mail_to_someone_whose_address_is_not_known_fails() {
    let house = house().await;
    let mut stored = house.deps.views.store.resolve("user/1").await.unwrap().unwrap();
    stored.profile.part_mut(&ada()).state.traits.remove("email");
    house.deps.views.store.save(&mut stored).await.unwrap();
    let answer = answer(&house, &json!({ "person": "user/1" })).await;
    let failing: Vec<Option<&str>> = answer.failing().map(|message| message.why.as_deref()).collect();
    assert_eq!(failing.first(), Some(&Some("no mail address is known")), "{answer:?}");
}

#[tokio::test]
async fn a_paused_journey_sends_no_mail_and_shows_in_the_product_what_it_shows() {
    let house = house().await;
    let health = house.deps.views.store.journey_health("course", 7, now()).await.unwrap();
    assert!(house.deps.views.store.pause_journey("course", &health, now()).await.unwrap());
    let body = json!({ "person": "user/1", "events": [{ "event": "Report Viewed", "at": "1d" }] });
    let answer = answer(&house, &body).await;
    let fates: Vec<Fate> = messages(&answer).iter().map(|message| message.fate).collect();
    assert_eq!(fates[..2], [Fate::Suppressed, Fate::Sent]);
    assert!(messages(&answer)[0].why.as_deref().unwrap().starts_with("the journey is paused"));
}

#[tokio::test]
async fn of_several_people_some_are_held_out_and_get_nothing() {
    let journeys = JOURNEYS.replacen("id = \"course\"", "id = \"course\"\nholdout = 50", 1);
    let files = [
        ("journeys.toml", journeys.as_str()),
        ("templates/letter.toml", LETTER),
        ("templates/note.toml", "subject = \"s\"\ntext = \"t\""),
        ("lifecycle.toml", "lead = [\"Signed Up\"]\n"),
    ];
    let config = perennial_testkit::ConfigBuilder::least().with(&files).load();
    let mut fates = Vec::new();
    for id in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let sample = SampleRequest { id: Some(id.to_owned()), ..SampleRequest::default() };
        let request = Request { sample: Some(sample), ..Request::default() };
        let answer = play_alone(&config, "course", &request, now()).await.unwrap();
        assert!(answer.entered, "who is held out enters, so that the others can be compared with them");
        fates.push(messages(&answer)[0].fate);
    }
    assert!(fates.contains(&Fate::HeldOut) && fates.contains(&Fate::Sent), "{fates:?}");
}

#[tokio::test]
async fn someone_is_made_up_who_gets_it() {
    let house = house().await;
    let sample = json!({ "sample": { "stage": "trial", "traits": { "first_name": "Kim" } } });
    let answer = answer(&house, &sample).await;
    assert!(answer.person.sample);
    assert_eq!(messages(&answer)[0].subject.as_deref(), Some("News for Kim"));
    let (status, body) = ask(&house, "trials", &json!({ "sample": { "stage": "lead" } })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&body["entered"], &body["why_not"]),
        (&json!(false), &json!("their stage is lead, and its stages are trial"))
    );
}

#[tokio::test]
async fn who_entered_before_is_kept_out_or_taken_anew() {
    let house = house().await;
    let mut stored = house.deps.views.store.resolve("user/1").await.unwrap().unwrap();
    let key = house.deps.views.config.current().await.journeys.all[0].key;
    let entered = perennial_engine::facts::Entered { times: 1, last: now().as_millisecond(), reached: None };
    stored.profile.part_mut(&ada()).facts.entered.insert(key, entered);
    house.deps.views.store.save(&mut stored).await.unwrap();
    let again = answer(&house, &json!({ "person": "user/1" })).await;
    assert_eq!(again.why_not.as_deref(), Some("they entered it on 2026-03-02, and its reentry is \"once\""));
    assert!(!again.entered);
    assert!(answer(&house, &json!({ "person": "user/1", "anew": true })).await.entered);
}

#[tokio::test]
async fn a_config_that_is_not_pushed_yet_can_be_tried() {
    let house = house().await;
    let mut bundle = perennial_testkit::ConfigBuilder::least()
        .with(&[("journeys.toml", JOURNEYS), ("templates/letter.toml", LETTER)])
        .bundle();
    let (status, body) = ask(&house, "course", &json!({ "person": "user/1", "config": bundle })).await;
    let message = body["error"]["message"].as_str().unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(message.contains("journeys.toml:") && message.contains("`note`"), "{message}");
    bundle.files.insert("templates/note.toml".into(), "subject = \"New\"\ntext = \"t\"".into());
    let body = json!({ "person": "user/1", "config": bundle, "events": [{ "event": "Report Viewed", "at": "1d" }] });
    let tried = answer(&house, &body).await;
    assert_eq!(tried.config, bundle.version());
    assert_eq!(messages(&tried)[1].subject.as_deref(), Some("New"));
    assert_eq!(messages(&tried)[2].fate, Fate::Sent, "this config has no caps");
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let house = house().await;
    let all = [
        ("curse", json!({}), StatusCode::NOT_FOUND, "there is no journey `curse`; there are course, trials"),
        ("course", json!({ "person": "nobody" }), StatusCode::NOT_FOUND, "leave it out to make someone up"),
        ("course", json!({ "days": 0 }), StatusCode::BAD_REQUEST, "from 1 to 366"),
        ("course", json!({ "dayz": 3 }), StatusCode::BAD_REQUEST, "unknown field `dayz`"),
        ("course", json!({ "sample": { "stage": "freemium" } }), StatusCode::BAD_REQUEST, "nobody can be made up"),
        (
            "course",
            json!({ "events": [{ "event": "$alias", "at": "1d" }] }),
            StatusCode::BAD_REQUEST,
            "`$alias` is not allowed",
        ),
    ];
    for (journey, body, status, message) in all {
        let (got, answer) = ask(&house, journey, &body).await;
        assert_eq!(got, status, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(message), "{answer}");
    }
}
