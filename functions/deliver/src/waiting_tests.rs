//! Messages that wait: for the mail service, for their receiver, for the morning.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::handle;
use super::tests::{deliver, ids, record};
use crate::test_support::{Answer, House, NOW, PERSON, config_with, mail_event};
use jiff::{SignedDuration, Timestamp};
use perennial_channels::account::Allowance;
use perennial_contracts::queue::{MessagesPayload, Slot, TestSend, Waiting};
use perennial_domain::{Channel, Decision, DecisionId, PersonId};
use perennial_lambda_kit::queue::{Delay, MemoryQueue};
use perennial_store::ConfigHandle;
use perennial_store::messages::MessageState;
use perennial_store::pace::Lane;
use std::time::Duration;

/// Quiet hours from 21:00 to 07:00, UTC.
const NIGHT: &str = "[quiet_hours]\nfrom = \"21:00\"\nto = \"07:00\"\n";

async fn house_with(files: &[(&str, &str)]) -> House {
    let mut house = House::open().await;
    house.deps.config = ConfigHandle::fixed(config_with(files));
    house
}

fn now(house: &House) -> Timestamp {
    house.deps.clock.now()
}

fn pass(house: &House, by: SignedDuration) {
    house.time.set(now(house) + by);
}

/// The one message that was sent to the queue, with its delay.
fn only(queue: &MemoryQueue) -> (Waiting, Delay) {
    let sent = queue.drain();
    let [(body, delay)] = sent.as_slice() else { panic!("{sent:?}") };
    let MessagesPayload::Waiting(waiting) = serde_json::from_str(body).unwrap() else { panic!("{body}") };
    (waiting, *delay)
}

/// Delivers the waiting message; returns whether it stays in its queue.
async fn take(house: &House, waiting: &Waiting) -> bool {
    let body = serde_json::to_string(&MessagesPayload::Waiting(waiting.clone())).unwrap();
    !ids(&handle(&house.deps, house.batch(&[body], 1)).await.unwrap()).is_empty()
}

/// Advances time from requeue to requeue, as SQS would, until the message is finished or `until`; returns the number of
/// requeues.
async fn hops(house: &House, queue: &MemoryQueue, until: Timestamp) -> u32 {
    let mut hops = 0;
    loop {
        let sent = queue.drain();
        if sent.is_empty() || now(house) >= until {
            return hops;
        }
        let [(body, delay)] = sent.as_slice() else { panic!("{sent:?}") };
        assert!((1..=900).contains(&delay.seconds()), "{delay:?}");
        pass(house, SignedDuration::from_secs(delay.seconds().into()));
        let response = handle(&house.deps, house.batch(std::slice::from_ref(body), 1)).await.unwrap();
        assert!(ids(&response).is_empty());
        hops += 1;
    }
}

#[tokio::test]
async fn refusals_are_retried_after_growing_delays_however_often() {
    let house = House::open().await;
    house.mail.answer(Answer::Throttled);
    assert!(!deliver(&house, Channel::Mail, 1).await);
    let mut delays = Vec::new();
    for tries in 1..=30 {
        let (waiting, delay) = only(&house.messages);
        assert_eq!(waiting.tries, tries);
        delays.push(u64::from(delay.seconds()));
        pass(&house, waiting.until.duration_since(now(&house)));
        assert!(!take(&house, &waiting).await);
    }
    assert!(delays[0] <= 4 && delays[29] >= 450 && delays.iter().all(|delay| *delay <= 900), "{delays:?}");
    house.mail.answer(Answer::Sent);
    let (waiting, _) = only(&house.messages);
    pass(&house, waiting.until.duration_since(now(&house)));
    assert!(!take(&house, &waiting).await);
    assert_eq!((house.mail.sent(), record(&house, Channel::Mail).await.state), (1, MessageState::Sent));
}

#[tokio::test]
async fn receiver_that_asks_for_hours_is_left_alone_for_them() {
    let house = House::open().await;
    house.webhooks.answer(Answer::Later(Duration::from_secs(2 * 3600)));
    assert!(!deliver(&house, Channel::Webhook, 1).await);
    let (waiting, delay) = only(&house.messages);
    assert_eq!(delay, Delay::MAX);
    let wait = waiting.until.duration_since(now(&house));
    assert!(wait >= SignedDuration::from_hours(2) && wait <= SignedDuration::from_mins(122), "{wait}");
    house.webhooks.answer(Answer::Sent);
    pass(&house, SignedDuration::from_mins(15));
    assert!(!take(&house, &waiting).await);
    assert_eq!(house.webhooks.sent(), 1, "its time has not come");
    let (still, _) = only(&house.messages);
    assert_eq!(still, waiting);
    house.time.set(waiting.until);
    assert!(!take(&house, &waiting).await);
    assert_eq!((house.webhooks.sent(), record(&house, Channel::Webhook).await.state), (2, MessageState::Sent));
}

