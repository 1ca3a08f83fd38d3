//! When SES last accepted a mail, and when it last reported on one.

use crate::support::{at, store};
use perennial_store::reports::MailReports;

const LINKS: &str = "https://mail.acme.example";

#[tokio::test]
async fn moments_are_written_at_most_once_an_hour() {
    let store = store().await;
    assert_eq!(store.mail_reports().await.unwrap(), MailReports::default());
    for second in [0, 1, 3_599] {
        store.note_mail_sent("https://other.example", at(second)).await.unwrap();
        store.note_mail_reported(at(second + 5)).await.unwrap();
    }
    let reports = store.mail_reports().await.unwrap();
    assert_eq!((reports.sent, reports.reported), (Some(at(0)), Some(at(5))));
    assert_eq!(reports.links.as_deref(), Some("https://other.example"));
    store.note_mail_sent(LINKS, at(3_600)).await.unwrap();
    store.note_mail_reported(at(3_605)).await.unwrap();
    let reports = store.mail_reports().await.unwrap();
    let expected = MailReports { sent: Some(at(3_600)), reported: Some(at(3_605)), links: Some(LINKS.to_owned()) };
    assert_eq!(reports, expected);
    // A slow writer takes nothing back.
    store.note_mail_reported(at(2)).await.unwrap();
    assert_eq!(store.mail_reports().await.unwrap(), expected);
}
