//! People follow their account: the account's facts in conditions, and how soon changes apply.

use crate::support::{Bench, Database, at, config_with, user};
use perennial_config::lifecycle::Milestone;
use perennial_contracts::queue::{AccountsPayload, EventsPayload, Unmerge};
use perennial_domain::billing::Status;
use perennial_domain::{AccountId, Identity, MessageId, PersonId, Stage, UserId};
use perennial_store::Consistency;
use perennial_store::accounts::StoredAccount;
use perennial_testkit::EventBuilder;

const ASKS: [(&str, &str); 3] = [
    (
        "lifecycle.toml",
        r#"!
        [milestones]
        trial = ["Trial Started"]
        customer = ["Subscription Started"]
        [customer]
        onboarding_days = 30
        adopting_days = 90
        at_risk_after_idle_days = 21
        [account]
        people_follow = true
        "#,
    ),
    ("accounts.toml", "[stage]\nevents = [\"Subscription Started\"]\n[domains]\ncompany_domain = true\n"),
    ("segments.toml", "[[segment]]\nname = \"of_acme\"\nwhen = 'account.id == \"acme\" && pays'\n"),
];

fn id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

async fn bench() -> Bench {
    Database::start().bench_with("perennial", config_with(&ASKS)).await
}

async fn stage(bench: &Bench, person: PersonId) -> Stage {
    bench.stored(person).await.unwrap().summary.stage
}

/// Marks the account as paying, as `rollup` does; returns the write's version.
async fn pays(bench: &Bench, account: &str) -> u64 {
    let found = bench.store.account(&id(account), Consistency::Strong).await.unwrap();
    let mut stored = found.unwrap_or_else(|| StoredAccount::new(id(account)));
    stored.account.mark_milestone(Milestone::Customer, at(-60));
    bench.store.save_account(&mut stored).await.unwrap();
    stored.version
}

/// Sets the account's plan, as `rollup` does; returns the write's version.
async fn on_plan(bench: &Bench, account: &str, plan: &str) -> u64 {
    let found = bench.store.account(&id(account), Consistency::Strong).await.unwrap();
    let mut stored = found.unwrap_or_else(|| StoredAccount::new(id(account)));
    let traits = serde_json::json!({ "plan": plan });
    let message = MessageId::parse("plan").unwrap();
    stored.account.merge(&bench.config.accounts.domains, traits.as_object().unwrap(), at(-60), &message);
    bench.store.save_account(&mut stored).await.unwrap();
    stored.version
}

fn wake(account: &str, version: u64, people: &[PersonId]) -> String {
    serde_json::to_string(&EventsPayload::Wake { account: id(account), version, people: people.to_vec() }).unwrap()
}

/// The stage follows from product events at once, including events about the account.
#[tokio::test]
async fn who_is_woken_stands_where_the_account_stands_at_once() {
    let bench = bench().await;
    let trial = vec![
        EventBuilder::group("a", "u", "acme").at(at(-90)).build(),
        EventBuilder::track("b", "u", "Trial Started").at(at(-80)).build(),
    ];
    assert!(bench.feed(&[trial]).await.is_empty());
    assert_eq!(stage(&bench, user("u")).await, Stage::Trial);
    let version = pays(&bench, "acme").await;
    let body = wake("acme", version, &[user("u"), user("nobody")]);
    assert!(bench.hand(vec![body.clone()]).await.is_empty());
    let stored = bench.stored(user("u")).await.unwrap();
    assert_eq!(stored.summary.stage, Stage::Onboarding);
    let members = bench.store.members(&id("acme"), None, None).await.unwrap().members;
    assert_eq!((members[0].person, members[0].stage), (user("u"), Stage::Onboarding));
    assert!(bench.hand(vec![body]).await.is_empty());
    assert_eq!(bench.stored(user("u")).await.unwrap().version, stored.version, "nothing new, so nothing is written");
}

