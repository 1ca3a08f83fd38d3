//! Invitations to an event, as calendars read them: iCalendar (RFC 5545), sent as iTIP's `REQUEST` (RFC 5546).

use crate::address::{Address, Mailbox};
use jiff::{Timestamp, Zoned};

/// The longest line in bytes, without its end (RFC 5545, section 3.1).
const MAX_LINE: usize = 75;

/// An event with an invitation.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends; after its beginning.
    pub end: Timestamp,
    /// Its title; one line.
    pub title: String,
    /// Its location: a place or a web address; one line, empty if the template has none.
    pub location: String,
}

impl std::fmt::Debug for Invitation {
    // Title and place may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").field("start", &self.start).field("end", &self.end).finish_non_exhaustive()
    }
}

/// Reads a moment: with an offset (`2026-03-02T10:00:00+01:00`) or a time zone (`2026-03-02T10:00[Europe/Berlin]`).
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| text.parse::<Zoned>().ok().map(|zoned| zoned.timestamp()))
}

impl Invitation {
    /// Returns the calendar object. `uid` identifies the event permanently: a calendar that receives it again updates
    /// the event.
    pub(crate) fn calendar(&self, uid: &str, organizer: &Mailbox, attendee: &Address, stamped: Timestamp) -> String {
        let name = organizer.name.as_deref().map_or_else(String::new, |name| format!(";CN=\"{}\"", parameter(name)));
        let mut lines = vec![
            "BEGIN:VCALENDAR".to_owned(),
            "PRODID:-//Perennial//Perennial//EN".to_owned(),
            "VERSION:2.0".to_owned(),
            "CALSCALE:GREGORIAN".to_owned(),
            "METHOD:REQUEST".to_owned(),
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", text(uid)),
            format!("DTSTAMP:{}", utc(stamped)),
            format!("DTSTART:{}", utc(self.start)),
            format!("DTEND:{}", utc(self.end)),
            "SEQUENCE:0".to_owned(),
            "STATUS:CONFIRMED".to_owned(),
            format!("SUMMARY:{}", text(&self.title)),
        ];
        if !self.location.is_empty() {
            lines.push(format!("LOCATION:{}", text(&self.location)));
        }
        lines.push(format!("ORGANIZER{name}:mailto:{}", organizer.address.as_str()));
        let attendee = attendee.as_str();
        lines.push(format!("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{attendee}"));
        lines.extend(["END:VEVENT", "END:VCALENDAR"].map(str::to_owned));
        lines.iter().map(|line| folded(line)).collect()
    }
}

/// A moment in UTC, as `20260302T091500Z`.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A value of the type TEXT (section 3.3.11).
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Returns a quoted parameter value, which cannot contain quotes or control characters (section 3.1).
fn parameter(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() && *c != '"').collect()
}

/// Returns the line with its end, folded into pieces of at most 75 bytes between characters; each but the first begins
/// with a space.
fn folded(line: &str) -> String {
    let (mut out, mut length) = (String::with_capacity(line.len() + 4), 0);
    for c in line.chars() {
        if length + c.len_utf8() > MAX_LINE {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn invitation(title: &str, location: &str) -> Invitation {
        Invitation {
            start: "2026-03-10T09:00:00Z".parse().unwrap(),
            end: "2026-03-10T10:30:00Z".parse().unwrap(),
            title: title.into(),
            location: location.into(),
        }
    }

    fn calendar(invitation: &Invitation) -> String {
        let organizer = Mailbox::parse("\"Perennial; \"x\" Webinars\" <hello@perennial.example>").unwrap();
        let attendee = Address::parse("ada@example.com").unwrap();
        invitation.calendar("d-1@perennial.example", &organizer, &attendee, "2026-03-02T08:15:30Z".parse().unwrap())
    }

    /// The lines as a calendar reads them (section 3.1).
    fn unfolded(calendar: &str) -> Vec<String> {
        calendar.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_calendar_finds_all_that_an_invitation_needs() {
        let title =
            "Getting started; with Ada, Grace\\Co and someone whose name makes the line longer than a line may be";
        insta::assert_snapshot!(calendar(&invitation(title, "https://meet.example/getting-started")).replace('\r', ""));
    }

    #[test]
    fn times_are_read_with_an_offset_or_a_zone_and_not_without() {
        let noon = "2026-07-02T10:00:00Z".parse().ok();
        assert_eq!(moment(" 2026-07-02T12:00:00+02:00\n"), noon);
        assert_eq!(moment("2026-07-02T12:00[Europe/Berlin]"), noon);
        assert_eq!(moment("2026-07-02T10:00:00Z"), noon);
        for text in ["", "2026-07-02T12:00", "tomorrow"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_value_can_add_a_line_and_no_line_is_too_long(title in "(?s).{0,120}", location in "[a-zäöü\\r\\n:;,\\\\ ]{0,200}") {
            let calendar = calendar(&invitation(&title, &location));
            prop_assert!(calendar.ends_with("\r\n"));
            prop_assert!(calendar.split("\r\n").all(|line| line.len() <= MAX_LINE && !line.contains(['\r', '\n'])));
            let lines = unfolded(&calendar);
            let wanted = if location.is_empty() { 17 } else { 18 };
            prop_assert_eq!(lines.len(), wanted);
            prop_assert_eq!(lines.iter().filter(|line| line.starts_with("UID:")).count(), 1);
        }
    }
}