#[tokio::test]
async fn message_of_each_channel_expires_once_it_is_older_than_its_journey_allows() {
    for channel in Channel::ALL {
        let house = House::open().await;
        pass(&house, SignedDuration::from_hours(72) + SignedDuration::from_secs(1));
        for times in 1..=2 {
            assert!(!deliver(&house, channel, times).await);
        }
        let record = record(&house, channel).await;
        assert_eq!((record.state, record.times.len()), (MessageState::Expired, 1), "{channel:?}");
        assert_eq!((house.mail.sent(), house.webhooks.sent()), (0, 0));
        assert!(house.deps.store.inbox(PERSON.person_id()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn age_limit_is_that_of_the_step_the_journey_or_the_limits() {
    let journey = |more: &str, step: &str| {
        format!(
            "![[journey]]\nid = \"welcome\"\ntrigger = {{ event = \"Trial Started\" }}\n{more}step = [{{ channel = \"mail\", template = \"welcome\"{step} }}]\n"
        )
    };
    let limits = ("limits.toml", "max_age_days = 5\n");
    for (more, step, days) in
        [("", "", 5), ("max_age_days = 7\n", "", 7), ("max_age_days = 7\n", ", max_age_days = 1", 1)]
    {
        for (late, state) in [(0, MessageState::Sent), (1, MessageState::Expired)] {
            let journeys = journey(more, step);
            let house = house_with(&[limits, ("journeys.toml", &journeys)]).await;
            pass(&house, SignedDuration::from_hours(24 * days) + SignedDuration::from_secs(late));
            assert!(!deliver(&house, Channel::Mail, 1).await);
            assert_eq!(record(&house, Channel::Mail).await.state, state, "{more}{step}, {late} s late");
        }
    }
}

/// The mail is known to be sent; a redrive from the dead letters does not change that.
#[tokio::test]
async fn redriven_decision_of_a_sent_message_does_not_expire_it() {
    for channel in Channel::ALL {
        let house = House::open().await;
        assert!(!deliver(&house, channel, 1).await);
        pass(&house, SignedDuration::from_hours(240));
        assert!(!deliver(&house, channel, 1).await);
        assert_eq!(record(&house, channel).await.state, MessageState::Sent, "{channel:?}");
    }
}

#[tokio::test]
async fn receiver_that_stays_down_ends_its_message_as_expired_with_what_it_said_last() {
    let house = House::open().await;
    house.webhooks.answer(Answer::Throttled);
    assert!(!deliver(&house, Channel::Webhook, 1).await);
    let end = now(&house) + SignedDuration::from_hours(74);
    let hops = hops(&house, &house.messages, end).await;
    let record = record(&house, Channel::Webhook).await;
    assert_eq!((record.state, record.detail.as_deref()), (MessageState::Expired, Some("throttled")));
    let at = record.times[&MessageState::Expired].duration_since(record.decided_at);
    assert!(at <= SignedDuration::from_hours(72) + SignedDuration::from_mins(1), "{at}");
    assert!((280..=700).contains(&hops), "{hops} tries in three days");
}

#[tokio::test]
async fn mail_is_not_sent_in_quiet_hours_whenever_its_queue_delivers_it() {
    // Decided at 08:15 and thrown back until 03:00 of the reader's night.
    for (hours, wait) in [(13, 9 * 60 + 44), (18, 4 * 60 + 44), (22, 44)] {
        let house = house_with(&[("limits.toml", NIGHT)]).await;
        pass(&house, SignedDuration::from_hours(hours));
        assert!(!deliver(&house, Channel::Mail, 1).await);
        assert_eq!(house.mail.sent(), 0);
        let (waiting, _) = only(&house.messages);
        let left = waiting.until.duration_since(now(&house));
        assert!((wait..=wait + 1).contains(&left.as_mins()), "{left}");
        house.time.set(waiting.until);
        assert!(!take(&house, &waiting).await);
        assert_eq!(house.mail.sent(), 1);
    }
}

#[tokio::test]
async fn quiet_hours_hold_for_no_task_no_essential_mail_and_no_journey_of_any_hour() {
    let journey = |more: &str| {
        format!(
            "![[journey]]\nid = \"welcome\"\ntrigger = {{ event = \"Trial Started\" }}\n{more}\nstep = [{{ channel = \"mail\", template = \"welcome\" }}]\n"
        )
    };
    for more in ["any_hour = true", "essential = true"] {
        let journeys = journey(more);
        let house = house_with(&[("limits.toml", NIGHT), ("journeys.toml", &journeys)]).await;
        pass(&house, SignedDuration::from_hours(18));
        assert!(!deliver(&house, Channel::Mail, 1).await);
        assert_eq!(house.mail.sent(), 1, "{more}");
    }
    let house = house_with(&[("limits.toml", NIGHT)]).await;
    pass(&house, SignedDuration::from_hours(18));
    assert!(!deliver(&house, Channel::Webhook, 1).await);
    assert_eq!(house.webhooks.sent(), 1);
}

#[tokio::test]
async fn essential_message_waits_in_its_own_queue() {
    let journeys = "![[journey]]\nid = \"welcome\"\nessential = true\ntrigger = { event = \"Trial Started\" }\nstep = [{ channel = \"mail\", template = \"welcome\" }]\n";
    let house = house_with(&[("journeys.toml", journeys)]).await;
    house.mail.answer(Answer::Throttled);
    assert!(!deliver(&house, Channel::Mail, 1).await);
    assert!(house.messages.drain().is_empty());
    assert_eq!(only(&house.essential).0.tries, 1);
}

#[tokio::test]
async fn message_that_cannot_be_requeued_stays_in_its_queue() {
    let house = House::open().await;
    house.mail.answer(Answer::Throttled);
    house.messages.refuse_next(1);
    assert!(deliver(&house, Channel::Mail, 1).await);
    house.mail.answer(Answer::Sent);
    assert!(!deliver(&house, Channel::Mail, 2).await);
    assert_eq!(house.mail.sent(), 1);
}

/// After SES reported an exhausted quota, the others of this process wait without a call.
#[tokio::test]
async fn used_up_quota_is_not_asked_for_by_every_mail() {
    let house = House::open().await;
    house.mail.answer(Answer::Later(Duration::from_secs(900)));
    assert!(!deliver(&house, Channel::Mail, 1).await);
    house.mail.answer(Answer::Sent);
    let other = another(&house, 1);
    let body = serde_json::to_string(&MessagesPayload::Decision(other)).unwrap();
    assert!(ids(&handle(&house.deps, house.batch(&[body], 1)).await.unwrap()).is_empty());
    assert_eq!((house.mail.sent(), house.messages.drain().len()), (0, 2));
}

/// Returns another mail for the same person.
fn another(house: &House, number: u32) -> Decision {
    let id = DecisionId::derive(&[b"another", &number.to_be_bytes()]);
    Decision { id, ..house.decision(Channel::Mail) }
}

/// A batch of ten mails reserves its places in one write, and is sent at the account's rate.
#[tokio::test]
async fn mails_go_out_at_nine_tenths_of_the_accounts_rate() {
    let house = House::open().await;
    house.account.allow(Allowance { per_second: Some(1.0), per_day: None, sent: 0 });
    let bodies: Vec<String> = (0..10)
        .map(|number| serde_json::to_string(&MessagesPayload::Decision(another(&house, number))).unwrap())
        .collect();
    assert!(ids(&handle(&house.deps, house.batch(&bodies, 1)).await.unwrap()).is_empty());
    assert_eq!((house.mail.sent(), house.account.asked()), (1, 1));
    let start = NOW.parse::<Timestamp>().unwrap();
    let mut waiting: Vec<(Timestamp, Waiting)> = Vec::new();
    let parse = |waiting: &mut Vec<(Timestamp, Waiting)>| {
        for (body, delay) in house.messages.drain() {
            let MessagesPayload::Waiting(own) = serde_json::from_str(&body).unwrap() else { panic!("{body}") };
            waiting.push((now(&house) + SignedDuration::from_secs(delay.seconds().into()), own));
        }
        waiting.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    };
    parse(&mut waiting);
    let mut sent_at = vec![0];
    while let Some((at, own)) = waiting.pop() {
        house.time.set(at);
        assert!(!take(&house, &own).await);
        if house.mail.sent() > sent_at.len() {
            sent_at.push(now(&house).duration_since(start).as_secs());
        }
        parse(&mut waiting);
    }
    assert_eq!(sent_at.len(), 10);
    // 10 / 9 s apart, in whole seconds.
    assert_eq!(sent_at.last(), Some(&10), "{sent_at:?}");
    assert!(sent_at.windows(2).all(|pair| pair[1] - pair[0] >= 1), "{sent_at:?}");
}

/// Its line is reserved beyond a quarter of an hour.
async fn house_with_full_line() -> House {
    let house = House::open().await;
    house.account.allow(Allowance { per_second: Some(1.0), per_day: None, sent: 0 });
    let (distance, horizon) = (SignedDuration::from_secs(1), SignedDuration::from_hours(1));
    house.deps.store.reserve_mails(Lane::Bulk, 910, distance, horizon, now(&house), false).await.unwrap();
    house
}

/// A mail that finds the line full, or whose place is not due yet, costs only its queue message. The profile does not
/// exist, so reading it would fail.
#[tokio::test]
async fn mail_that_has_to_wait_anyway_is_not_read_and_rendered() {
    let house = house_with_full_line().await;
    assert!(!deliver(&house, Channel::Mail, 1).await);
    let (first, _) = only(&house.messages);
    assert_eq!(first.slot, None);
    // The process knows of the full line by now.
    let stranger = Decision { person: PersonId::derive(&[b"nobody"]), ..another(&house, 1) };
    let body = |message: &Decision| serde_json::to_string(&MessagesPayload::Decision(message.clone())).unwrap();
    assert!(ids(&handle(&house.deps, house.batch(&[body(&stranger)], 1)).await.unwrap()).is_empty());
    let (waiting, _) = only(&house.messages);
    let wait = waiting.until.duration_since(now(&house));
    assert!((SignedDuration::from_secs(450)..=SignedDuration::from_secs(901)).contains(&wait), "{wait}");
    let slot = Slot { at: now(&house) + SignedDuration::from_secs(30), yielded: 0 };
    assert!(!take(&house, &Waiting { until: now(&house), slot: Some(slot), ..waiting.clone() }).await);
    let (early, _) = only(&house.messages);
    assert_eq!((early.until, early.slot), (slot.at, Some(slot)));
    // Once its place is there it is read, and nobody is found.
    house.time.set(slot.at);
    assert!(!take(&house, &early).await);
    assert_eq!((house.messages.drain().len(), house.mail.sent()), (0, 0));
    let record = house.deps.store.message(stranger.person, stranger.id).await.unwrap().unwrap();
    assert_eq!(record.state, MessageState::Suppressed);
}

#[tokio::test]
async fn mail_that_cannot_be_rendered_uses_up_neither_rate_nor_ramp() {
    let ramp = ("channels.toml", "[mail.warm_up]\nstarts = \"2026-03-02\"\nmails_per_day = [1]\n");
    let house = house_with(&[ramp]).await;
    house.account.allow(Allowance { per_second: Some(1.0), per_day: None, sent: 0 });
    let before = house.deps.store.mail_line().await.unwrap();
    for times in 1..=3 {
        let decision = Decision { template: "gone".to_owned(), ..another(&house, 1) };
        let body = serde_json::to_string(&MessagesPayload::Decision(decision)).unwrap();
        assert_eq!(ids(&handle(&house.deps, house.batch(&[body], times)).await.unwrap()).len(), 1, "it fails");
    }
    assert_eq!(house.deps.store.mail_line().await.unwrap(), before);
    assert!(house.messages.drain().is_empty());
    assert!(!deliver(&house, Channel::Mail, 1).await);
    assert_eq!(house.mail.sent(), 1, "the day's one mail was left");
}

#[tokio::test]
async fn last_tenth_of_the_daily_quota_is_kept_for_essential_mails() {
    let journeys = "![[journey]]\nid = \"welcome\"\nessential = true\ntrigger = { event = \"Trial Started\" }\nstep = [{ channel = \"mail\", template = \"welcome\" }]\n";
    let quota = |sent| Allowance { per_second: Some(14.0), per_day: Some(200), sent };
    for (sent, bulk, essential) in [(179, 1, 1), (180, 0, 1), (199, 0, 1), (200, 0, 0)] {
        let house = House::open().await;
        house.account.allow(quota(sent));
        assert!(!deliver(&house, Channel::Mail, 1).await);
        assert_eq!(house.mail.sent(), bulk, "bulk, {sent} sent");
        let house = house_with(&[("journeys.toml", journeys)]).await;
        house.account.allow(quota(sent));
        assert!(!deliver(&house, Channel::Mail, 1).await);
        assert_eq!(house.mail.sent(), essential, "essential, {sent} sent");
    }
}

#[tokio::test]
async fn new_sender_sends_no_more_than_the_days_of_its_ramp_allow() {
    let ramp = ("channels.toml", "[mail.warm_up]\nstarts = \"2026-03-02\"\nmails_per_day = [2, 3]\n");
    let house = house_with(&[ramp]).await;
    let send = |number| {
        let body = serde_json::to_string(&MessagesPayload::Decision(another(&house, number))).unwrap();
        let house = &house;
        async move { assert!(ids(&handle(&house.deps, house.batch(&[body], 1)).await.unwrap()).is_empty()) }
    };
    for number in 0..4 {
        send(number).await;
    }
    assert_eq!(house.mail.sent(), 2);
    let waiting = house.messages.drain();
    assert_eq!(waiting.len(), 2);
    pass(&house, SignedDuration::from_hours(17));
    for (body, _) in &waiting {
        let MessagesPayload::Waiting(own) = serde_json::from_str(body).unwrap() else { panic!("{body}") };
        assert_eq!(own.until.to_string().get(..10), Some("2026-03-03"), "the next day");
        house.time.set(own.until);
        assert!(!take(&house, &own).await);
    }
    assert_eq!(house.mail.sent(), 4);
    send(4).await;
    send(5).await;
    assert_eq!(house.mail.sent(), 5, "three on the second day");
}

/// A test is sent to the given address and recorded as a test, and neither it nor its SES events are counted.
#[tokio::test]
async fn test_mail_is_recorded_as_a_test_and_counts_nowhere() {
    let house = House::open().await;
    let test = TestSend {
        id: DecisionId::derive(&[b"test"]),
        person: Some(PERSON.person_id()),
        journey: "welcome".to_owned(),
        step: 0,
        template: "welcome".to_owned(),
        to: "tester@example.org".to_owned(),
        subject: "Hi Ada".to_owned(),
        text: "Hello Ada.".to_owned(),
        html: None,
        at: now(&house),
        config: house.decision(Channel::Mail).config,
    };
    let body = serde_json::to_string(&MessagesPayload::TestSend(test.clone())).unwrap();
    for _ in 0..2 {
        assert!(ids(&handle(&house.deps, house.batch(std::slice::from_ref(&body), 1)).await.unwrap()).is_empty());
    }
    assert_eq!(house.mail.sent(), 1, "once");
    let event = mail_event(
        &house,
        "Bounce",
        serde_json::json!({ "bounce": { "bounceType": "Permanent", "bounceSubType": "General", "timestamp": NOW,
            "bouncedRecipients": [{ "emailAddress": "tester@example.org" }] } }),
    );
    let own = house.decision(Channel::Mail).id.to_string();
    let event = event.replace(&own, &test.id.to_string()).replace("ada@example.com", "tester@example.org");
    let event = event.replace(r#"\"step\":[\"0\"]"#, r#"\"step\":[\"0\"],\"perennial_test\":[\"1\"]"#);
    assert!(event.contains("perennial_test"), "{event}");
    assert!(ids(&handle(&house.deps, house.batch(&[event], 1)).await.unwrap()).is_empty());
    let record = house.deps.store.message(PERSON.person_id(), test.id).await.unwrap().unwrap();
    assert_eq!((record.test, record.state, record.subject.as_deref()), (true, MessageState::Bounced, Some("Hi Ada")));
    assert!(house.events().await.is_empty(), "no event of the person");
    assert_eq!(house.deps.store.suppression("tester@example.org").await.unwrap(), None);
    let health = house.deps.store.journey_health("welcome", 7, now(&house)).await.unwrap();
    assert_eq!((health.tally.sent, health.tally.bounced), (0, 0));
}

#[tokio::test]
async fn the_waiting_messages_of_a_batch_are_requeued_in_one_request() {
    let house = House::open().await;
    house.mail.answer(Answer::Throttled);
    assert!(!deliver(&house, Channel::Mail, 1).await);
    let (waiting, _) = only(&house.messages);
    let until = now(&house) + SignedDuration::from_mins(40);
    let body = serde_json::to_string(&MessagesPayload::Waiting(Waiting { until, ..waiting })).unwrap();
    let bodies = vec![body; 10];
    let before = house.messages.requests();
    let response = handle(&house.deps, house.batch(&bodies, 1)).await.unwrap();
    assert!(ids(&response).is_empty());
    assert_eq!((house.messages.drain().len(), house.messages.requests() - before), (10, 1));
    // The one that the queue refuses stays, and no other.
    house.messages.refuse_next(1);
    let response = handle(&house.deps, house.batch(&bodies, 1)).await.unwrap();
    assert_eq!((ids(&response).len(), house.messages.drain().len()), (1, 9));
}
