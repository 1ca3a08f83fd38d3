//! Checks that SES reports on mails: by its configuration, and by the reports that arrived.

use super::facts::{Facts, Finding};
use jiff::{SignedDuration, Timestamp};
use perennial_store::reports::{MailReports, STEP};

const CHECK: &str = "events";
/// The kinds of events that the trail, the suppression list and the pauses need.
const NEEDED: [&str; 4] = ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT"];
/// SES reports within seconds. A report that is this late does not come.
const LATE: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn finding(facts: &Facts) -> Finding {
    let deploy = "deploy the stack: (cd infra/cdk && npx cdk deploy), or terraform apply";
    let set = match &facts.set {
        Err(why) => return Finding::not_checked(CHECK, why),
        Ok(None) => {
            let found = format!("there is no configuration set {}: SES refuses every mail", facts.configuration_set);
            return Finding::error(CHECK, found, deploy);
        }
        Ok(Some(set)) => set,
    };
    let is_missing = |kind: &&str| !set.events.iter().any(|event| event.eq_ignore_ascii_case(kind));
    let missing: Vec<&str> = NEEDED.into_iter().filter(is_missing).collect();
    if !missing.is_empty() {
        let kinds = missing.join(", ").to_lowercase();
        let found = format!("SES does not report {kinds}: bounces are not suppressed, and the trail shows nothing");
        return Finding::error(CHECK, found, deploy);
    }
    match &facts.reports {
        Err(why) => {
            Finding::not_checked(CHECK, format!("SES is set up to report, but whether it does is not known: {why}"))
        }
        Ok(reports) => arrived(facts, reports),
    }
}

/// Returns the finding on the reports that arrived. Each time stands for the hour after it.
fn arrived(facts: &Facts, reports: &MailReports) -> Finding {
    let Some(sent) = reports.sent else {
        return Finding::ok(CHECK, "SES is set up to report what becomes of mails; it accepted none yet");
    };
    let is_covered = |reported: Timestamp| reported + STEP >= sent;
    if reports.reported.is_some_and(is_covered) || facts.now.duration_since(sent) <= LATE {
        let last = reports.reported.map_or_else(|| "nothing yet".to_owned(), |at| format!("last at {at:.0} or later"));
        return Finding::ok(CHECK, format!("SES reports what becomes of mails: {last}"));
    }
    let last = reports.reported.map_or_else(|| "never".to_owned(), |at| format!("last at {at:.0}"));
    let found =
        format!("SES accepted a mail at {sent:.0} and reported nothing of it ({last}): bounces are not suppressed");
    let fix = match facts.target.trim() {
        "" => "restart the stack: perennial up".to_owned(),
        target => {
            let stack = target.rsplit(' ').next().unwrap_or_default();
            format!(
                "aws sns list-subscriptions --query \"Subscriptions[?ends_with(TopicArn, ':{stack}-mail-events')]\" (the queue has to be subscribed; a deployment restores it), and perennial status{}",
                facts.target
            )
        }
    };
    Finding::error(CHECK, found, fix)
}
