#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use jiff::Timestamp;
use perennial_config::channels::InvitationTemplate;
use perennial_domain::{AccountId, Cause, Channel, ConfigVersion, Decision, DecisionId, MessageId, PersonId, Stage};
use perennial_engine::register::Register;
use perennial_engine::{Profile, State};
use proptest::prelude::*;
use serde_json::{Value, json};

fn decision() -> Decision {
    let person = PersonId::derive(&[b"ada"]);
    Decision {
        id: DecisionId::of(person, "welcome", 0, b"cause"),
        person,
        journey: "welcome".into(),
        step: 0,
        channel: Channel::Mail,
        template: "welcome".into(),
        endpoint: None,
        cause: Cause::Event { name: "Trial Started".into(), message_id: MessageId::parse("m-1").unwrap() },
        properties: perennial_domain::Properties::new(),
        decided_at: Timestamp::UNIX_EPOCH,
        config: ConfigVersion::parse("v1").unwrap(),
        variant: None,
        withheld: None,
    }
}

fn context(traits: &Value) -> Context {
    let mut state = State::default();
    for (name, value) in traits.as_object().unwrap() {
        state.traits.insert(name.clone(), Register { at: 0, value: value.to_string() });
    }
    state.account = Some(Register { at: 0, value: "acme".into() });
    Context::new(&decision(), &state, Stage::Trial)
}

fn renderer(subject: &str, text: &str, html: Option<&str>, link: Option<&str>) -> Renderer {
    let template = Template {
        subject: subject.into(),
        text: text.into(),
        html: html.map(str::to_owned),
        link: link.map(str::to_owned),
        ..Template::default()
    };
    Renderer::new(&[("welcome".to_owned(), template)].into())
}

#[test]
fn a_template_names_the_person_the_account_and_the_cause() {
    let text = "{{ person.name }} of {{ account.id }} in {{ account.city }}, {{ stage }}, {{ cause.event.name }}, {{ journey }} {{ step }}, {{ unsubscribe_url }}";
    let context = context(&json!({ "name": "Ada" })).with_unsubscribe_url("https://p.example/u/t");
    let context = context.with_account(
        &AccountId::parse("acme").unwrap(),
        json!({ "city": "London", "id": "other" }).as_object().unwrap().clone(),
    );
    let rendered = renderer("s", text, None, None).render("welcome", &context).unwrap();
    assert_eq!(rendered.text, "Ada of acme in London, trial, Trial Started, welcome 0, https://p.example/u/t");
}

#[test]
fn what_is_missing_renders_as_nothing() {
    let rendered = renderer(
        "Hi {{ person.name }}!",
        "{{ person.company.city.name }}[{% if person.plan %}plan{% endif %}]",
        Some("<p>{{ nothing.at.all }}</p>"),
        Some("{{ person.url }}"),
    );
    let rendered = rendered.render("welcome", &context(&json!({}))).unwrap();
    assert_eq!(
        (rendered.subject.as_str(), rendered.text.as_str(), rendered.html.as_deref(), rendered.link),
        ("Hi !", "[]", Some("<p></p>"), None)
    );
}

#[test]
fn a_value_is_never_a_template() {
    let hostile = "{{ 7 * 7 }}{% for x in range(9) %}x{% endfor %}{# c #}{{ person }}";
    let rendered = renderer("{{ person.name }}", "{{ person.name }}", Some("<p>{{ person.name }}</p>"), None)
        .render("welcome", &context(&json!({ "name": hostile })))
        .unwrap();
    assert_eq!(rendered.subject, hostile);
    assert_eq!(rendered.text, hostile);
    assert!(!rendered.html.unwrap().contains("49"));
}

#[test]
fn a_value_is_escaped_in_html_and_only_there() {
    let hostile = "<script>alert(\"1\")</script>&'";
    let rendered = renderer(
        "{{ person.name }}",
        "{{ person.name }}",
        Some("<a title=\"{{ person.name }}\">{{ person.name }}</a>"),
        None,
    );
    let rendered = rendered.render("welcome", &context(&json!({ "name": hostile }))).unwrap();
    assert_eq!(rendered.text, hostile);
    let html = rendered.html.unwrap();
    assert!(!html.contains("<script") && !html.contains("\"1\"") && html.contains("&lt;script&gt;"), "{html}");
}

#[test]
fn a_subject_is_one_bounded_line() {
    let rendered = renderer("Hi {{ person.name }}", "t", None, None);
    let hostile = format!("x\r\nBcc: eve@example.com\r\n\r\nbody{}", "y".repeat(500));
    let subject = rendered.render("welcome", &context(&json!({ "name": hostile }))).unwrap().subject;
    assert!(subject.starts_with("Hi x Bcc: eve@example.com body"));
    assert!(subject.len() <= MAX_SUBJECT && !subject.contains(['\r', '\n']));
}

