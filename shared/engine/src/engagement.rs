//! Engagement: the frequency and amount of activity, as one number from 0 to 100.
//!
//! - Frequency: the active days of the last 28, as a share of those of full engagement.
//! - Amount: recent actions ([`crate::activity::Actions::left`]), which give half of their most at a configured number,
//!   three quarters at twice that number, and so on: one day of many actions counts, but never as much as returning.
//!
//! The amount adds to what the days leave open: `100 - (100 - often) * (100 - much) / 100`. So engagement stays within
//! 0 and 100, another action never lowers it, and without any it falls to 0 within five weeks.

use crate::points::pow2;
use crate::state::State;
use jiff::Timestamp;
use perennial_config::scoring::EngagementRule;
use perennial_domain::Score;
use perennial_domain::time::day_of;
use serde::Serialize;

/// Days that are looked back on.
pub const DAYS: u32 = 28;

/// Engagement, and its components.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Engagement {
    /// 0 to 100.
    pub value: Score,
    /// Active days of the last [`DAYS`].
    pub active_days: u32,
    /// Points of the active days.
    pub often: f64,
    /// Recent actions, rounded: those of this week, and the decayed ones before.
    pub actions: u32,
    /// Points that these add.
    pub much: f64,
}

impl Engagement {
    /// The engagement of a state at a moment.
    pub(crate) fn of(rule: &EngagementRule, state: &State, now: Timestamp) -> Self {
        let active_days = state.days.active(day_of(now), DAYS);
        let often = (f64::from(active_days) / f64::from(rule.active_days.max(1))).min(1.0) * 100.0;
        let actions = state.actions.left(now);
        let alone = f64::from(rule.most) * (1.0 - pow2(-actions / f64::from(rule.actions.max(1))));
        let much = (100.0 - often) * alone / 100.0;
        Self { value: Score::from_points(often + much), active_days, often, actions: actions.round() as u32, much }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::activity::Actions;
    use perennial_domain::time::{plus_days, week_of};
    use proptest::prelude::*;

    fn monday() -> Timestamp {
        "2026-03-02T10:00:00Z".parse().unwrap()
    }

    /// Returns a state with so many actions on each of these days.
    fn state(days: &[(i64, u32)]) -> State {
        let mut state = State::default();
        for (day, actions) in days {
            let at = plus_days(monday(), *day);
            state.days.mark(day_of(at));
            (0..*actions).for_each(|_| state.actions.count(week_of(at)));
        }
        state
    }

    fn engagement(days: &[(i64, u32)], now: i64) -> Engagement {
        Engagement::of(&EngagementRule::default(), &state(days), plus_days(monday(), now))
    }

    #[test]
    fn who_reads_32_pieces_in_a_day_is_engaged_and_who_comes_back_each_day_is_more_so() {
        // 60 * (1 - 2^(-32 / 24)) = 36.19 of the 95 that one day of 20 leaves open.
        let one_day = engagement(&[(0, 32)], 0);
        assert_eq!((one_day.value.get(), one_day.active_days, one_day.actions), (39, 1, 32));
        assert!((one_day.often - 5.0).abs() < 1e-9 && (one_day.much - 34.38).abs() < 0.01, "{one_day:?}");
        let daily: Vec<(i64, u32)> = (0..28).map(|day| (day, 2)).collect();
        assert_eq!(engagement(&daily, 27).value.get(), 100);
        let twice_a_week: Vec<(i64, u32)> = (0..8).map(|nth| (nth * 7 / 2, 1)).collect();
        let much_twice_a_week: Vec<(i64, u32)> = (0..8).map(|nth| (nth * 7 / 2, 8)).collect();
        assert!(engagement(&twice_a_week, 27).value.get() + 15 < engagement(&much_twice_a_week, 27).value.get());
    }

    #[test]
    fn one_action_is_little_and_thousands_in_a_day_are_not_full_engagement() {
        // 5 + 0.95 * 60 * (1 - 2^(-1 / 24)) = 6.6
        assert_eq!(engagement(&[(0, 1)], 0).value.get(), 7);
        // 5 + 0.95 * 60 = 62
        assert_eq!(engagement(&[(0, 100_000)], 0).value.get(), 62);
    }

    #[test]
    fn it_decays_to_nothing_within_five_weeks() {
        let values: Vec<u8> = [0, 7, 14, 21, 28, 35].map(|day| engagement(&[(0, 32)], day).value.get()).into();
        // The week ends ten hours before day 7 is over: 32 * 2^(-10 / 168) are left then, half of them on day 14, and
        // so on. On day 14 that is 5 + 0.95 * 60 * (1 - 2^(-15.35 / 24)) = 25.4; on day 28 the active day is out of the
        // window: 60 * (1 - 2^(-3.84 / 24)).
        assert_eq!(values, [39, 39, 25, 16, 6, 0]);
    }

    #[test]
    fn twenty_active_days_are_full_engagement_whatever_the_amount() {
        let days: Vec<(i64, u32)> = (0..20).map(|day| (day, 1)).collect();
        assert_eq!(engagement(&days, 19).value.get(), 100);
        let half: Vec<(i64, u32)> = (0..10).map(|day| (day, 0)).collect();
        assert_eq!(engagement(&half, 9).value.get(), 50, "without actions the days alone count");
    }

    proptest! {
        #[test]
        fn an_action_more_never_lowers_it_and_it_stays_within_0_and_100(
            days in proptest::collection::vec((0_i64..60, 0_u32..50), 0..40), one_more in 0_i64..60, now in 0_i64..90
        ) {
            let before = engagement(&days, now);
            let mut more = days.clone();
            more.push((one_more.min(now), 1));
            let after = engagement(&more, now);
            prop_assert!(after.value >= before.value, "{:?} {:?}", before, after);
            prop_assert!(after.value.get() <= 100 && (after.often + after.much) <= 100.0 + 1e-9);
        }

        #[test]
        fn silence_never_raises_it(days in proptest::collection::vec((0_i64..30, 0_u32..50), 0..30), now in 30_i64..60) {
            prop_assert!(engagement(&days, now + 1).value <= engagement(&days, now).value);
        }

        #[test]
        fn actions_are_the_same_in_any_order_and_grouping(
            weeks in proptest::collection::vec(2900_i32..2915, 0..60), cut in 0_usize..60
        ) {
            let count = |weeks: &[i32]| weeks.iter().fold(Actions::default(), |mut all, week| { all.count(*week); all });
            let straight = count(&weeks);
            let mut sorted = weeks.clone();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(&count(&sorted), &straight);
            let (first, second) = weeks.split_at(cut.min(weeks.len()));
            let mut merged = count(second);
            merged.merge(&count(first));
            prop_assert_eq!(merged, straight);
        }
    }
}
