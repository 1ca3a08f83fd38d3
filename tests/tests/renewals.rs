//! Renewals end to end: billing data of an account sets its people's timers, however idle they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Client, stack_with};
use jiff::Timestamp;
use perennial_domain::time::plus_days;
use perennial_lambda_kit::SimulatedTime;
use perennial_local::stack::{Stack, StackOptions};
use serde_json::{Value, json};

const NOW: &str = "2026-03-02T12:00:00Z";
const JOURNEYS: &str = r#"
[[journey]]
id = "third_renewal_sponsor"
trigger = { becomes = 'account.renewals == 2 && account.renews_in_days <= 60' }
when = 'persona("executive_sponsor")'
step = [{ channel = "in_app", template = "first_steps" }]
[[journey]]
id = "third_renewal_user"
trigger = { becomes = 'account.renewals == 2 && account.renews_in_days <= 60' }
when = '!persona("executive_sponsor")'
step = [{ channel = "in_app", template = "error_help" }]
"#;
const RENEWAL: &str = "\n[renewal]\nevents = [\"Subscription Renewed\"]\ntrait = \"renews_at\"\n";

struct House {
    stack: Stack,
    time: SimulatedTime,
    client: Client,
}

impl House {
    async fn new() -> Self {
        let mut config = perennial_local::bundle::embedded();
        config.files.insert("journeys.toml".to_owned(), JOURNEYS.to_owned());
        let accounts = config.files.entry("accounts.toml".to_owned()).or_default();
        if !accounts.contains("[renewal]") {
            accounts.push_str(RENEWAL);
        }
        let (stack, time) = stack_with(NOW, |options| StackOptions { fast: true, config, ..options }).await;
        let client = Client::new(stack.base_url());
        Self { stack, time, client }
    }

    async fn says(&self, kind: &str, user: &str, rest: Value) {
        let now = self.time.now();
        let id = format!("{kind}-{user}-{}", perennial_domain::hash::hash64(&[rest.to_string().as_bytes()]));
        let mut call = json!({ "messageId": id, "type": kind, "userId": user, "timestamp": now.to_string() });
        call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        self.client.batch(&[call.to_string()]).await;
        self.stack.wait_idle().await.unwrap();
    }

    /// Advances time day by day.
    async fn until(&self, at: Timestamp) {
        while self.time.now() < at {
            self.time.set(plus_days(self.time.now(), 1).min(at));
            self.stack.fire_schedules().await;
            self.stack.wait_idle().await.unwrap();
        }
    }

    /// Returns the journeys that sent a message to a person.
    async fn heard(&self, user: &str) -> Vec<String> {
        let (_, inbox) = self.client.get(&format!("/api/inbox/{user}")).await;
        let messages = inbox["messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|message| message["journey"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_days_before_the_third_renewal_sponsor_and_users_hear_different_things_and_nobody_else_does() {
    let house = House::new().await;
    let start: Timestamp = NOW.parse().unwrap();
    for (account, sponsor, user) in [("acme", "ceo", "ann"), ("globex", "cfo", "gus")] {
        house.says("identify", sponsor, json!({ "traits": { "title": "CEO" } })).await;
        house.says("group", sponsor, json!({ "groupId": account })).await;
        house.says("group", user, json!({ "groupId": account })).await;
    }
    // The second renewal of the one, the first of the other; billing sets the next in 70 days. Nobody is active any
    // more.
    let renews_at = plus_days(start, 70);
    let renewed = |account: &str, nth: u8| {
        let properties = json!({ "invoice": nth, "renews_at": renews_at.as_second() });
        json!({ "event": "Subscription Renewed", "properties": properties, "context": { "groupId": account } })
    };
    house.says("track", "cus_1", renewed("acme", 1)).await;
    house.says("track", "cus_1", renewed("acme", 2)).await;
    house.says("track", "cus_2", renewed("globex", 1)).await;
    let (_, account) = house.client.get("/api/accounts/acme").await;
    assert_eq!((&account["renewals"], &account["renews_at"]), (&json!(2), &json!(renews_at.to_string())));

    house.until(plus_days(start, 9)).await;
    assert_eq!((house.heard("ceo").await, house.heard("ann").await), (vec![], vec![]), "61 days before");
    house.until(plus_days(start, 11)).await;
    assert_eq!(house.heard("ceo").await, ["third_renewal_sponsor"]);
    assert_eq!(house.heard("ann").await, ["third_renewal_user"]);
    assert_eq!((house.heard("cfo").await, house.heard("gus").await), (vec![], vec![]), "their second renewal");
    house.stack.stop().await;
}
