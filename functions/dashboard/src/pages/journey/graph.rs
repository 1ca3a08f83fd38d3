//! The steps of a journey as a graph: a list of steps, with lines to those that are not next.
//!
//! Steps lead forward only, so the list is in the order of every run; a line at the side shows a jump.

use super::wait;
use crate::words;
use maud::{Markup, html};
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey, Step, Wait};
use perennial_domain::Channel;

/// The height of a step in the picture.
const ROW: usize = 54;
/// The width of the boxes.
const BOX: usize = 300;
/// The space between two lines at the side.
const LANE: usize = 12;
/// The most steps that are drawn; the list below has all.
const MOST: usize = 40;

/// An edge that does not lead to the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Jump {
    from: usize,
    to: usize,
    label: String,
}

/// Returns the graph, and the same as a list.
pub(super) fn shown(config: &Config, journey: &Journey) -> Markup {
    html! {
        @if journey.steps.len() <= MOST { (picture(journey)) }
        details open[journey.steps.len() > MOST] { summary { "As a list" }
            ol.steps {
                li { "Starts: " (perennial_engine::play::words::trigger(config, journey)) }
                @for (at, step) in journey.steps.iter().enumerate() {
                    li { code { (step.id) } " " (told(&step.does))
                        @for jump in jumps_of(at, step) { br;
                        span.mute.small { (jump.label) " → " (target(journey, jump.to)) } } }
                }
                li { "End" }
            }
        }
    }
}

fn target(journey: &Journey, to: usize) -> &str {
    journey.steps.get(to).map_or("the end", |step| step.id.as_str())
}

/// Returns what a step does.
fn told(does: &Does) -> String {
    match does {
        Does::Send(message) => format!("sends {} {}", words::channel(message.channel), message.template),
        Does::Wait(of) => wait(of),
        Does::Branch { when, .. } => {
            format!("asks: {}", when.source().split_whitespace().collect::<Vec<_>>().join(" "))
        }
        Does::Split { ways } => {
            let ways: Vec<String> = ways.iter().map(|way| format!("{} {} %", way.name, way.share)).collect();
            format!("splits: {}", ways.join(", "))
        }
        Does::Event { name } => format!("records the event “{}”", name.as_str()),
        Does::Traits { traits } => format!("sets {}", traits.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
    }
}

/// Returns the class of a step's box.
fn class(does: &Does) -> &'static str {
    match does {
        Does::Send(message) if message.channel == Channel::Webhook => "node task",
        Does::Send(_) => "node send",
        Does::Wait(_) => "node wait",
        Does::Branch { .. } | Does::Split { .. } => "node fork",
        Does::Event { .. } | Does::Traits { .. } => "node",
    }
}

/// Returns the edges of the step at `at` that do not lead to the next one.
fn jumps_of(at: usize, step: &Step) -> Vec<Jump> {
    let mut jumps = Vec::new();
    let mut add = |to: usize, label: String| {
        if to != at + 1 {
            jumps.push(Jump { from: at, to, label });
        }
    };
    match &step.does {
        Does::Branch { to, .. } => add(*to, "yes".to_owned()),
        Does::Split { ways } => ways.iter().for_each(|way| add(way.to, format!("{} {} %", way.name, way.share))),
        Does::Wait(Wait::Event { timeout, .. }) => add(*timeout, "too late".to_owned()),
        _ => {}
    }
    match &step.does {
        // After a split every run is on one of its ways.
        Does::Split { .. } => {}
        Does::Wait(Wait::Event { .. }) => add(step.next, "it happens".to_owned()),
        _ => add(step.next, "then".to_owned()),
    }
    jumps
}

/// Returns whether a run can go from a step to the next one in the list.
fn leads_on(at: usize, step: &Step) -> bool {
    match &step.does {
        Does::Split { ways } => ways.iter().any(|way| way.to == at + 1),
        Does::Branch { to, .. } => *to == at + 1 || step.next == at + 1,
        Does::Wait(Wait::Event { timeout, .. }) => *timeout == at + 1 || step.next == at + 1,
        _ => step.next == at + 1,
    }
}

/// Returns a lane for each jump at the side, the shortest first, so that no two lines of a lane overlap.
fn lanes(jumps: &[Jump]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..jumps.len()).collect();
    order.sort_by_key(|at| (jumps[*at].to - jumps[*at].from, jumps[*at].from));
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut lanes = vec![0; jumps.len()];
    for at in order {
        let (from, to) = (jumps[at].from, jumps[at].to);
        let is_free = |lane: &Vec<(usize, usize)>| lane.iter().all(|(start, end)| to <= *start || from >= *end);
        let lane = taken.iter().position(is_free).unwrap_or_else(|| {
            taken.push(Vec::new());
            taken.len() - 1
        });
        taken[lane].push((from, to));
        lanes[at] = lane;
    }
    lanes
}

fn picture(journey: &Journey) -> Markup {
    let steps = &journey.steps;
    let jumps: Vec<Jump> = steps.iter().enumerate().flat_map(|(at, step)| jumps_of(at, step)).collect();
    let lanes = lanes(&jumps);
    let width = BOX + LANE * (lanes.iter().max().map_or(0, |most| most + 1)) + 66;
    let height = ROW * (steps.len() + 1);
    let middle = |at: usize| ROW * at + ROW / 2 - 6;
    html! {
        div.scroll role="region" aria-label="Graph of the steps" tabindex="0" {
            svg.graph viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="img"
                aria-label="The steps as a graph; the same as a list below" {
                @for (jump, lane) in jumps.iter().zip(&lanes) {
                    @let x = BOX + LANE * (lane + 1);
                    path.edge d=(format!("M{BOX} {}H{x}V{}H{}", middle(jump.from), middle(jump.to), BOX + 5)) {}
                    path.tip d=(format!("M{} {}l7 -4v8z", BOX, middle(jump.to))) {}
                    text.label x=(BOX + 8) y=(middle(jump.from) - 5) { (perennial_domain::text::cut(&jump.label, 16)) }
                }
                @for (at, step) in steps.iter().enumerate() {
                    @let y = ROW * at;
                    rect class=(class(&step.does)) x="1" y=(y + 1) width=(BOX - 2) height=(ROW - 16) rx="8" {}
                    text.title x="12" y=(y + 17) { (perennial_domain::text::cut(&step.id, 38)) }
                    text.what x="12" y=(y + 31) { (perennial_domain::text::cut(&told(&step.does), 44)) }
                    @if leads_on(at, step) {
                        path.edge d=(format!("M24 {}v10", y + ROW - 15)) {}
                        path.tip d=(format!("M20 {}h8l-4 6z", y + ROW - 7)) {}
                    }
                }
                @let y = ROW * steps.len();
                rect.node.end x="1" y=(y + 1) width=(BOX - 2) height="24" rx="12" {}
                text.title x="16" y=(y + 17) { "End" }
            }
        }
        p.legend { span.key { i.send {} "message" } span.key { i.task {} "task or webhook" }
            span.key { i.wait {} "wait" } span.key { i.fork {} "branch or split" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jump(from: usize, to: usize) -> Jump {
        Jump { from, to, label: String::new() }
    }

    #[test]
    fn lines_that_overlap_get_lanes_of_their_own() {
        assert_eq!(lanes(&[jump(0, 5), jump(1, 3), jump(3, 5), jump(2, 4)]), [2, 0, 0, 1]);
        assert_eq!(lanes(&[]), [0_usize; 0]);
    }
}
