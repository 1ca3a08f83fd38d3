//! The brief of a task, besides its template: owner, due date, scores, the answer that caused it, what was sent so far, and whether the
//! person may be called.

use crate::render::Rendered;
use crate::text;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_domain::Scores;
use perennial_domain::traits::readable;
use serde_json::{Value, json};
use std::fmt;
use std::fmt::Write as _;

/// The most earlier messages that a brief names: the newest.
pub const MAX_STEPS: usize = 5;
/// The longest answer in a text, in bytes.
const MAX_ANSWER: usize = 600;

/// A message that was sent automatically before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it was decided.
    pub at: Timestamp,
    /// The channel, such as `mail`.
    pub channel: &'static str,
    /// Its subject or title, else the name of its template.
    pub about: String,
    /// The outcome, such as `opened`.
    pub state: &'static str,
}

/// The brief of a task.
#[derive(Clone, PartialEq)]
pub struct Brief {
    /// The responsible colleague or team.
    pub owner: Option<String>,
    /// When the task is due.
    pub due: Timestamp,
    /// The likelihoods that apply.
    pub scores: Scores,
    /// The survey answers and texts of the event that caused it, by their property.
    pub answers: Vec<(String, Value)>,
    /// The messages that were sent before, the newest first, at most [`MAX_STEPS`].
    pub steps: Vec<Step>,
    /// The address of the person's page.
    pub page: Option<String>,
    /// `false` if the person is not to be called.
    pub may_call: bool,
}

impl fmt::Debug for Brief {
    // Answers are personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brief").field("due", &self.due).field("steps", &self.steps.len()).finish_non_exhaustive()
    }
}

/// The day of a moment, in UTC.
fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

impl Brief {
    /// Returns a brief of nothing but the due date.
    #[must_use]
    pub fn due(due: Timestamp) -> Self {
        Self {
            owner: None,
            due,
            scores: Scores::default(),
            answers: Vec::new(),
            steps: Vec::new(),
            page: None,
            may_call: true,
        }
    }

    /// Returns the message with the brief at the end of its text, for receivers that show a text and nothing else.
    #[must_use]
    pub fn added_to(&self, rendered: &Rendered) -> Rendered {
        let text = format!("{}\n\n{}", rendered.text.trim_end(), self.lines());
        Rendered { text: text.trim_start().to_owned(), ..rendered.clone() }
    }

    /// Returns the brief as lines of text.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines = Vec::new();
        if !self.may_call {
            lines.push("Do not call: this person does not want calls, or is in a segment without them.".to_owned());
        }
        let answers: Vec<String> =
            self.answers.iter().filter_map(|(name, value)| Some(format!("{name}: {}", readable(value)?))).collect();
        if !answers.is_empty() {
            lines.push(text::one_line(&format!("Answer: {}", answers.join("; ")), MAX_ANSWER));
        }
        let scores: Vec<String> = self
            .scores
            .iter()
            .map(|(likelihood, score)| format!("{} {}", likelihood.as_str().replace('_', " "), score.get()))
            .collect();
        if !scores.is_empty() {
            lines.push(format!("Scores, 0 to 100: {}", scores.join(", ")));
        }
        if !self.steps.is_empty() {
            let mut steps = "Sent so far:".to_owned();
            for Step { at, channel, about, state } in &self.steps {
                // Writing to a text cannot fail.
                let _infallible = write!(
                    steps,
                    "\n- {}: {}, \"{about}\" ({})",
                    day(*at),
                    channel.replace('_', "-"),
                    state.replace('_', " ")
                );
            }
            lines.push(steps);
        }
        if let Some(owner) = &self.owner {
            lines.push(format!("Owner: {owner}"));
        }
        lines.push(format!("Due: {}", day(self.due)));
        if let Some(page) = &self.page {
            lines.push(format!("More: {page}"));
        }
        lines.join("\n")
    }

    /// Returns the brief as JSON, for signed webhooks.
    #[must_use]
    pub fn json(&self) -> Value {
        let steps = self
            .steps
            .iter()
            .map(|step| json!({ "at": step.at, "channel": step.channel, "about": step.about, "state": step.state }));
        let answers: serde_json::Map<String, Value> = self.answers.iter().cloned().collect();
        json!({
            "due_at": self.due,
            "may_call": self.may_call,
            "answers": answers,
            "steps": steps.collect::<Vec<_>>(),
            "page": self.page,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn brief_of_nothing_says_when_the_task_is_due() {
        assert_eq!(Brief::due(at("2026-03-02T23:30:00Z")).lines(), "Due: 2026-03-02");
    }

    #[test]
    fn brief_names_what_a_colleague_needs_in_the_order_in_which_it_is_needed() {
        let scores = Scores::new(|likelihood| (likelihood == perennial_domain::Likelihood::Churn).then(|| 72.into()));
        let brief = Brief {
            owner: Some("key accounts".into()),
            scores,
            answers: vec![
                ("nps".into(), json!(3)),
                ("text".into(), json!("The import\nfails.")),
                ("list".into(), json!([])),
            ],
            steps: vec![Step {
                at: at("2026-02-20T10:00:00Z"),
                channel: "in_app",
                about: "Did we lose you?".into(),
                state: "held_out",
            }],
            page: Some("https://crm.example/people/p_1".into()),
            may_call: false,
            ..Brief::due(at("2026-03-03T10:00:00Z"))
        };
        let expected = "Do not call: this person does not want calls, or is in a segment without them.\n\
                        Answer: nps: 3; text: The import fails.\n\
                        Scores, 0 to 100: churn 72\n\
                        Sent so far:\n- 2026-02-20: in-app, \"Did we lose you?\" (held out)\n\
                        Owner: key accounts\nDue: 2026-03-03\nMore: https://crm.example/people/p_1";
        assert_eq!(brief.lines(), expected);
        let rendered =
            Rendered { subject: "s".into(), text: "Write.\n".into(), html: None, link: None, invitation: None };
        assert_eq!(brief.added_to(&rendered).text, format!("Write.\n\n{expected}"));
        assert_eq!(brief.json()["answers"], json!({ "nps": 3, "text": "The import\nfails.", "list": [] }));
        assert!(!format!("{brief:?}").contains("import"), "answers are not logged");
    }
}
