#![allow(clippy::unwrap_used)]
use super::*;
use crate::bundle::Bundle;
use crate::channels::{Endpoint, Kind, SecretPlace};
use crate::error::{ConfigError, Reporter};
use crate::lifecycle::{Lifecycle, Milestone};

fn load(text: &str) -> (Accounts, Vec<ConfigError>) {
    let mut errors = Vec::new();
    let lifecycle = Lifecycle {
        milestones: [("Subscription Started".to_owned(), vec![Milestone::Customer])].into(),
        ..Lifecycle::default()
    };
    let personas = ["buyer".to_owned(), "end_user".to_owned()];
    let endpoint =
        |kind: Kind| Endpoint { kind, url: String::new(), secret: SecretPlace::Env("S".into()), allow_private: false };
    let endpoints = [("crm".to_owned(), endpoint(Kind::Standard)), ("chat".to_owned(), endpoint(Kind::Slack))].into();
    let accounts = Accounts::load(&mut Reporter::new("accounts.toml", text, &mut errors), &endpoints, &personas);
    let files = [("accounts.toml", text), ("lifecycle.toml", "[milestones]\ncustomer = [\"Subscription Started\"]\n")];
    let bundle = Bundle { files: files.map(|(name, text)| (name.to_owned(), text.to_owned())).into() };
    errors.extend(unknown_stage_events(&bundle, &accounts, &lifecycle));
    (accounts, errors)
}

#[test]
fn an_empty_file_is_the_default() {
    let (accounts, errors) = load("");
    assert!(errors.is_empty());
    assert_eq!(accounts, Accounts::default());
}

#[test]
fn touch_levels_are_in_minor_units_a_year() {
    let value = "[value]\ntrait = \"mrr\"\ncurrency = \"CUR\"\nper = \"month\"\n[touch]\nhigh = 50_000\nlow = 5_000\n";
    for (currency, unit) in [("EUR", 100), ("jpy", 1), ("KWD", 1000)] {
        let (accounts, errors) = load(&value.replace("CUR", currency));
        assert_eq!(errors, []);
        assert_eq!(
            accounts.touch,
            TouchLevels { high: Some(50_000 * unit), low: Some(5_000 * unit), existing_until: None }
        );
        assert_eq!(accounts.value.unwrap().times_a_year, 12);
    }
}

#[test]
fn people_belong_to_several_accounts_unless_the_config_says_otherwise() {
    let (accounts, errors) = load("[membership]\nsingle = true\nidle_days = 0\nleft_event = \"Removed\"\n");
    assert_eq!(errors, []);
    assert_eq!(accounts.membership, Membership { single: true, idle_days: None, left_event: "Removed".to_owned() });
    let default = Membership { single: false, idle_days: Some(90), left_event: "Left Account".to_owned() };
    assert_eq!((load("[membership]\n").0.membership, Membership::default()), (default.clone(), default));
}

#[test]
fn of_several_personas_the_greatest_weight_counts_and_none_weighs_one() {
    let (accounts, errors) = load("[score.weights]\nbuyer = 1.5\nend_user = 0.25\n");
    assert_eq!(errors, []);
    let of = |personas: &[&str]| {
        let personas: Vec<String> = personas.iter().map(|persona| (*persona).to_owned()).collect();
        accounts.score.weights.of(&personas)
    };
    assert_eq!((of(&["buyer", "end_user"]), of(&["end_user"]), of(&["it"]), of(&[])), (1500, 250, 1000, 1000));
}

#[test]
fn what_is_wrong_is_told_at_its_line_with_what_is_allowed() {
    let cases = [
        ("[touch]\nhigh = 5\n", 2, "touch.high needs [value]"),
        ("[value]\ntrait = \"mrr\"\ncurrency = \"EURO\"\nper = \"month\"\n", 3, "three letters of ISO 4217"),
        (
            "[value]\ntrait = \"mrr\"\ncurrency = \"EUR\"\nper = \"week\"\n",
            4,
            "`week` is not allowed for `per`. Allowed: month, year",
        ),
        (
            "[value]\ntrait = \"mrr\"\ncurrency = \"EUR\"\nper = \"year\"\n[touch]\nhigh = 5\nlow = 5\n",
            6,
            "touch.high must be more than touch.low, which is 5",
        ),
        (
            "[value]\ntrait = \"mrr\"\ncurrency = \"EUR\"\nper = \"year\"\n[touch]\nlow = 0\n",
            6,
            "touch.low must be an amount above 0",
        ),
        ("[stage]\nevents = [\"Subscription Startd\"]\n", 2, "did you mean `Subscription Started`?"),
        ("[membership]\nidle_days = 4000\n", 2, "must be from 0 (never) to 3650"),
        ("[membership]\nleft_event = \"\"\n", 2, "an event's name is empty"),
        ("[score]\nready = 101\n", 2, "score.ready must be from 1 to 100"),
        ("[score]\nbuyers = [\"byer\"]\n", 2, "did you mean `buyer`?"),
        ("[score.weights]\nbuyer = 101\n", 2, "from 0 to 100"),
        ("[score]\nredy = 1\n", 2, "did you mean `ready`?"),
        ("[health]\nengagement = 0.6\n", 2, "must add up to 1"),
        ("[health]\nchurn = 2\n", 2, "health.churn must be from 0 to 1"),
        ("[health.weights]\nend_usr = 2\n", 2, "did you mean `end_user`?"),
        ("[domains]\nfree_mail = [\"a@b.example\"]\n", 2, "is no domain"),
        ("[crm]\nendpoint = \"crn\"\n[crm.fields]\nscore = \"s\"\n", 2, "did you mean `crm`?"),
        ("[crm]\nendpoint = \"chat\"\n[crm.fields]\nscore = \"s\"\n", 2, "`chat` is a chat, which keeps no records"),
        ("[crm]\nendpoint = \"crm\"\nleast_change = 0\n[crm.fields]\nscore = \"s\"\n", 3, "from 1 to 100 points"),
        ("[crm]\nendpoint = \"crm\"\n[crm.fields]\n", 1, "crm.fields is empty"),
        ("[crm]\nendpoint = \"crm\"\n[crm.fields]\nscor = \"s\"\n", 4, "did you mean `score`?"),
        ("[crm]\nendpoint = \"crm\"\n[crm.fields]\nscore = \"s\"\nhealth = \"s\"\n", 5, "into one field, `s`"),
    ];
    for (text, line, wanted) in cases {
        let (_, errors) = load(text);
        assert!(
            errors.iter().any(|error| error.line == line && error.message.contains(wanted)),
            "wanted line {line}: {wanted}\nfor\n{text}\nfound\n{errors:?}"
        );
    }
}
