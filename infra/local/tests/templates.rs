//! The templates of the default config, as they are rendered.
#![allow(clippy::unwrap_used, clippy::panic)]

use perennial_channels::render::{Context, Renderer};
use perennial_config::Config;
use perennial_domain::{Cause, Channel, ConfigVersion, Decision, DecisionId, MessageId, PersonId, Stage};
use perennial_engine::State;
use perennial_engine::register::Register;

fn context(template: &str, name: &str) -> Context {
    let person = PersonId::derive(&[b"ada"]);
    let decision = Decision {
        id: DecisionId::of(person, "welcome", 0, b"cause"),
        person,
        journey: "welcome".into(),
        step: 0,
        channel: Channel::Mail,
        template: template.into(),
        endpoint: None,
        cause: Cause::Event { name: "Trial Started".into(), message_id: MessageId::parse("m-1").unwrap() },
        properties: perennial_domain::Properties::new(),
        decided_at: "2026-03-02T08:15:30Z".parse().unwrap(),
        config: ConfigVersion::parse("v1").unwrap(),
        variant: None,
        withheld: None,
    };
    let mut state = State::default();
    let value = serde_json::Value::from(name).to_string();
    state.traits.insert("first_name".into(), Register { at: 0, value });
    Context::new(&decision, &state, Stage::Trial).with_unsubscribe_url("https://perennial.example/u/token")
}

#[test]
fn every_template_compiles_and_says_something() {
    let config = Config::load(&perennial_local::bundle::embedded()).unwrap();
    let renderer = Renderer::new(&config.templates);
    assert_eq!(renderer.problems(), []);
    for name in config.templates.keys() {
        let rendered = renderer.render(name, &context(name, "<Ada>")).unwrap();
        assert!(!rendered.subject.is_empty() && !rendered.text.trim().is_empty(), "{name}");
        assert!(rendered.html.is_none_or(|html| !html.contains("<Ada>") && !html.contains("{{")), "{name}");
    }
}

#[test]
fn the_welcome_mail() {
    let config = Config::load(&perennial_local::bundle::embedded()).unwrap();
    let rendered = Renderer::new(&config.templates).render("welcome", &context("welcome", "Ada")).unwrap();
    insta::assert_snapshot!(rendered.html.unwrap());
}
