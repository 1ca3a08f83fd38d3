//! Experiments in words.

use crate::words::{counted, number};
use perennial_engine::experiment::report::{Experiment, Group};
use perennial_engine::experiment::verdict::LEAST_PEOPLE;
use perennial_engine::experiment::{Comparison, Estimate, Verdict};

/// Returns the difference from the control in points, with its interval; empty if there are too few people to judge.
#[must_use]
pub fn difference(experiment: &Experiment, group: &Group) -> String {
    let found = group.comparison.as_ref().and_then(|comparison| comparison.difference.as_ref());
    found.filter(|_| judged(experiment, group) >= LEAST_PEOPLE).map(in_points).unwrap_or_default()
}

/// Returns the number of people with a completed period, in the smaller of the group and the control.
fn judged(experiment: &Experiment, group: &Group) -> u64 {
    experiment.groups.first().map_or(0, |control| control.judged).min(group.judged)
}

/// "+3.4 (+0.1 to +6.8)".
fn in_points(difference: &Estimate) -> String {
    let signed = |x: f64| format!("{:+.1}", x * 100.0);
    format!(
        "{} ({} to {})",
        signed(difference.value),
        signed(difference.interval.low),
        signed(difference.interval.high)
    )
}

/// Returns the verdict on a group: whether it is better or worse than the control, or how many people that takes.
#[must_use]
pub fn verdict(comparison: &Comparison, control: &str, experiment: &Experiment, group: &Group) -> String {
    let uplift = comparison.uplift.as_ref().map(|uplift| {
        let percent = |x: f64| format!("{:+.0}", x * 100.0);
        format!(
            ", uplift {} % ({} to {} at one look)",
            percent(uplift.value),
            percent(uplift.interval.low),
            percent(uplift.interval.high)
        )
    });
    let uplift = uplift.unwrap_or_default();
    match comparison.verdict {
        Verdict::Leading => format!("LEADS, better than {control}{uplift}"),
        Verdict::Worse => format!("WORSE than {control}{uplift}"),
        Verdict::Void => "void, as the groups do not compare".to_owned(),
        Verdict::NoDifferenceYet if judged(experiment, group) < LEAST_PEOPLE => {
            let (of, all) = experiment.groups.first().map_or((0, 0), |control| (control.judged, control.people));
            format!(
                "too early to say anything: {} of its {} can be judged by now, whose time for the goal is over, and {} of {} of {control}; \
                 it takes {LEAST_PEOPLE} of each",
                number(group.judged),
                counted(group.people, "person", "people"),
                number(of),
                number(all)
            )
        }
        Verdict::NoDifferenceYet => format!("no difference from {control} yet{uplift}"),
    }
}

/// Returns a share in points of a hundred, without needless digits.
#[must_use]
pub fn points(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
