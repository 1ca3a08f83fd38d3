//! Names that are nearly right, and what was probably meant.

/// Returns the texts in backticks.
pub(crate) fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// Returns the name of `allowed` nearest to `name`, if it is near enough: in another spelling (`halfLifeDays`,
/// `half-life-days`), with a typing error, or shortened by a word (`half_life`).
pub fn nearest<'a>(name: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &'a str| {
        let typed = distance(&plain(name), &plain(candidate));
        let near = if typed * 3 <= candidate.chars().count().max(3) {
            typed
        } else if is_part(name, candidate) || is_part(candidate, name) {
            // Less likely than any typing error.
            candidate.len().max(name.len())
        } else {
            return None;
        };
        Some((near, distance(name, candidate), candidate))
    };
    allowed.into_iter().filter_map(near).min().map(|(_, _, candidate)| candidate)
}

/// Returns `name` without differences in spelling.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '$').flat_map(char::to_lowercase).collect()
}

/// Returns whether `part` is the first or the last words of `name`.
fn is_part(part: &str, name: &str) -> bool {
    let words = |rest: Option<&str>, sign: &dyn Fn(&str) -> bool| part.len() >= 3 && rest.is_some_and(sign);
    words(name.strip_prefix(part), &|rest| rest.starts_with('_'))
        || words(name.strip_suffix(part), &|rest| rest.ends_with('_'))
}

/// The edit distance of insertions, deletions, replacements and swapped neighbours (optimal string alignment): most typing
/// errors are a distance of 1.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(a, b)
}

/// Returns "`x` is not …; did you mean `y`?" for an unknown name.
pub(crate) fn unknown<'a>(what: &str, name: &str, allowed: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let hint = nearest(name, allowed.clone()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let mut all: Vec<&str> = allowed.into_iter().collect();
    all.sort_unstable();
    let hint = if hint.is_empty() { ".".to_owned() } else { hint };
    format!("`{name}` is no {what}{hint} Known: {}", if all.is_empty() { "none".to_owned() } else { all.join(", ") })
}