/// A colleague of an account that pays starts a trial in another: they stay a customer, and what that one knows is that it tries.
#[tokio::test]
async fn who_belongs_to_an_account_that_pays_is_a_customer_whatever_they_try_elsewhere() {
    let welcome = "![[journey]]\nid = \"welcome\"\ntrigger = { event = \"Trial Started\" }\nstages = [\"trial\"]\nreentry = \"always\"\n\
        step = [{ channel = \"in_app\", template = \"t\" }]\n";
    let config = config_with(&[&ASKS[..], &[("journeys.toml", welcome)]].concat());
    let bench = Database::start().bench_with("perennial", config).await;
    pays(&bench, "acme").await;
    assert!(bench.feed(&[vec![EventBuilder::group("a", "u", "acme").at(at(-90)).build()]]).await.is_empty());
    assert_eq!(stage(&bench, user("u")).await, Stage::Onboarding);
    let tries = vec![
        EventBuilder::group("b", "u", "initech").at(at(-50)).build(),
        EventBuilder::track("c", "u", "Trial Started").group_id("initech").at(at(-40)).build(),
    ];
    assert!(bench.feed(&[tries]).await.is_empty());
    assert_eq!(stage(&bench, user("u")).await, Stage::Onboarding);
    let members = bench.store.members(&id("initech"), None, None).await.unwrap().members;
    assert_eq!((members[0].person, members[0].elsewhere, members[0].stage), (user("u"), false, Stage::Onboarding));
    assert_eq!(bench.messages.drain().len(), 0, "no prospect's welcome");
    // Once they have left it, they are in trial like anyone else.
    let left = EventBuilder::track("d", "u", "Left Account").group_id("acme").at(at(-30)).build();
    assert!(bench.feed(&[vec![left]]).await.is_empty());
    assert_eq!(stage(&bench, user("u")).await, Stage::Trial);
    let anew = EventBuilder::track("e", "u", "Trial Started").group_id("initech").at(at(-20)).build();
    assert!(bench.feed(&[vec![anew]]).await.is_empty());
    assert_eq!(bench.messages.drain().len(), 1);
}

#[tokio::test]
async fn what_is_known_of_an_account_is_at_most_two_seconds_old() {
    let bench = bench().await;
    let feed = |message: &str| {
        let events = vec![
            EventBuilder::group(message, "u", "acme").at(at(-90)).build(),
            EventBuilder::track(&format!("{message}-t"), "u", "Trial Started").at(at(-80)).build(),
        ];
        let bench = &bench;
        async move { assert!(bench.feed(&[events]).await.is_empty()) }
    };
    feed("a").await;
    pays(&bench, "acme").await;
    bench.time.set(at(1));
    feed("b").await;
    assert_eq!(stage(&bench, user("u")).await, Stage::Trial, "as it was read a second ago");
    bench.time.set(at(2));
    feed("c").await;
    assert_eq!(stage(&bench, user("u")).await, Stage::Onboarding);
}

/// The event and the message about the account come at the same time. For that message there is nothing to change as long as the event is
/// not counted, and the event may be evaluated with the account as it was.
#[tokio::test]
async fn who_is_evaluated_while_the_account_changes_ends_with_the_account_as_it_is() {
    let segment =
        "![[segment]]\nname = \"buys\"\nwhen = 'count(\"Order Completed\") > 0 && account.traits.plan == \"team\"'\n";
    let bench = Database::start().bench_with("perennial", config_with(&[("segments.toml", segment)])).await;
    for round in 0..60 {
        let (name, account) = (format!("u{round}"), format!("acme{round}"));
        let join = EventBuilder::group("a", &name, &account).at(at(-90)).build();
        assert!(bench.feed(&[vec![join]]).await.is_empty());
        let order = [vec![EventBuilder::track("o", &name, "Order Completed").at(at(-40)).build()]];
        let version = on_plan(&bench, &account, "team").await;
        let change = async {
            for _ in 0..round * 10 {
                tokio::task::yield_now().await;
            }
            assert!(bench.hand(vec![wake(&account, version, &[user(&name)])]).await.is_empty());
        };
        let (failed, ()) = tokio::join!(bench.feed(&order), change);
        assert_eq!(failed, [""; 0]);
        let stored = bench.stored(user(&name)).await.unwrap();
        assert_eq!(stored.summary.segments, ["buys"], "round {round}");
    }
    assert_eq!(bench.store.totals().await.unwrap().duplicates, 0, "an event that is evaluated again is no duplicate");
}

#[tokio::test]
async fn the_people_of_a_domain_follow_the_account_that_has_it() {
    let bench = bench().await;
    let mut domain = StoredAccount::new(id("acme.example"));
    domain.account.claimant = Some(id("acme"));
    bench.store.save_account(&mut domain).await.unwrap();
    pays(&bench, "acme").await;
    let identify =
        EventBuilder::identify("a", "u", None).with_trait("email", "ada@it.acme.example").at(at(-90)).build();
    assert!(bench.feed(&[vec![identify]]).await.is_empty());
    assert_eq!(stage(&bench, user("u")).await, Stage::Onboarding);
    assert_eq!(bench.store.members(&id("acme.example"), None, None).await.unwrap().members.len(), 1);
}

