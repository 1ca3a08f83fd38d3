//! A journey that was played, as a time line.

use crate::commands::tables::wrapped;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_domain::Channel;
use perennial_engine::play::Refusal;
use perennial_views::play::{Answer, Fate, Kind, MessageView, StepView};

/// The columns of a terminal.
const WIDTH: usize = 80;

/// Renders the timeline; with `all`, all steps of other journeys, and not only their messages.
pub(super) fn shown(answer: &Answer, all: bool) -> String {
    let zone = TimeZone::get(&answer.person.time_zone).unwrap_or(TimeZone::UTC);
    let mut out = Lines { text: String::new(), clock: Clock { zone }, last: None };
    out.head(answer);
    for step in &answer.steps {
        out.step(answer, step, all);
    }
    if answer.under_way {
        out.at(answer.until);
        out.say("is still on the way when the clock stops; --days lets it run on");
    }
    out.foot(answer);
    out.text
}

/// Formats times in the person's time zone, and in UTC if that differs.
struct Clock {
    zone: TimeZone,
}

impl Clock {
    fn differs(&self) -> bool {
        self.zone != TimeZone::UTC
    }

    fn show(&self, at: Timestamp) -> String {
        let here = at.to_zoned(self.zone.clone()).strftime("%a %e %b %H:%M").to_string();
        if self.differs() { format!("{here} ({}Z)", at.strftime("%H:%M")) } else { here }
    }

    /// Returns the width of a formatted time.
    fn width(&self) -> usize {
        if self.differs() { 25 } else { 16 }
    }

    fn day(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%a %-d %b %Y").to_string()
    }
}

struct Lines {
    text: String,
    clock: Clock,
    /// The moment that was shown last.
    last: Option<Timestamp>,
}

impl Lines {
    fn head(&mut self, answer: &Answer) {
        let person = &answer.person;
        let made_up = if person.sample { ", who is made up" } else { "" };
        let title = format!(
            "{}: {}. Played for {} ({}){made_up}, from {} to {}, by config {}. Nothing is sent.",
            answer.journey,
            answer.trigger,
            person.name,
            person.stage,
            self.clock.day(answer.from),
            self.clock.day(answer.until),
            answer.config
        );
        self.paragraph(&title);
        if self.clock.differs() {
            self.paragraph(&format!("Times are those of {}, in brackets of UTC.", person.time_zone));
        }
        self.text.push('\n');
    }

    fn step(&mut self, answer: &Answer, step: &StepView, all: bool) {
        let own = step.journey.is_none() || step.journey.as_ref() == Some(&answer.journey);
        if !own && !all && step.message.is_none() {
            return;
        }
        self.at(step.at);
        match (&step.message, own) {
            (Some(message), true) => self.message(message),
            (message, false) => {
                let journey = step.journey.as_deref().unwrap_or_default();
                let what = message.as_ref().map_or_else(|| step.told.clone(), title);
                self.say(&format!("[{journey}] {what}"));
            }
            // The reason for not entering is printed at the end.
            (None, true) if step.what == Kind::Refused && !answer.entered => self.say("does not enter"),
            (None, true) => self.say(&step.told),
        }
    }

    fn message(&mut self, message: &MessageView) {
        self.say(&title(message));
        let mut said: Vec<&str> = Vec::new();
        if let Some(subject) = &message.subject {
            said.extend([subject.as_str(), ""]);
        }
        // The content of an unsent message is not shown.
        let sent = message.fate == Fate::Sent;
        if let Some(text) = message.text.as_ref().filter(|_| sent) {
            said.extend(text.trim_end().lines());
        }
        let invitation = message.invitation.as_ref().filter(|_| sent).map(|invitation| {
            let place = if invitation.location.is_empty() { "" } else { ", " };
            let (start, end) = (self.clock.show(invitation.start), self.clock.show(invitation.end));
            format!("invite.ics: {}, {start} to {end}{place}{}", invitation.title, invitation.location)
        });
        if let Some(invitation) = &invitation {
            said.extend(["", invitation]);
        }
        let link = message.link.as_ref().filter(|_| sent).map(|link| format!("-> {link}"));
        if let Some(link) = &link {
            said.extend(["", link]);
        }
        while said.last() == Some(&"") {
            said.pop();
        }
        let empty: Vec<String> =
            message.empty.iter().map(|name| format!("warning: `{name}` comes out empty")).collect();
        if sent && !empty.is_empty() {
            said.push("");
            said.extend(empty.iter().map(String::as_str));
        }
        let indent = " ".repeat(self.clock.width() + 2);
        for line in said {
            for piece in wrapped(line, WIDTH - indent.len() - 2) {
                self.text.push_str(format!("{indent}│ {piece}").trim_end());
                self.text.push('\n');
            }
        }
    }

