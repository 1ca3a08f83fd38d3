//! A change of points and caps as a unified diff, which leaves every other byte of the file as it is: its comments are half of its worth.

use perennial_engine::calibrate::Calibration;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// Lines shown around a change.
const CONTEXT: usize = 3;

#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    category: Vec<Category>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    id: String,
    points: Spanned<f64>,
    cap: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
struct Category {
    name: String,
    score: String,
    cap: Spanned<f64>,
}

/// Returns the diff with the suggestions for the file `text`, for `patch -p1` or `git apply` if `path` leads to the
/// file: points, caps that have to be raised, and missing rules, which are appended. Empty if there is nothing to
/// change. Suggestions for rules that the file does not contain are left out.
///
/// # Errors
/// If the file is not TOML with rules.
pub(super) fn patch(text: &str, path: &str, found: &Calibration) -> anyhow::Result<String> {
    let file: File = toml::from_str(text).map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
    let mut edits: Vec<(Range<usize>, f64)> = Vec::new();
    let mut set = |place: &Spanned<f64>, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value != place.get_ref()) {
            edits.push((place.span(), value));
        }
    };
    for rule in &file.rule {
        let Some(change) = found.rules.iter().find(|change| change.rule == rule.id) else { continue };
        set(&rule.points, change.suggested);
        if let Some(cap) = &rule.cap {
            set(cap, change.cap);
        }
    }
    for category in file.category.iter().filter(|category| category.score == "purchase") {
        let lifted = found.categories.iter().find(|lifted| lifted.name == category.name);
        set(&category.cap, lifted.map(|lifted| lifted.suggested));
    }
    // From the end, so that what stands before stays where it is.
    edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut changed = text.to_owned();
    for (place, value) in edits {
        changed.replace_range(place, &value.to_string());
    }
    let known = |id: &str| file.rule.iter().any(|rule| rule.id == id);
    for rule in found.missing.iter().filter(|rule| !known(&rule.rule)) {
        if !changed.ends_with('\n') {
            changed.push('\n');
        }
        let event = toml::Value::from(rule.event.as_str());
        changed += &format!(
            "\n[[rule]]\nid = \"{}\"\nscore = \"purchase\"\nevent = {event}\npoints = {}\nhalf_life_days = 30\ncap = {}\n",
            rule.rule, rule.points, rule.cap
        );
    }
    Ok(diff(text, &changed, path))
}

/// The unified diff of two texts, of which the new one has the lines of the old one, some of them changed, and may have more after them.
fn diff(old: &str, new: &str, path: &str) -> String {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let is_changed = |at: usize| old.get(at) != new.get(at);
    let mut changed = (0..new.len()).filter(|at| is_changed(*at)).peekable();
    let mut out = String::new();
    if changed.peek().is_some() {
        out = format!("--- a/{path}\n+++ b/{path}\n");
    }
    while let Some(first) = changed.next() {
        let mut last = first;
        // Changes with overlapping context form one hunk.
        while let Some(next) = changed.next_if(|next| *next <= last + 2 * CONTEXT) {
            last = next;
        }
        let (from, to) = (first.saturating_sub(CONTEXT), (last + CONTEXT + 1).min(new.len()));
        let had = old.len().clamp(from, to) - from;
        out += &format!("@@ -{0},{had} +{0},{1} @@\n", from + 1, to - from);
        let mut at = from;
        while at < to {
            if !is_changed(at) {
                line(&mut out, ' ', new[at]);
                at += 1;
                continue;
            }
            let end = (at..to).find(|at| !is_changed(*at)).unwrap_or(to);
            old.iter().take(end).skip(at).for_each(|old| line(&mut out, '-', old));
            new[at..end].iter().for_each(|new| line(&mut out, '+', new));
            at = end;
        }
    }
    out
}