#[test]
fn a_link_opens_a_page_or_is_none() {
    let render = |url: &str| {
        renderer("s", "t", None, Some("{{ person.url }}"))
            .render("welcome", &context(&json!({ "url": url })))
            .unwrap()
            .link
    };
    for kept in ["https://app.example/x?y=1", "http://localhost:8080/x", "/upgrade?plan=pro"] {
        assert_eq!(render(kept).as_deref(), Some(kept));
    }
    for refused in [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil.example",
        "https://",
        "x",
        "",
        "https://a b",
        "mailto:a@b.example",
    ] {
        assert_eq!(render(refused), None, "{refused}");
    }
}

#[test]
fn a_broken_template_fails_alone_and_says_where() {
    let good = Template { subject: "s".into(), text: "t".into(), ..Template::default() };
    let bad = Template { subject: "s".into(), text: "line\n{% if person.name %}".into(), ..Template::default() };
    let renderer = Renderer::new(&[("good".to_owned(), good), ("bad".to_owned(), bad)].into());
    assert_eq!(renderer.problems().len(), 1);
    assert!(
        renderer.problems()[0].to_string().starts_with("templates/bad.toml: text: line 2: "),
        "{}",
        renderer.problems()[0]
    );
    assert!(renderer.render("good", &context(&json!({}))).is_ok());
    assert!(matches!(renderer.render("bad", &context(&json!({}))), Err(RenderError::Broken(_))));
    assert_eq!(renderer.render("none", &context(&json!({}))), Err(RenderError::NoTemplate("none".into())));
}

