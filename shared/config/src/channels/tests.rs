#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::deployment::Deployment;
use crate::error::{ConfigError, Reporter};

const HEAD: &str = "max_event_age_hours = 48\n[mail]\nfrom = \"a@b.example\"\nconfiguration_set = \"c\"\n";

fn load(endpoints: &str) -> (Channels, Vec<ConfigError>) {
    let mut errors = Vec::new();
    let text = format!("{HEAD}{endpoints}");
    let channels = Channels::load(&mut Reporter::new("channels.toml", &text, &mut errors), &Deployment::default());
    (channels, errors)
}

fn endpoint(text: &str) -> Endpoint {
    let (channels, errors) = load(text);
    assert_eq!(errors, []);
    channels.webhook.into_values().next().unwrap()
}

#[test]
fn an_endpoint_that_says_nothing_of_its_kind_is_a_signed_webhook() {
    let found = endpoint("[webhook.x]\nurl = \"https://x.example/a\"\nsecret_env = \"X\"\n");
    let expected = Endpoint {
        kind: Kind::Standard,
        url: "https://x.example/a".into(),
        secret: SecretPlace::Env("X".into()),
        allow_private: false,
    };
    assert_eq!(found, expected);
}

#[test]
fn a_secret_can_be_where_aws_keeps_secrets() {
    for name in ["perennial/hubspot", "/perennial/slack", "arn:aws:secretsmanager:eu-central-1:1:secret:a-b"] {
        let found = endpoint(&format!("[webhook.x]\nkind = \"hubspot\"\nsecret = \"{name}\"\n"));
        assert_eq!(found.secret, SecretPlace::Store(name.into()));
    }
}

#[test]
fn a_slack_webhook_has_no_address_in_the_file() {
    let found = endpoint("[webhook.x]\nkind = \"slack\"\nsecret_env = \"SLACK_WEBHOOK_URL\"\n");
    assert_eq!((found.kind, found.url.as_str()), (Kind::Slack, ""));
}

#[test]
fn a_crm_has_defaults_for_everything_but_its_secret() {
    let found = endpoint("[webhook.x]\nkind = \"hubspot\"\nsecret_env = \"TOKEN\"\n");
    assert_eq!(found.url, "https://api.hubapi.com");
    let Kind::HubSpot(records) = found.kind else { panic!("{:?}", found.kind) };
    assert_eq!((records.contact.id.as_str(), records.contact.holds), ("email", ContactId::Email));
    assert_eq!((records.account.id.as_str(), records.task.id.as_str()), ("perennial_id", "perennial_id"));

    let found =
        endpoint("[webhook.x]\nkind = \"salesforce\"\nurl = \"https://acme.my.salesforce.com/\"\nsecret_env = \"S\"\n");
    assert_eq!(found.url, "https://acme.my.salesforce.com");
    let Kind::Salesforce(records) = found.kind else { panic!("{:?}", found.kind) };
    assert_eq!((records.contact.id.as_str(), records.contact.holds), ("Perennial_Id__c", ContactId::PersonId));
}

#[test]
fn fields_of_a_crm_are_named_as_the_crm_names_them() {
    let found = endpoint(
        "[webhook.x]\nkind = \"hubspot\"\nsecret_env = \"T\"\n[webhook.x.contact]\nid = \"external_id\"\nholds = \"user_id\"\nfields = { firstname = \"first_name\" }\n[webhook.x.account]\nfields = { domain = \"website\" }\n[webhook.x.task]\nvalues = { hs_task_priority = \"HIGH\" }\n",
    );
    let Kind::HubSpot(records) = found.kind else { panic!("{:?}", found.kind) };
    assert_eq!((records.contact.id.as_str(), records.contact.holds), ("external_id", ContactId::UserId));
    assert_eq!(records.contact.fields["firstname"], "first_name");
    assert_eq!(records.account.fields["domain"], "website");
    assert_eq!(records.task.values["hs_task_priority"], "HIGH");
}