fn line(out: &mut String, sign: char, line: &str) {
    out.push(sign);
    out.push_str(line);
    if !line.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_engine::calibrate::{CategoryCap, MissingRule, RulePoints};
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// Returns a calibration with only points of rules.
    fn of_points(points: &[(&str, f64)]) -> Calibration {
        let rule = |(id, points): &(&str, f64)| RulePoints {
            rule: (*id).to_owned(),
            event: "E".to_owned(),
            tally: "t".to_owned(),
            now: 1.0,
            suggested: Some(*points),
            cap: None,
        };
        Calibration {
            people: 40,
            tallies: Vec::new(),
            points: None,
            rules: points.iter().map(rule).collect(),
            categories: Vec::new(),
            missing: Vec::new(),
            path: None,
            unreadable: 0,
            damaged: 0,
        }
    }

    fn rule(id: &str, points: &str) -> String {
        format!(
            "# What {id} is for.\n[[rule]]\nid = \"{id}\"\nscore = \"purchase\"\nevent = \"E\"\npoints = {points} # see above\nhalf_life_days = 30\ncap = 16\n\n"
        )
    }

    /// Applies the diff with `command`; returns the resulting file.
    fn applied(text: &str, diff: &str, command: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config/scoring.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        let mut child = Command::new(command[0])
            .args(&command[1..])
            .current_dir(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{command:?} does not take\n{diff}");
        std::fs::read_to_string(file).unwrap()
    }

    #[test]
    fn the_patch_applies_and_changes_points_alone() {
        let (old, new) = (["4", "35.0", "-15", "12", "8"], ["8", "8", "-15", "12", "9"]);
        let ids = ["a", "b", "c", "d", "e"];
        let file = |points: [&str; 5]| ids.iter().zip(points).map(|(id, points)| rule(id, points)).collect::<String>();
        let points = of_points(&[("a", 8.0), ("b", 8.0), ("d", 12.0), ("e", 9.0), ("elsewhere", 1.0)]);
        // With and without a final line end.
        for text in [file(old), file(old).trim_end().to_owned() + "\npoints2 = 1"] {
            let expected =
                if text.ends_with("= 1") { file(new).trim_end().to_owned() + "\npoints2 = 1" } else { file(new) };
            let diff = patch(&text, "config/scoring.toml", &points).unwrap();
            for command in [&["git", "apply", "-"][..], &["patch", "-p1"]] {
                assert_eq!(applied(&text, &diff, command), expected);
            }
        }
    }

    #[test]
    fn the_last_line_may_change_too() {
        let text = "[[rule]]\nid = \"a\"\npoints = 4";
        let diff = patch(text, "config/scoring.toml", &of_points(&[("a", 8.0)])).unwrap();
        assert_eq!(applied(text, &diff, &["git", "apply", "-"]), "[[rule]]\nid = \"a\"\npoints = 8");
    }

    #[test]
    fn without_a_change_there_is_no_patch() {
        assert_eq!(patch(&rule("a", "8"), "x", &of_points(&[("a", 8.0)])).unwrap(), "");
        assert!(patch("[[rule]\n", "x", &of_points(&[])).is_err());
    }

    #[test]
    fn the_default_config_stays_a_config() {
        let mut bundle = perennial_local::bundle::embedded();
        let text = bundle.files["scoring.toml"].clone();
        let mut found = of_points(&[("purchase_content", 9.0), ("purchase_demo", 9.0)]);
        found.rules[0].cap = Some(45.0);
        found.categories.push(CategoryCap { name: "content".into(), now: 40.0, suggested: 72.0 });
        found.missing.push(MissingRule {
            rule: "purchase_paywall_reached".into(),
            event: "Paywall \"Reached\"".into(),
            tally: "decision".into(),
            points: 9.0,
            cap: 36.0,
        });
        let diff = patch(&text, "config/scoring.toml", &found).unwrap();
        bundle.files.insert("scoring.toml".to_owned(), applied(&text, &diff, &["git", "apply", "-"]));
        let config = perennial_config::Config::load(&bundle).unwrap();
        let of = |id: &str| config.scoring.rules.iter().find(|rule| rule.id == id).unwrap().points;
        assert_eq!((of("purchase_content"), of("purchase_demo")), (9.0, 9.0));
    }
}
