//! Reports and the pass that counts them; extracts of the archive.

use crate::bounds::{damage, noise};
use crate::support::{at, bundle, feed, new, store, user};
use perennial_config::Config;
use perennial_engine::Profile;
use perennial_store::figures::{Found, Pass};
use perennial_store::traces::Subject;
use perennial_store::{Archive, Store};
use perennial_testkit::EventBuilder;

async fn stored(store: &Store) -> Pass<Vec<u64>> {
    match store.figures_pass().await.unwrap() {
        Found::Pass(pass) => pass,
        other => panic!("no pass: {other:?}"),
    }
}

#[tokio::test]
async fn a_pass_is_stored_with_its_place_and_another_run_does_not_overwrite_it() {
    let store = store().await;
    feed(&store, &mut new("ada"), &[EventBuilder::track("m", "ada", "Paid").at(at(-60)).build()]).await;
    let version = Config::load(&bundle(0)).unwrap().version;
    assert!(matches!(store.figures_pass::<Vec<u64>>().await.unwrap(), Found::Nothing));
    let mut pass = Pass::new(None, at(0), version.clone(), vec![1_u64]);
    let mut other = pass.clone();
    assert!(store.note_figures_pass(&mut pass).await.unwrap());
    assert!(!store.note_figures_pass(&mut other).await.unwrap(), "another run was first");
    let mut pass = stored(&store).await;
    assert_eq!((&pass.began, &pass.counted, pass.is_read), (&(at(0), version.clone()), &Some(vec![1]), false));
    pass.is_read = true;
    assert!(store.note_figures_pass(&mut pass).await.unwrap());
    let mut pass = stored(&store).await;
    assert!(pass.is_read && pass.from.is_none());
    pass.counted = None;
    assert!(store.note_figures_pass(&mut pass).await.unwrap());
    assert_eq!(stored(&store).await.counted, None);

    damage(&store, "FIGURES", "PASS", "body", noise()).await;
    let Found::Unreadable(stored_version) = store.figures_pass::<Vec<u64>>().await.unwrap() else { panic!("readable") };
    let mut pass = Pass::replacing(stored_version, at(9), version, vec![2]);
    assert!(store.note_figures_pass(&mut pass).await.unwrap());
    assert_eq!(stored(&store).await.counted, Some(vec![2]));
}

#[tokio::test]
async fn large_pass_is_stored_in_several_items_and_read_whole() {
    let store = store().await;
    let version = Config::load(&bundle(0)).unwrap().version;
    // Numbers that do not compress, of about 2 MB.
    let large =
        |salt: u64| (0..120_000_u64).map(|number| (number + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let mut pass = Pass::<Vec<u64>>::new(None, at(0), version, large(0));
    let mut other = pass.clone();
    other.counted = Some(large(1));
    assert!(store.note_figures_pass(&mut pass).await.unwrap());
    assert!(!store.note_figures_pass(&mut other).await.unwrap(), "another run was first");
    assert_eq!(stored(&store).await.counted, Some(large(0)), "and wrote over nothing of it");
    let mut next = stored(&store).await;
    next.counted = Some(large(2));
    assert!(store.note_figures_pass(&mut next).await.unwrap());
    assert_eq!(stored(&store).await.counted, Some(large(2)));
}

#[tokio::test]
async fn a_report_of_a_later_run_stays_and_each_day_keeps_its_last() {
    let store = store().await;
    let day = |text: &str| Some(text.parse().unwrap());
    assert_eq!(store.report::<String>("funnel", None).await.unwrap(), None);
    for (second, text) in [(0, "first"), (0, "again"), (90_000, "next day"), (60, "late")] {
        store.put_report("funnel", at(second), true, &text).await.unwrap();
    }
    assert_eq!(store.report::<String>("funnel", None).await.unwrap().as_deref(), Some("next day"));
    assert_eq!(store.report::<String>("funnel", day("2026-01-01")).await.unwrap().as_deref(), Some("late"));
    assert_eq!(store.report::<String>("funnel", day("2026-01-02")).await.unwrap().as_deref(), Some("next day"));
    store.put_report("people", at(0), false, &"names").await.unwrap();
    assert_eq!(store.report::<String>("people", day("2026-01-01")).await.unwrap(), None);
    damage(&store, "FIGURES#funnel", "LAST", "body", noise()).await;
    assert!(store.report::<String>("funnel", None).await.unwrap_err().is_unreadable());
}

#[tokio::test]
async fn extracts_of_a_day_go_when_its_events_are_taken_out() {
    let archive = Archive::memory();
    let events = ["ada", "bob"].map(|who| EventBuilder::track(who, who, "Paid").at(at(0)).build());
    archive.write(&events).await.unwrap();
    archive.write([&EventBuilder::track("later", "bob", "Paid").at(at(90_000)).build()]).await.unwrap();
    let days = archive.days_of_receipt().await.unwrap();
    assert_eq!(days.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2026-01-01", "2026-01-02"]);
    assert_eq!(archive.objects_of(days[0]).await.unwrap(), 1);
    for day in &days {
        archive.put_extract("kind", *day, &day.to_string()).await.unwrap();
    }
    let extract = |day| archive.extract::<String>("kind", day);
    assert_eq!(extract(days[0]).await.unwrap().as_deref(), Some("2026-01-01"));
    assert_eq!(archive.days_of_receipt().await.unwrap(), days, "extracts are no events");
    let subject = Subject::of(&Profile::new(user("ada")));
    for object in archive.objects_since(None).await.unwrap() {
        let share = archive.share(&object, &subject).await.unwrap();
        archive.take_out(&object, &share).await.unwrap();
    }
    assert_eq!((extract(days[0]).await.unwrap(), extract(days[1]).await.unwrap().is_some()), (None, true));
}