    fn foot(&mut self, answer: &Answer) {
        self.text.push('\n');
        if let Some(why) = &answer.why_not {
            self.paragraph(&format!("They do not enter: {why}."));
            if let Some(hint) = answer.refusal.as_ref().and_then(|refusal| hint(refusal, answer.person.sample)) {
                self.paragraph(hint);
            }
            return;
        }
        if !answer.entered {
            self.paragraph("They do not enter: the trigger did not come while the clock ran.");
            return;
        }
        let own = answer.steps.iter().filter(|step| step.journey.as_ref() == Some(&answer.journey));
        let messages: Vec<Fate> = own.filter_map(|step| Some(step.message.as_ref()?.fate)).collect();
        let sent = messages.iter().filter(|fate| **fate == Fate::Sent).count();
        let said = match (messages.len(), sent) {
            (0, _) => "No message came on this way.".to_owned(),
            (1, 1) => "One message would go out.".to_owned(),
            (all, sent) if all == sent => format!("{all} messages would go out."),
            (1, _) => "The one message would not go out.".to_owned(),
            (all, sent) => format!("{sent} of {all} messages would go out."),
        };
        self.paragraph(&format!("{said} Nothing was written, and nothing was sent."));
        let failing = answer.failing().count();
        if failing > 0 {
            let what = if failing == 1 { "One message fails".to_owned() } else { format!("{failing} messages fail") };
            self.paragraph(&format!(
                "error: {what}: mend the template or what it needs, such as a mail address; see FAILS above."
            ));
        }
    }

    /// Begins a line at a moment, which is shown once.
    fn at(&mut self, at: Timestamp) {
        let width = self.clock.width();
        let shown = if self.last == Some(at) { String::new() } else { self.clock.show(at) };
        self.last = Some(at);
        self.text.push_str(&format!("{shown:<width$}  "));
    }

    /// Ends the line that [`Self::at`] began.
    fn say(&mut self, what: &str) {
        let indent = self.clock.width() + 2;
        for (number, piece) in wrapped(what, WIDTH - indent).iter().enumerate() {
            if number > 0 {
                self.text.push_str(&" ".repeat(indent + 2));
            }
            self.text.push_str(piece);
            self.text.push('\n');
        }
    }

    fn paragraph(&mut self, text: &str) {
        for line in wrapped(text, WIDTH) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }
}

/// Returns the kind of a message, its destination, and why it is not sent.
fn title(message: &MessageView) -> String {
    let channel = match message.channel {
        Channel::Mail => "MAIL",
        Channel::InApp => "IN APP",
        Channel::Webhook => "TASK OR WEBHOOK",
    };
    let to = message.to.as_ref().or(message.endpoint.as_ref()).map(|to| format!(" to {to}")).unwrap_or_default();
    let variant = message.variant.as_ref().map(|variant| format!(" ({variant})")).unwrap_or_default();
    let fate = match (message.fate, &message.why) {
        (Fate::Sent, _) => String::new(),
        (Fate::Failed, Some(why)) => format!(", FAILS: {why}"),
        (_, Some(why)) => format!(", NOT SENT: {}", why.trim_start_matches("not sent: ")),
        (_, None) => ", NOT SENT".to_owned(),
    };
    format!("{channel} {}{to}{variant}{fate}", message.template)
}

/// Returns how to let the person enter.
fn hint(refusal: &Refusal, sample: bool) -> Option<&'static str> {
    match refusal {
        Refusal::Once { .. } | Refusal::TooSoon { .. } | Refusal::UnderWay { .. } => {
            Some("With --anew it is played as if they had never entered.")
        }
        Refusal::Where { .. } => Some("Say what the event says with --properties, such as '{\"nps\": 10}'."),
        Refusal::Stage { .. } if sample => Some("Take someone of another stage with --stage."),
        Refusal::When { .. } | Refusal::Exit { .. } if sample => {
            Some("Say what is known of them with --trait, or name someone with --person.")
        }
        _ => None,
    }
}