#[test]
fn a_template_cannot_run_or_grow_without_end() {
    let endless =
        renderer("s", "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", None, None);
    assert!(matches!(endless.render("welcome", &context(&json!({}))), Err(RenderError::Failed { part: "text", .. })));
    let wide = renderer("s", "{% for a in range(2000) %}{{ person.name }}{% endfor %}", None, None);
    let error = wide.render("welcome", &context(&json!({ "name": "x".repeat(200) }))).unwrap_err();
    assert_eq!(error, RenderError::TooLong { template: "welcome".into(), part: "text" });
    let failing = renderer("s", "{{ person.name / 2 }}", None, None);
    let error = failing.render("welcome", &context(&json!({ "name": "secret" }))).unwrap_err();
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn the_account_is_asked_for_only_where_a_template_names_it() {
    let asks = |text: &str| renderer("s", text, None, None).asks_for_account("welcome");
    assert!(asks("{{ account.name }}"));
    assert!(!asks("{{ account.id }} {{ person.account.name }}"));
    assert!(!renderer("s", "t", None, None).asks_for_account("none"));
}

proptest! {
    #[test]
    fn no_trait_makes_rendering_fail_or_leaves_html_unescaped(name in "\\PC{0,40}|[{}%#<>&\"'\\r\\n\\x00-\\x1f]{0,40}") {
        let renderer = renderer("{{ person.name }}", "{{ person.name }}", Some("<p>{{ person.name }}</p>"), Some("{{ person.name }}"));
        let rendered = renderer.render("welcome", &context(&json!({ "name": name }))).unwrap();
        prop_assert!(!rendered.subject.chars().any(char::is_control));
        let html = rendered.html.unwrap();
        let inner = &html[3..html.len() - 4];
        prop_assert!(!inner.contains(['<', '>', '"']));
    }
}

fn of(template: Template) -> Renderer {
    Renderer::new(&[("t".to_owned(), template)].into())
}

fn mjml(body: &str) -> Template {
    let mjml =
        format!("<mjml>\n<mj-body>\n<mj-section><mj-column>\n{body}\n</mj-column></mj-section>\n</mj-body>\n</mjml>\n");
    Template { subject: "s".into(), text: "t".into(), mjml: Some(mjml), ..Template::default() }
}

#[test]
fn values_in_mjml_are_escaped_and_never_markup() {
    let renderer = of(mjml(
        "<mj-text>Hi {{ person.name }}{% if person.vip %} <b>!</b>{% endif %}</mj-text><mj-button href=\"{{ person.page }}\">Go</mj-button>",
    ));
    assert_eq!(renderer.problems(), []);
    let person =
        json!({ "name": "<mj-raw>{{ 7 * 7 }}</mj-raw>", "vip": true, "page": "https://x.example/\" onclick=\"x" });
    let html = renderer.render("t", &context(&person)).unwrap().html.unwrap();
    assert!(html.contains("Hi &lt;mj-raw&gt;{{ 7 * 7 }}&lt;") && html.contains("<b>!</b>"), "{html}");
    assert!(!html.contains("<mj-") && !html.contains("onclick=\"x"), "{html}");
}

#[test]
fn what_is_wrong_in_mjml_is_told_with_the_line_that_was_written() {
    for (body, problem) in [("<mj-txt>x</mj-txt>", "no such element"), ("<mj-text>{{ person.name</mj-text>", "syntax")]
    {
        let renderer = of(mjml(body));
        let [found] = renderer.problems() else { panic!("{body}: {:?}", renderer.problems()) };
        assert!(found.part == "mjml" && found.line == 4 && found.problem.contains(problem), "{found:?}");
        assert_eq!(renderer.render("t", &context(&json!({}))), Err(RenderError::Broken(found.clone())));
    }
}

fn invitation(start: &str, end: &str) -> Result<Rendered, RenderError> {
    let invitation = InvitationTemplate {
        start: start.into(),
        end: end.into(),
        title: "Webinar with {{ person.name }}".into(),
        location: Some("{{ account.place }}".into()),
    };
    let template =
        Template { subject: "s".into(), text: "t".into(), invitation: Some(invitation), ..Template::default() };
    let renderer = of(template);
    assert!(renderer.asks_for_account("t"));
    renderer.render("t", &context(&json!({ "name": "Ada\r\nBcc: x", "begins": "2026-03-10T10:00:00+01:00" })))
}

#[test]
fn an_invitation_knows_its_moments_and_is_one_line_each() {
    let found = invitation("{{ person.begins }}", "2026-03-10T11:30[Europe/Berlin]").unwrap().invitation.unwrap();
    assert_eq!(
        (found.start.to_string(), found.end.to_string()),
        ("2026-03-10T09:00:00Z".into(), "2026-03-10T10:30:00Z".into())
    );
    assert_eq!((found.title.as_str(), found.location.as_str()), ("Webinar with Ada Bcc: x", ""));
}

#[test]
fn an_invitation_to_no_time_is_not_sent() {
    for (start, end, part) in [
        ("{{ person.unknown }}", "2026-03-10T11:30:00Z", "start"),
        ("2026-03-10T11:30:00Z", "2026-03-10T12:30", "end"),
        ("2026-03-10T11:30:00Z", "2026-03-10T11:30:00Z", "end"),
    ] {
        let error = invitation(start, end).unwrap_err();
        assert!(matches!(&error, RenderError::Failed { part: found, .. } if *found == part), "{error}");
    }
}

#[test]
fn a_trait_is_found_under_every_spelling_and_not_defined_once_it_was_removed() {
    let greet = |traits: Value| {
        let renderer =
            renderer("Hi {{ person.first_name | default('there') }}", "Your plan: {{ person.plan }}.", None, None);
        let rendered = renderer.render("welcome", &context(&traits)).unwrap();
        (rendered.subject, rendered.text)
    };
    for traits in [
        json!({ "first_name": "Ada" }),
        json!({ "firstName": "Ada" }),
        json!({ "FirstName": "Ada" }),
        json!({ "given_name": "Ada" }),
        json!({ "FNAME": "Ada" }),
        json!({ "name": "Ada Byron" }),
        json!({ "fullName": "Byron, Ada" }),
    ] {
        assert_eq!(greet(traits.clone()).0, "Hi Ada", "{traits}");
    }
    let removed = greet(json!({ "first_name": null, "plan": null }));
    assert_eq!(removed, ("Hi there".to_owned(), "Your plan: .".to_owned()));
}

#[test]
fn a_company_is_spoken_of_by_its_name_in_every_part() {
    let company = json!({ "company": { "name": "A & B", "id": 5 }, "address": { "city": "Rome" }, "tags": ["x"] });
    let text = "{{ person.company }}{{ person.address }}{{ person.tags }}";
    let rendered = renderer(text, text, Some(text), None).render("welcome", &context(&company)).unwrap();
    assert_eq!(
        (rendered.subject.as_str(), rendered.text.as_str(), rendered.html.as_deref()),
        ("A & B", "A & B", Some("A &amp; B"))
    );
    let task =
        renderer("{{ person.companyName | upper }}", "t", None, None).render("welcome", &context(&company)).unwrap();
    assert_eq!(task.subject, "A & B");
}

#[test]
fn a_template_names_the_profile_and_the_event() {
    use perennial_domain::{Identity, UserId};
    let decision = Decision {
        properties: json!({ "webinar": "getting-started", "seats": 3.0 }).as_object().unwrap().clone(),
        ..decision()
    };
    let profile = Profile::new(Identity::User(UserId::parse("u-1").unwrap()));
    let context = Context::new(&decision, &State::default(), Stage::Trial).with_profile(&decision, &profile);
    let text = "{{ profile.user_id }} {{ event.name }} {{ event.properties.webinar }} {{ event.properties.seats }} {{ event.properties.none }}";
    let rendered = renderer("s", text, None, None).render("welcome", &context).unwrap();
    assert_eq!(rendered.text, "u-1 Trial Started getting-started 3 ");
    let quiet = Decision { cause: Cause::Quiet { since: Timestamp::UNIX_EPOCH, days: 14 }, ..decision };
    let context = Context::new(&quiet, &State::default(), Stage::Trial);
    assert_eq!(renderer("s", text, None, None).render("welcome", &context).unwrap().text, "    ");
}
