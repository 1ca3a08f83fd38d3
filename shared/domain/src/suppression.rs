//! Reasons for which an address gets no mail.

use serde::{Deserialize, Serialize};

/// Why an address gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The mail service reports that the address does not exist.
    Bounce,
    /// The reader called it spam.
    Complaint,
    /// The reader unsubscribed.
    Unsubscribe,
}

impl SuppressionReason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Bounce, Self::Complaint, Self::Unsubscribe];

    /// Returns the name in items, configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// Returns whether the reader may lift it. A bounce or a complaint stays: sending again would harm every other
    /// mail.
    pub fn can_be_lifted(self) -> bool {
        matches!(self, Self::Unsubscribe)
    }

    /// Returns the reason that mail services call `text`, in any case and with any separators; `None` for other texts,
    /// temporary bounces among them, which suppress nothing.
    pub fn of_service(text: &str) -> Option<Self> {
        let folded: String =
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        match folded.strip_suffix('s').unwrap_or(&folded) {
            "bounce" | "bounced" | "hardbounce" | "hardbounced" | "permanent" | "permanentbounce" | "invalid"
            | "invalidemail" | "invalidaddress" | "cleaned" | "undeliverable" | "badmailbox" | "bouncerule"
            | "invalidrecipient" => Some(Self::Bounce),
            "complaint"
            | "complained"
            | "complain"
            | "spam"
            | "spamreport"
            | "spamcomplaint"
            | "abuse"
            | "feedbackloop"
            | "contactflaggedasspam"
            | "abusecomplaint"
            | "markedasspam" => Some(Self::Complaint),
            "unsubscribe"
            | "unsubscribed"
            | "globalunsubscribe"
            | "optout"
            | "optedout"
            | "manual"
            | "unsub"
            | "manualsuppression"
            | "listunsubscribe"
            | "linkunsubscribe"
            | "unsubscribelink"
            | "unsubscribedviaemail"
            | "unsubscribedviama"
            | "unsubscribedviaapi"
            | "subscriptionchange"
            | "manuallyadded"
            | "useradded" => Some(Self::Unsubscribe),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services_are_known_in_any_spelling_and_soft_bounces_are_no_reason() {
        for reason in SuppressionReason::ALL {
            assert_eq!(SuppressionReason::of_service(reason.as_str()), Some(reason));
        }
        for (text, reason) in [
            ("BOUNCE", SuppressionReason::Bounce),
            ("hard_bounce", SuppressionReason::Bounce),
            ("Spam Reports", SuppressionReason::Complaint),
            ("spam-complaint", SuppressionReason::Complaint),
            ("opt-out", SuppressionReason::Unsubscribe),
            ("Unsubscribed", SuppressionReason::Unsubscribe),
            // Postmark, Mandrill, SparkPost and Brevo.
            ("ManualSuppression", SuppressionReason::Unsubscribe),
            ("HardBounce", SuppressionReason::Bounce),
            ("SpamComplaint", SuppressionReason::Complaint),
            ("unsub", SuppressionReason::Unsubscribe),
            ("List Unsubscribe", SuppressionReason::Unsubscribe),
            ("Unsubscribe Link", SuppressionReason::Unsubscribe),
            ("Bounce Rule", SuppressionReason::Bounce),
            ("unsubscribedViaEmail", SuppressionReason::Unsubscribe),
            ("contactFlaggedAsSpam", SuppressionReason::Complaint),
        ] {
            assert_eq!(SuppressionReason::of_service(text), Some(reason), "{text}");
        }
        for text in ["soft_bounce", "block", "blocked", "deferred", "", "transient"] {
            assert_eq!(SuppressionReason::of_service(text), None, "{text}");
        }
    }
}
