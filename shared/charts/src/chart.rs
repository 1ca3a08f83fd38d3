//! Lines, bars and trends. Colours come from the style sheet around them, so that each chart follows the reader's theme.

use maud::{Markup, html};
use perennial_domain::text::cut;
use std::fmt::Write as _;

/// The width of a chart in its own units; the page scales it.
const WIDTH: f64 = 640.0;
/// The height of a line chart.
const HEIGHT: f64 = 200.0;
/// The space for the labels of the vertical axis.
const LEFT: f64 = 44.0;
/// The space for the labels of the horizontal axis.
const BOTTOM: f64 = 22.0;
/// The space above the highest value.
const TOP: f64 = 8.0;
/// The most points of a line: more would not be seen.
const MOST_POINTS: usize = 400;

/// A line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name, for the legend.
    pub name: String,
    /// A value for each position; `None` where there is none.
    pub values: Vec<Option<f64>>,
}

/// A bar of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Its label.
    pub label: String,
    /// Its length, not negative.
    pub value: f64,
    /// The value in words.
    pub shown: String,
    /// `true` to colour it as a warning.
    pub is_bad: bool,
}

/// A chart without its frame.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Its width, in its own units.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// The elements of SVG.
    pub marks: Markup,
    /// The names of its lines, in the order of their colours; empty for bars.
    pub legend: Vec<String>,
}

impl Drawing {
    /// Returns the chart as a figure of a page that has a table with the same numbers below it.
    #[must_use]
    pub fn figure(&self, title: &str) -> Markup {
        html! {
            figure class={ "chart" @if self.legend.is_empty() { " bars" } } {
                svg viewBox=(format!("0 0 {} {}", self.width, self.height)) role="img"
                    aria-label=(format!("{title}; the same as a table below")) { (self.marks) }
                @if !self.legend.is_empty() {
                    figcaption {
                        @for (nth, name) in self.legend.iter().enumerate() { span.key { i class={ "s" (nth) } {} (name) } }
                    }
                }
            }
        }
    }
}

/// Returns a line chart of up to four series over the positions `labels`; `None` without two positions.
#[must_use]
pub fn lines(labels: &[String], series: &[Series], shown: &dyn Fn(f64) -> String) -> Option<Drawing> {
    let skip = labels.len().saturating_sub(MOST_POINTS);
    let labels = labels.get(skip..).unwrap_or_default();
    let series: Vec<(&str, &[Option<f64>])> =
        series.iter().take(4).map(|one| (one.name.as_str(), one.values.get(skip..).unwrap_or_default())).collect();
    let highest =
        series.iter().flat_map(|(_, values)| values.iter().flatten()).fold(0.0_f64, |most, value| most.max(*value));
    if labels.len() < 2 || !highest.is_finite() {
        return None;
    }
    let top = nice(highest);
    let x = |at: usize| LEFT + (WIDTH - LEFT - 8.0) * at as f64 / (labels.len() - 1) as f64;
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value.max(0.0) / top);
    let ticks = [0.0, top / 2.0, top];
    let places = [0, (labels.len() - 1) / 2, labels.len() - 1];
    let marks = html! {
        @for tick in ticks {
            line.grid x1=(LEFT) x2=(WIDTH - 8.0) y1=(point(y(tick))) y2=(point(y(tick))) {}
            text.axis x=(LEFT - 6.0) y=(point(y(tick) + 4.0)) text-anchor="end" { (shown(tick)) }
        }
        @for (nth, at) in places.iter().enumerate() {
            text.axis x=(point(x(*at))) y=(HEIGHT - 4.0) text-anchor=(["start", "middle", "end"][nth]) { (labels[*at]) }
        }
        @for (nth, (_, values)) in series.iter().enumerate() {
            path class={ "line s" (nth) } d=(trace(values, &x, &y)) {}
        }
    };
    let legend = series.iter().map(|(name, _)| (*name).to_owned()).collect();
    Some(Drawing { width: WIDTH, height: HEIGHT, marks, legend })
}

