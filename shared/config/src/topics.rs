//! `[[topic]]` of `channels.toml`: what mails are about, for their readers to choose from.

use crate::error::{Reporter, Used};
use crate::spanned::Spanned;
use crate::spelling::unknown;
use serde::{Deserialize, Serialize};

/// A topic of mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its name in the configuration and in stored preferences.
    pub id: String,
    /// Its name for readers.
    pub title: String,
    /// A line about what readers receive; may be empty.
    pub description: String,
    /// `true` if readers without a choice are subscribed.
    pub default: bool,
    /// `true` if readers cannot unsubscribe from it, such as mails about a failed payment.
    pub essential: bool,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTopic {
    /// A name of your own, which templates refer to: letters, digits, `_` and `-`, up to 64; unique. Renaming it makes
    /// it a new topic, for which nobody has chosen anything.
    id: Spanned<String>,
    /// Its name for readers, such as "Product news".
    title: Spanned<String>,
    /// A line below the title about what readers receive.
    #[serde(default)]
    description: String,
    /// `true` if readers without a choice are subscribed; default: true.
    default: Option<Spanned<bool>>,
    /// `true` if it cannot be unsubscribed from, and is sent to people who stopped all mails too: only for mails that
    /// law or contract requires, such as a failed payment, a receipt or a security notice. An address that bounced or
    /// complained does not receive it either.
    #[serde(default)]
    essential: bool,
}

/// Checks the topics.
pub(crate) fn load(report: &mut Reporter<'_>, raw: Vec<Spanned<RawTopic>>) -> Vec<Topic> {
    let mut ids = Used::default();
    let mut topics = Vec::new();
    for topic in raw.into_iter().map(Spanned::into_inner) {
        report.unique(&mut ids, "a topic", "id", &topic.id);
        if topic.title.get_ref().trim().is_empty() {
            report.at(topic.title.span(), "title is empty: readers choose by it");
        }
        if let Some(default) = topic.default.as_ref().filter(|default| topic.essential && !default.get_ref()) {
            report.at(default.span(), "an essential topic cannot be off by default: it goes to everyone");
        }
        topics.push(Topic {
            id: topic.id.into_inner(),
            title: topic.title.into_inner(),
            description: topic.description,
            default: topic.default.is_none_or(Spanned::into_inner),
            essential: topic.essential,
        });
    }
    topics
}

/// The fields of a template that are checked here.
#[derive(Deserialize)]
struct TopicOf {
    topic: Option<Spanned<String>>,
}

/// Checks that a template's topic exists.
pub(crate) fn check_template(report: &mut Reporter<'_>, topics: &[Topic]) {
    let Some(TopicOf { topic: Some(named) }) = report.parse() else { return };
    if topics.iter().all(|topic| topic.id != *named.get_ref()) {
        let message = unknown("topic", named.get_ref(), topics.iter().map(|topic| topic.id.as_str()));
        report.at(named.span(), message);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::channels::Channels;
    use crate::error::{ConfigError, Reporter};

    const HEAD: &str = "max_event_age_hours = 48\n[mail]\nfrom = \"a@b.example\"\nconfiguration_set = \"c\"\n";

    fn load(rest: &str) -> (Channels, Vec<ConfigError>) {
        let (mut errors, text) = (Vec::new(), format!("{HEAD}{rest}"));
        let channels = Channels::load(
            &mut Reporter::new("channels.toml", &text, &mut errors),
            &crate::deployment::Deployment::default(),
        );
        (channels, errors)
    }

    #[test]
    fn topics_keep_their_order_and_are_on_unless_they_say_otherwise() {
        let text = "[[topic]]\nid = \"tips\"\ntitle = \"Tips\"\n[[topic]]\nid = \"news\"\ntitle = \"News\"\ndefault = false\n\
            [[topic]]\nid = \"billing\"\ntitle = \"Billing\"\nessential = true\n";
        let (channels, errors) = load(text);
        assert_eq!(errors, []);
        let found: Vec<_> = channels.topics.iter().map(|it| (it.id.as_str(), it.default, it.essential)).collect();
        assert_eq!(found, [("tips", true, false), ("news", false, false), ("billing", true, true)]);
        assert_eq!(channels.topic("news").unwrap().title, "News");
        assert_eq!(channels.topic("others"), None);
    }

    #[test]
    fn topics_that_readers_could_not_choose_are_refused_where_they_stand() {
        let wrong = [
            ("[[topic]]\nid = \"a b\"\ntitle = \"A\"\n", 6, "may contain only letters"),
            ("[[topic]]\nid = \"a\"\ntitle = \" \"\n", 7, "title is empty"),
            (
                "[[topic]]\nid = \"a\"\ntitle = \"A\"\n[[topic]]\nid = \"a\"\ntitle = \"B\"\n",
                9,
                "duplicate id `a`, first used at line 6",
            ),
            ("[[topic]]\nid = \"a\"\ntitle = \"A\"\nessential = true\ndefault = false\n", 9, "cannot be off"),
            ("[mail.soft_bounces]\ncount = 0\n", 6, "must be from 1 to 20"),
            ("[mail.soft_bounces]\nrest_days = 366\n", 6, "must be from 1 to 365"),
        ];
        for (text, line, message) in wrong {
            let (_, errors) = load(text);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].line == line && errors[0].message.contains(message), "{errors:?}");
        }
    }

    #[test]
    fn a_template_may_name_only_a_topic_that_is_there() {
        let (channels, _) = load("[[topic]]\nid = \"news\"\ntitle = \"News\"\n");
        let check = |text: &str| {
            let mut errors = Vec::new();
            super::check_template(&mut Reporter::new("templates/a.toml", text, &mut errors), &channels.topics);
            errors
        };
        assert_eq!(check("subject = \"A\"\ntext = \"B\"\n"), []);
        assert_eq!(check("subject = \"A\"\ntopic = \"news\"\n"), []);
        let errors = check("subject = \"A\"\ntopic = \"gossip\"\n");
        assert!(errors.len() == 1 && errors[0].line == 2 && errors[0].message.contains("news"), "{errors:?}");
    }
}