#[test]
fn what_is_wrong_is_told_at_its_line_with_what_is_allowed() {
    let hubspot = "[webhook.x]\nkind = \"hubspot\"\nsecret_env = \"T\"\n";
    let salesforce = "[webhook.x]\nkind = \"salesforce\"\nurl = \"https://a.example\"\nsecret_env = \"T\"\n";
    let cases = [
        ("[webhook.x]\nkind = \"hubspott\"\nsecret_env = \"X\"\n".to_owned(), 2, "did you mean `hubspot`?"),
        ("[webhook.x]\nsecret_env = \"X\"\n".to_owned(), 1, "webhook.x needs `url`: where to post"),
        ("[webhook.x]\nkind = \"salesforce\"\nsecret_env = \"X\"\n".to_owned(), 1, "NAME.my.salesforce.com"),
        (
            "[webhook.x]\nkind = \"slack\"\nurl = \"https://hooks.slack.com/services/T/B/x\"\nsecret_env = \"X\"\n"
                .to_owned(),
            3,
            "an incoming webhook's address is its secret",
        ),
        (
            "[webhook.x]\nkind = \"slack\"\nsecret_env = \"https://hooks.slack.com/services/T/B/x\"\n".to_owned(),
            3,
            "the secret itself never stands in a file",
        ),
        ("[webhook.x]\nurl = \"https://a.example\"\n".to_owned(), 1, "needs `secret_env`"),
        (
            "[webhook.x]\nurl = \"https://a.example\"\nsecret_env = \"X\"\nsecret = \"x\"\n".to_owned(),
            4,
            "secret_env or secret, not both",
        ),
        ("[webhook.x]\nurl = \"https://a.example\"\nsecret = \"whsec_x\"\n".to_owned(), 3, "never stands in a file"),
        ("[webhook.x]\nurl = \"https://a.example\"\nsecret = \"a b\"\n".to_owned(), 3, "such as perennial/hubspot"),
        (
            "[webhook.x]\nurl = \"https://a.example\"\nsecret_env = \"X\"\n[webhook.x.task]\nid = \"a\"\n".to_owned(),
            4,
            "only kind = \"hubspot\"",
        ),
        (format!("{hubspot}url = \"https://a.example/?x=1\"\n"), 4, "without ? and #"),
        (format!("{hubspot}[webhook.x.contact]\nid = \"First Name\"\n"), 5, "`First Name` is no field of the CRM"),
        (format!("{hubspot}[webhook.x.contact]\nholds = \"phone\"\n"), 5, "Allowed: email, user_id, person_id"),
        (format!("{hubspot}[webhook.x.contact]\nfields = {{ email = \"email\" }}\n"), 5, "filled by itself"),
        (format!("{salesforce}[webhook.x.task]\nvalues = {{ \"a/b\" = \"c\" }}\n"), 6, "`a/b` is no field of the CRM"),
    ];
    for (text, line, wanted) in cases {
        let (_, errors) = load(&text);
        let line = HEAD.lines().count() + line;
        assert!(
            errors.iter().any(|error| error.line == line && error.column > 0 && error.message.contains(wanted)),
            "wanted {line}: {wanted}\nfor\n{text}\nfound\n{errors:?}"
        );
    }
}

#[test]
fn limits_of_mail_are_refused_where_they_stand() {
    let wrong = [
        ("resend_unknown_after_minutes = 1441\n", 5, "must be 0, for never, or from 5 to 1440"),
        ("resend_unknown_after_minutes = 25\n", 5, "must be above 25, the minutes in which a failing report"),
        ("[pause]\ncomplaint_percent = 0\n", 6, "pause.complaint_percent must be from 0.001 to 100"),
        ("[pause]\nbounce_percent = 101.0\n", 6, "pause.bounce_percent must be from 0.001 to 100"),
        ("[pause]\nleast_messages = 0\n", 6, "pause.least_messages must be at least 1"),
        ("[pause]\nwindow_days = 91\n", 6, "pause.window_days must be from 1 to 90"),
    ];
    for (text, line, message) in wrong {
        let (_, errors) = load(text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].line == line && errors[0].message.contains(message), "{errors:?}");
    }
}

#[test]
fn limits_of_mail_have_defaults() {
    let (channels, errors) = load("resend_unknown_after_minutes = 26\n");
    assert_eq!((errors, channels.mail.report_wait()), (vec![], Some(SignedDuration::from_mins(26))));
    let (channels, errors) = load("");
    assert_eq!((errors, channels.pause), (vec![], Pause::default()));
    assert_eq!(channels.mail.report_wait(), Some(SignedDuration::from_mins(60)));
    let (channels, errors) = load("resend_unknown_after_minutes = 0\n[pause]\nbounce_percent = 3\nwindow_days = 1\n");
    assert_eq!((errors, channels.mail.report_wait()), (vec![], None));
    assert_eq!((channels.pause.bounces, channels.pause.window_days), (crate::pause::Share::percent(3.0), 1));
}