/// Returns the path of a line; a gap where there is no value.
fn trace(values: &[Option<f64>], x: &dyn Fn(usize) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut is_down = false;
    for (at, value) in values.iter().enumerate() {
        let Some(value) = value else {
            is_down = false;
            continue;
        };
        let command = if is_down { 'L' } else { 'M' };
        let _infallible = write!(path, "{command}{} {}", point(x(at)), point(y(*value)));
        is_down = true;
    }
    path
}

/// Returns a number with at most one decimal.
fn point(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Returns the next number above `value` that is a good end of an axis: a round number of which half is round as well.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|end| *end >= value * 0.999_999).unwrap_or(value)
}

/// Returns horizontal bars with their labels and values; `None` if none has a length.
#[must_use]
pub fn bars(bars: &[Bar]) -> Option<Drawing> {
    const ROW: f64 = 26.0;
    const LABEL: f64 = 118.0;
    const ROOM: f64 = 190.0;
    const WIDTH: f64 = 380.0;
    let longest = bars.iter().fold(0.0_f64, |most, bar| most.max(bar.value));
    if bars.is_empty() || longest <= 0.0 || !longest.is_finite() {
        return None;
    }
    let marks = html! {
        @for (at, bar) in bars.iter().enumerate() {
            @let y = ROW * at as f64;
            @let width = (ROOM * bar.value / longest).max(if bar.value > 0.0 { 2.0 } else { 0.0 });
            text.label x="0" y=(point(y + 17.0)) { (cut(&bar.label, 18)) }
            rect class={ "bar-fill" @if bar.is_bad { " bad" } } x=(LABEL) y=(point(y + 5.0)) width=(point(width)) height="16"
                rx="3" {}
            text.value x=(point(LABEL + width + 8.0)) y=(point(y + 17.0)) { (bar.shown) }
        }
    };
    Some(Drawing { width: WIDTH, height: ROW * bars.len() as f64, marks, legend: Vec::new() })
}

/// Returns a line of scores from 0 to 100, the newest last; nothing without two.
#[must_use]
pub fn spark(values: &[u8], is_bad: bool) -> Markup {
    if values.len() < 2 {
        return html! {};
    }
    let x = |at: usize| 2.0 + 56.0 * at as f64 / (values.len() - 1) as f64;
    let y = |value: f64| 18.0 - 16.0 * value / 100.0;
    let points: Vec<Option<f64>> = values.iter().map(|value| Some(f64::from(*value))).collect();
    let last = values.last().copied().unwrap_or_default();
    html! {
        svg class={ "spark" @if is_bad { " bad" } } viewBox="0 0 60 20" aria-hidden="true" focusable="false" {
            path.line d=(trace(&points, &x, &y)) {}
            circle cx="58" cy=(point(y(f64::from(last)))) r="2" {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn axis_ends_above_the_highest_value() {
        assert_eq!(
            [0.0, 0.9, 1.0, 1.1, 23.0, 27.0, 51.0, 1_284.0].map(nice),
            [1.0, 1.0, 1.0, 1.2, 25.0, 30.0, 60.0, 1_500.0]
        );
    }

    #[test]
    fn missing_value_leaves_a_gap() {
        let x = |at: usize| at as f64;
        let y = |value: f64| value;
        assert_eq!(trace(&[Some(1.0), Some(2.5), None, Some(3.0)], &x, &y), "M0 1L1 2.5M3 3");
    }

    #[test]
    fn longest_bar_takes_the_whole_room_and_markup_is_escaped() {
        let bar = |label: &str, value| Bar { label: label.to_owned(), value, shown: value.to_string(), is_bad: false };
        let svg = bars(&[bar("<b>", 10.0), bar("two", 5.0), bar("none", 0.0)]).unwrap().figure("t").into_string();
        assert!(
            svg.contains(r#"width="190""#) && svg.contains(r#"width="95""#) && svg.contains(r#"width="0""#),
            "{svg}"
        );
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
        assert!(bars(&[bar("none", 0.0)]).is_none() && bars(&[bar("all", f64::INFINITY)]).is_none());
    }

    #[test]
    fn one_point_is_no_line() {
        assert_eq!(spark(&[5], false).into_string(), "");
        let one = Series { name: "a".to_owned(), values: vec![Some(1.0)] };
        assert!(lines(&["x".to_owned()], &[one], &|value| value.to_string()).is_none());
    }
}