/// Merging and unmerging evaluates profiles with their accounts, like every other evaluation.
#[tokio::test]
async fn who_is_joined_or_parted_stands_where_their_account_stands_at_once() {
    let bench = bench().await;
    pays(&bench, "acme").await;
    let trial = |n: u8| EventBuilder::track(&format!("t{n}"), &format!("u{n}"), "Trial Started").at(at(-80)).build();
    let mail = |n: u8| {
        let said = EventBuilder::identify(&format!("m{n}"), &format!("u{n}"), None);
        said.with_trait("email", "ada@mail.example").at(at(-70)).build()
    };
    let member = EventBuilder::group("g", "u1", "acme").at(at(-90)).build();
    assert!(bench.feed(&[vec![member, trial(1), trial(2)]]).await.is_empty());
    let stands = async |person: PersonId| {
        let summary = bench.stored(person).await.unwrap().summary;
        (summary.stage, summary.segments)
    };
    let of_acme = (Stage::Onboarding, vec!["of_acme".to_owned()]);
    let of_nobody = (Stage::Trial, Vec::new());
    assert_eq!((stands(user("u1")).await, stands(user("u2")).await), (of_acme.clone(), of_nobody.clone()));

    assert!(bench.feed(&[vec![mail(1), mail(2)]]).await.is_empty());
    let joined = bench.store.follow(user("u1"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(joined.profile.parts.len(), 2);
    assert_eq!(stands(joined.profile.id).await, of_acme);

    let identity = Identity::User(UserId::parse("u2").unwrap());
    let unmerge = Unmerge { identity, at: at(-5), by: "ada".to_owned(), why: "a desk".to_owned(), done_at: None };
    assert!(bench.hand(vec![serde_json::to_string(&EventsPayload::Unmerge(unmerge)).unwrap()]).await.is_empty());
    assert_eq!((stands(user("u1")).await, stands(user("u2")).await), (of_acme, of_nobody));
}

#[tokio::test]
async fn a_fact_about_the_account_reaches_the_accounts_queue_with_the_time_of_its_sending() {
    let bench = bench().await;
    let mut paid = EventBuilder::track("a", "u", "Subscription Started").at(at(-60)).build();
    paid.group_id = Some(id("acme"));
    bench.time.set(at(5));
    assert!(bench.feed(&[vec![paid]]).await.is_empty());
    let told: Vec<AccountsPayload> =
        bench.accounts.drain().iter().map(|(body, _)| serde_json::from_str(body).unwrap()).collect();
    let [AccountsPayload::Changed { account, traits: None, milestones, subscriptions, at: Some(sent), .. }] =
        told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!((account, *sent), (&id("acme"), at(5)));
    let reported = subscriptions.iter().map(|report| (report.status, report.at)).collect::<Vec<_>>();
    assert_eq!(reported, [(Some(Status::Active), at(-60).as_microsecond())]);
    assert!(milestones.is_empty(), "a subscription is reported once: {milestones:?}");
}

/// As PostHog's server libraries identify a company: without a person.
#[tokio::test]
async fn a_call_about_an_account_alone_reaches_it_and_makes_no_profile() {
    let bench = bench().await;
    let mut group = EventBuilder::group("g", "u", "acme").with_trait("name", "Acme").at(at(-60)).build();
    group.user_id = None;
    assert!(bench.feed(&[vec![group.clone()], vec![EventBuilder::page("p", "anon").build()]]).await.is_empty());
    let told: Vec<AccountsPayload> =
        bench.accounts.drain().iter().map(|(body, _)| serde_json::from_str(body).unwrap()).collect();
    let [AccountsPayload::Changed { account, traits: Some(said), .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((account, said.at, &said.traits), (&id("acme"), at(-60), &group.traits));
    assert!(bench.stored(user("u")).await.is_none());
    // Anybody can read the key of a page: its claims about an account alone have no effect.
    let mut public = EventBuilder::group("x", "u", "acme").with_trait("name", "Evil").at(at(-50)).public().build();
    public.user_id = None;
    assert!(bench.feed(&[vec![public]]).await.is_empty());
    assert!(bench.accounts.drain().is_empty());

    bench.accounts.refuse_next(1);
    assert_eq!(
        bench.feed(&[vec![EventBuilder::page("q", "anon").build()], vec![group]]).await,
        ["r1"],
        "it comes again"
    );
}
