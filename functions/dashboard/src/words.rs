//! Numbers, money, times and names in words.

use jiff::Timestamp;
use perennial_domain::{Channel, Likelihood, Stage, Touch};
use perennial_store::messages::MessageState;

pub(crate) use perennial_views::words::{capital, counted, money, number, plain};

/// Returns a share in percent with one decimal: `18.2 %`; `–` of nothing.
pub(crate) fn percent(part: i64, of: i64) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 / of as f64 * 100.0) }
}

/// Returns points with a sign: `+4.5`, `−2.0`.
pub(crate) fn signed(points: f64) -> String {
    let sign = if points < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1}", points.abs())
}

/// Returns how long ago a moment was, or how soon it is, in the largest whole unit: `today` is for the caller.
pub(crate) fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second() - now.as_second();
    let (past, seconds) = (seconds <= 0, seconds.unsigned_abs());
    let text = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => counted(seconds / 60, "minute", "minutes"),
        3_600..86_400 => counted(seconds / 3_600, "hour", "hours"),
        86_400..5_184_000 => counted(seconds / 86_400, "day", "days"),
        _ => counted(seconds / 2_629_746, "month", "months"),
    };
    if past { format!("{text} ago") } else { format!("in {text}") }
}

/// Returns a moment in UTC: `08:00` of the same day, `26 Nov 08:00` of the same year, else with the year. The script of the
/// pages writes it in the reader's zone in the same form.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.to_zoned(jiff::tz::TimeZone::UTC), now.to_zoned(jiff::tz::TimeZone::UTC));
    let format = match () {
        () if at.date() == now.date() => "today %H:%M",
        () if at.year() == now.year() => "%-d %b %H:%M",
        () => "%-d %b %Y",
    };
    at.strftime(format).to_string()
}

/// Returns a day: `26 November 2026`.
pub(crate) fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%A, %-d %B %Y").to_string()
}

/// Returns text with a capital letter first and a full stop last.
pub(crate) fn sentence(text: &str) -> String {
    let text = capital(text.trim());
    if text.ends_with(['.', '!', '?', '”']) || text.is_empty() { text } else { format!("{text}.") }
}

/// Returns the name of a likelihood as a label.
pub(crate) fn score(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Purchase => "Purchase",
        Likelihood::Conversion => "Conversion",
        Likelihood::TrialSuccess => "Trial success",
        Likelihood::Upgrade => "Upgrade",
        Likelihood::Success => "Success",
        Likelihood::Churn => "Churn",
        Likelihood::Recommendation => "Recommendation",
        Likelihood::InfluenceInside => "Influence inside",
        Likelihood::InfluenceOutside => "Influence outside",
    }
}

/// Returns a stage as a label.
pub(crate) fn stage(stage: Stage) -> String {
    plain(stage.as_str())
}

/// Returns a touch model as a label.
pub(crate) fn touch(touch: Touch) -> &'static str {
    match touch {
        Touch::High => "high touch",
        Touch::Low => "low touch",
        Touch::None => "tech touch",
    }
}

/// Returns a channel as a noun.
pub(crate) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Mail => "mail",
        Channel::InApp => "in-app message",
        Channel::Webhook => "task or webhook",
    }
}

/// Returns a message's state for readers.
pub(crate) fn state(state: MessageState) -> &'static str {
    match state {
        MessageState::Claimed => "being sent",
        MessageState::Unknown => "outcome unknown",
        MessageState::Sent => "sent",
        MessageState::Failed => "failed",
        MessageState::Suppressed => "suppressed",
        MessageState::Delivered => "delivered",
        MessageState::Opened => "opened",
        MessageState::Clicked => "clicked",
        MessageState::Bounced => "bounced",
        MessageState::Complained => "reported as spam",
        MessageState::Capped => "not sent: cap reached",
        MessageState::HeldOut => "not sent: holdout group",
        MessageState::Expired => "not sent: waited too long",
        MessageState::Displaced => "not sent: better messages waited",
    }
}

/// The kinds of states that figures are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It went out.
    Sent,
    /// It could not be sent, or its receiver refused it.
    Failed,
    /// It was not sent on purpose.
    Withheld,
    /// It is on its way.
    UnderWay,
}

/// Returns the kind of a state.
pub(crate) fn fate(state: MessageState) -> Fate {
    match state {
        MessageState::Claimed | MessageState::Unknown => Fate::UnderWay,
        MessageState::Failed | MessageState::Bounced => Fate::Failed,
        state if state.is_withheld() => Fate::Withheld,
        _ => Fate::Sent,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn shares_and_points_are_written_for_readers() {
        assert_eq!(percent(41, 225), "18.2 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!((signed(-2.04), signed(0.0)), ("−2.0".to_owned(), "+0.0".to_owned()));
    }

    #[test]
    fn moments_name_what_is_not_obvious() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-30T12:00:00Z");
        assert_eq!(moment(at("2026-11-30T07:05:00Z"), now), "today 07:05");
        assert_eq!(moment(at("2026-11-29T23:59:00Z"), now), "29 Nov 23:59");
        assert_eq!(moment(at("2025-12-31T23:59:00Z"), now), "31 Dec 2025");
        assert_eq!(distance(at("2026-11-29T11:00:00Z"), now), "1 day ago");
        assert_eq!(distance(at("2026-11-30T12:00:30Z"), now), "just now");
        assert_eq!(distance(at("2027-03-30T12:00:00Z"), now), "in 3 months");
        assert_eq!(distance(at("2026-11-30T14:59:00Z"), now), "in 2 hours");
    }

    #[test]
    fn sentences_begin_with_a_capital_and_end_with_a_stop() {
        assert_eq!(sentence("no account has this id"), "No account has this id.");
        assert_eq!(sentence("Really?"), "Really?");
        assert_eq!(sentence("éa"), "Éa.");
        assert_eq!(sentence(""), "");
    }
}
