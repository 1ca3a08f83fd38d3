//! A value over time that changes in straight lines and jumps.

/// A moment at which the line bends or jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knot {
    /// Seconds since 1970.
    pub at: i64,
    /// `true` if the value jumps at this time; otherwise it is linear from the previous knot.
    pub jump: bool,
    /// The value from the moment on.
    pub value: i64,
}

/// A value over time: `start` at `from`, then straight lines and jumps, and constant after the last knot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Seconds since 1970.
    pub from: i64,
    /// The value at `from`.
    pub start: i64,
    /// In order of time.
    pub knots: Vec<Knot>,
}

/// A stretch of a [`Line`] without bends and jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its first second.
    pub from: i64,
    /// Its end, exclusive; `i64::MAX` for the last segment, which is constant.
    pub to: i64,
    /// The value at `from`.
    pub first: i64,
    /// The value that it runs to at `to`.
    pub last: i64,
}

impl Stretch {
    /// The value at a second of the stretch, times `scale`.
    pub fn value(&self, at: i64, scale: i64) -> i64 {
        let first = self.first * scale;
        let change = i128::from((self.last - self.first) * scale);
        if change == 0 || at <= self.from {
            return first;
        }
        let moved = change * i128::from(at - self.from) / i128::from(self.to - self.from);
        first + moved as i64
    }
}

impl Line {
    /// A value that does not change.
    pub fn constant(from: i64, start: i64) -> Self {
        Self { from, start, knots: Vec::new() }
    }

    /// The stretches in order of time, none of them empty.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch> + '_ {
        let ends = self.knots.iter().map(|knot| (knot.at, Some(*knot))).chain([(i64::MAX, None)]);
        let (mut from, mut first) = (self.from, self.start);
        ends.filter_map(move |(to, knot)| {
            let last = knot.filter(|knot| !knot.jump).map_or(first, |knot| knot.value);
            let stretch = Stretch { from, to, first, last };
            (from, first) = (to, knot.map_or(first, |knot| knot.value));
            (stretch.from < stretch.to).then_some(stretch)
        })
    }

    /// The value at a second, times `scale`; before `from` that of `from`.
    pub fn value(&self, at: i64, scale: i64) -> i64 {
        let found = self.stretches().find(|stretch| at < stretch.to);
        found.map_or(self.start * scale, |stretch| stretch.value(at, scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_runs_straight_between_knots_and_jumps_at_jumps() {
        let knots = vec![
            Knot { at: 10, jump: false, value: 40 },
            Knot { at: 20, jump: true, value: 30 },
            Knot { at: 20, jump: true, value: 20 },
        ];
        let line = Line { from: 0, start: 80, knots };
        let values = [-5, 0, 5, 9, 10, 19, 20, 1000].map(|at| line.value(at, 1));
        assert_eq!(values, [80, 80, 60, 44, 40, 40, 20, 20]);
        assert_eq!(line.value(5, 125), 7500);
    }
}
