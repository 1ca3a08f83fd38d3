//! Straight lines through a value's samples, each within a given distance of them.

use perennial_domain::curve::{Knot, Line};

/// Builds a [`Line`] from samples in order of time. The memory is that of the line.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    slack: f64,
    line: Line,
    /// The start of the current segment.
    anchor: (i64, i64),
    /// The slopes with which the stretch passes all of its samples.
    slopes: (f64, f64),
    /// The stretch's newest sample.
    newest: i64,
}

impl Fit {
    /// A line that begins at `from` with `start`, and is at most `slack` away from later samples, beside what rounding to whole units takes.
    pub(crate) fn new(from: i64, start: i64, slack: f64) -> Self {
        let slopes = (f64::NEG_INFINITY, f64::INFINITY);
        Self { slack, line: Line::constant(from, start), anchor: (from, start), slopes, newest: from }
    }

    /// Adds a sample. Of two at the same second the first is the value just before it, the second the value from then on.
    pub(crate) fn push(&mut self, at: i64, value: f64) {
        if at > self.anchor.0 && !self.extend(at, value) {
            self.close();
        }
        if at > self.anchor.0 {
            // After a close, the first sample of the new stretch always fits.
            self.extend(at, value);
        } else if (value - self.anchor.1 as f64).abs() > self.slack {
            self.jump(at, value);
        }
    }

    /// Extends the stretch to a sample, if one slope passes all of them.
    fn extend(&mut self, at: i64, value: f64) -> bool {
        let (length, start) = ((at - self.anchor.0) as f64, self.anchor.1 as f64);
        let low = self.slopes.0.max((value - self.slack - start) / length);
        let high = self.slopes.1.min((value + self.slack - start) / length);
        if low > high {
            return false;
        }
        (self.slopes, self.newest) = ((low, high), at);
        true
    }

    /// Ends the stretch at its newest sample, and begins the next one there.
    fn close(&mut self) {
        let (low, high) = self.slopes;
        let (at, start) = self.anchor;
        if self.newest > at {
            let is_flat = low <= 0.0 && high >= 0.0;
            let slope = if is_flat { 0.0 } else { (low + high) / 2.0 };
            let value = (start as f64 + slope * (self.newest - at) as f64).round() as i64;
            if value != start {
                if self.line.knots.last().map_or(self.line.from, |knot| knot.at) < at {
                    self.line.knots.push(Knot { at, jump: false, value: start });
                }
                self.line.knots.push(Knot { at: self.newest, jump: false, value });
            }
            self.anchor = (self.newest, value);
        }
        self.slopes = (f64::NEG_INFINITY, f64::INFINITY);
    }

    fn jump(&mut self, at: i64, value: f64) {
        let value = value.round() as i64;
        self.line.knots.push(Knot { at, jump: true, value });
        (self.anchor, self.newest) = ((at, value), at);
        self.slopes = (f64::NEG_INFINITY, f64::INFINITY);
    }

    /// The line up to the newest sample.
    pub(crate) fn line(&self) -> Line {
        let mut ended = self.clone();
        ended.close();
        ended.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn line_is_within_its_slack_of_every_sample(
            start in -100_i64..100,
            samples in prop::collection::vec((0_i64..5_000, -100.0..100.0_f64), 0..60),
            slack in 0.1..5.0_f64,
        ) {
            let mut fit = Fit::new(0, start, slack);
            let mut at = 0;
            let mut last = Vec::new();
            for (gap, value) in &samples {
                at += gap;
                fit.push(at, *value);
                last.push((at, *value));
            }
            let line = fit.line();
            for (index, (at, value)) in last.iter().enumerate() {
                // Of several at one second, the last is the value from then on.
                let is_last = last.get(index + 1).is_none_or(|(next, _)| next > at);
                if *at > 0 && is_last {
                    let found = line.value(*at, 1000) as f64 / 1000.0;
                    prop_assert!((found - value).abs() <= slack + 1.01, "{found} for {value} at {at}: {line:?}");
                }
            }
        }
    }

    #[test]
    fn straight_decline_takes_one_knot_and_a_staircase_one_a_step() {
        let mut decline = Fit::new(0, 800, 2.0);
        (1..=20).for_each(|step| decline.push(step * 100, 800.0 - step as f64 * 40.0));
        assert_eq!(decline.line().knots, [Knot { at: 2000, jump: false, value: 0 }]);
        let mut staircase = Fit::new(0, 800, 2.0);
        for step in 1..=5_i64 {
            staircase.push(step * 100, 800.0 - (step - 1) as f64 * 40.0);
            staircase.push(step * 100, 800.0 - step as f64 * 40.0);
        }
        let knots = staircase.line().knots;
        assert_eq!(knots.len(), 5, "{knots:?}");
        assert!(knots.iter().all(|knot| knot.jump));
    }
}
