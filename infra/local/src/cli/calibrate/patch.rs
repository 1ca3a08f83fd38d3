//! A change of points as a unified diff, which leaves every other byte of the file as it is: its comments are half of its worth.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Lines shown around a change.
const CONTEXT: usize = 3;

#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    id: String,
    points: Spanned<f64>,
}

/// The diff that gives the rules in `points` these points, for `patch -p1` or `git apply` where `path` leads to the file; empty
/// where they have them already. Rules that the file does not have are left out.
///
/// # Errors
/// Where the file is no TOML with rules.
pub(super) fn patch(text: &str, path: &str, points: &BTreeMap<&str, f64>) -> anyhow::Result<String> {
    let file: File = toml::from_str(text).map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
    let mut changed = text.to_owned();
    let mut rules = file.rule;
    // From the end, so that what stands before stays where it is.
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.points.span().start));
    for rule in rules {
        if let Some(points) = points.get(rule.id.as_str()).filter(|points| **points != *rule.points.get_ref()) {
            changed.replace_range(rule.points.span(), &points.to_string());
        }
    }
    Ok(diff(text, &changed, path))
}

/// The unified diff of two texts with the same number of lines.
fn diff(old: &str, new: &str, path: &str) -> String {
    let lines: Vec<(&str, &str)> = old.split_inclusive('\n').zip(new.split_inclusive('\n')).collect();
    let mut changed = (0..lines.len()).filter(|at| lines[*at].0 != lines[*at].1).peekable();
    let mut out = String::new();
    if changed.peek().is_some() {
        out = format!("--- a/{path}\n+++ b/{path}\n");
    }
    while let Some(first) = changed.next() {
        let mut last = first;
        // Changes whose lines around them meet stand together.
        while let Some(next) = changed.next_if(|next| *next <= last + 2 * CONTEXT) {
            last = next;
        }
        let (from, to) = (first.saturating_sub(CONTEXT), (last + CONTEXT + 1).min(lines.len()));
        out += &format!("@@ -{0},{1} +{0},{1} @@\n", from + 1, to - from);
        let mut at = from;
        while at < to {
            let same = |at: &usize| lines[*at].0 == lines[*at].1;
            if same(&at) {
                line(&mut out, ' ', lines[at].0);
                at += 1;
                continue;
            }
            let end = (at..to).find(same).unwrap_or(to);
            lines[at..end].iter().for_each(|(old, _)| line(&mut out, '-', old));
            lines[at..end].iter().for_each(|(_, new)| line(&mut out, '+', new));
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
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn rule(id: &str, points: &str) -> String {
        format!(
            "# What {id} is for.\n[[rule]]\nid = \"{id}\"\nscore = \"purchase\"\nevent = \"E\"\npoints = {points} # see above\nhalf_life_days = 30\ncap = 16\n\n"
        )
    }

    /// Applies the diff with `command`; gives the file after it.
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
        let points = BTreeMap::from([("a", 8.0), ("b", 8.0), ("d", 12.0), ("e", 9.0), ("elsewhere", 1.0)]);
        // With and without an end of the last line.
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
        let diff = patch(text, "config/scoring.toml", &BTreeMap::from([("a", 8.0)])).unwrap();
        assert_eq!(applied(text, &diff, &["git", "apply", "-"]), "[[rule]]\nid = \"a\"\npoints = 8");
    }

    #[test]
    fn without_a_change_there_is_no_patch() {
        assert_eq!(patch(&rule("a", "8"), "x", &BTreeMap::from([("a", 8.0)])).unwrap(), "");
        assert!(patch("[[rule]\n", "x", &BTreeMap::new()).is_err());
    }

    #[test]
    fn the_default_config_stays_a_config() {
        let mut bundle = crate::bundle::embedded();
        let text = bundle.files["scoring.toml"].clone();
        let points = BTreeMap::from([("purchase_content", 9.0), ("purchase_demo", 9.0)]);
        let diff = patch(&text, "config/scoring.toml", &points).unwrap();
        bundle.files.insert("scoring.toml".to_owned(), applied(&text, &diff, &["git", "apply", "-"]));
        let config = perennial_config::Config::load(&bundle).unwrap();
        let of = |id: &str| config.scoring.rules.iter().find(|rule| rule.id == id).unwrap().points;
        assert_eq!((of("purchase_content"), of("purchase_demo")), (9.0, 9.0));
    }
}
