#![allow(clippy::unwrap_used)]
use super::*;
use crate::bundle::Bundle;
use crate::channels::{
    AccountRecords, ContactId, ContactRecords, CrmRecords, Endpoint, Kind, SecretPlace, TaskRecords,
};
use crate::error::{ConfigError, Reporter};
use crate::features::Features;
use crate::history::History;
use crate::lifecycle::{Lifecycle, Milestone};
use crate::vocabulary::{Level, PersonVocabulary};
use perennial_domain::Likelihood;
use std::collections::BTreeMap;

fn load(text: &str) -> (Accounts, Vec<ConfigError>) {
    let mut errors = Vec::new();
    let lifecycle = Lifecycle {
        milestones: [("Subscription Started".to_owned(), vec![Milestone::Customer])].into(),
        ..Lifecycle::default()
    };
    let personas = ["buyer".to_owned(), "end_user".to_owned()];
    let endpoint =
        |kind: Kind| Endpoint { kind, url: String::new(), secret: SecretPlace::Env("S".into()), allow_private: false };
    let records = |id: &str, contact: &str| CrmRecords {
        contact: ContactRecords {
            id: contact.to_owned(),
            holds: ContactId::Email,
            fields: [("firstname".to_owned(), "first_name".to_owned())].into(),
        },
        account: AccountRecords { id: id.to_owned(), fields: BTreeMap::new() },
        task: TaskRecords { id: id.to_owned(), values: BTreeMap::new(), owners: BTreeMap::new() },
    };
    let endpoints = [
        ("crm".to_owned(), endpoint(Kind::Standard)),
        ("chat".to_owned(), endpoint(Kind::Slack)),
        ("hubspot".to_owned(), endpoint(Kind::HubSpot(records("perennial_id", "email")))),
        ("salesforce".to_owned(), endpoint(Kind::Salesforce(records("Perennial_Id__c", "Perennial_Id__c")))),
    ]
    .into();
    let segments = ["long_tail".to_owned()];
    let features = Features::default();
    let vocabulary = PersonVocabulary {
        level: Level::Journey,
        features: &features,
        tallies: &[],
        titles: &[],
        personas: &personas,
        segments: &segments,
    };
    let report = &mut Reporter::new("accounts.toml", text, &mut errors);
    let accounts = Accounts::load(report, &endpoints, &vocabulary, &mut History::default());
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
        ("[crm]\nendpoint = \"hubspot\"\n[crm.fields]\nscore = \"Score\"\n", 4, "did you mean `score`?"),
        ("[crm]\nendpoint = \"crm\"\n[crm.people]\nfields = {}\n", 3, "crm.people.fields is empty"),
        ("[crm]\nendpoint = \"crm\"\n[crm.people.fields]\nchurm = \"c\"\n", 4, "did you mean `churn`?"),
        (
            "[crm]\nendpoint = \"crm\"\n[crm.people]\nendpoint = \"chat\"\nfields = { churn = \"c\" }\n",
            4,
            "crm.people.endpoint: `chat` is a chat",
        ),
        (
            "[crm]\nendpoint = \"crm\"\n[crm.people]\nendpoint = \"hubspt\"\nfields = { churn = \"c\" }\n",
            4,
            "did you mean `hubspot`?",
        ),
        (
            "[crm]\nendpoint = \"crm\"\n[crm.people]\nwhen = 'segment(\"long_tale\")'\nfields = { churn = \"c\" }\n",
            4,
            "did you mean `long_tail`?",
        ),
        (
            "[crm]\nendpoint = \"crm\"\n[crm.people]\nleast_change = 101\nfields = { churn = \"c\" }\n",
            4,
            "crm.people.least_change must be from 1 to 100 points",
        ),
        (
            "[crm]\nendpoint = \"hubspot\"\n[crm.people.fields]\nchurn = \"Churn Risk\"\n",
            4,
            "did you mean `churn_risk`?",
        ),
        ("[crm]\nendpoint = \"hubspot\"\n[crm.people.fields]\nchurn = \"email\"\n", 4, "the contact is found by"),
        (
            "[crm]\nendpoint = \"hubspot\"\n[crm.people.fields]\nchurn = \"firstname\"\n",
            4,
            "filled from the trait `first_name` already",
        ),
        (
            "[crm]\nendpoint = \"salesforce\"\n[crm.people.fields]\nchurn = \"churn_risk\"\n",
            4,
            "did you mean `churn_risk__c`?",
        ),
        ("[crm]\nendpoint = \"crm\"\n[crm.people.fields]\nchurn = \"c\"\nstage = \"c\"\n", 5, "into one field, `c`"),
    ];
    for (text, line, wanted) in cases {
        let (_, errors) = load(text);
        assert!(
            errors.iter().any(|error| error.line == line && error.message.contains(wanted)),
            "wanted line {line}: {wanted}\nfor\n{text}\nfound\n{errors:?}"
        );
    }
}

#[test]
fn people_are_written_to_the_crm_of_accounts_unless_they_have_their_own() {
    let (accounts, errors) = load("[crm]\nendpoint = \"crm\"\n[crm.people]\nfields = { churn = \"c\", nps = \"n\" }\n");
    assert_eq!(errors, []);
    assert_eq!(accounts.crm, None, "no value of accounts is named");
    let people = accounts.people.unwrap();
    assert_eq!((people.endpoint.as_str(), people.least_change, &people.when), ("crm", 10, &None));
    let fields = [(PersonField::Score(Likelihood::Churn), "c".to_owned()), (PersonField::Nps, "n".to_owned())];
    assert_eq!(people.fields, fields.into());
    assert!(!people.asks_account());

    let (accounts, errors) = load(
        "[crm]\nendpoint = \"crm\"\nfields = { score = \"s\" }\n[crm.people]\nendpoint = \"hubspot\"\nleast_change = 3\n\
         when = 'segment(\"long_tail\")'\nfields = { owner = \"perennial_owner\" }\n",
    );
    assert_eq!(errors, []);
    assert_eq!(accounts.crm.unwrap().endpoint, "crm");
    let people = accounts.people.unwrap();
    assert_eq!((people.endpoint.as_str(), people.least_change), ("hubspot", 3));
    assert!(people.when.is_some() && people.asks_account());
}
