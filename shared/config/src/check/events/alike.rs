//! Compares event names that are probably the same: in another tense, number or word order, or with a typing error.

use crate::spelling::{distance, plain};

/// Words without meaning in a name.
const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// Irregular verbs, with their past form.
const IRREGULAR: [(&str, &str); 24] = [
    ("begin", "began"),
    ("begin", "begun"),
    ("buy", "bought"),
    ("choose", "chose"),
    ("choose", "chosen"),
    ("find", "found"),
    ("get", "got"),
    ("give", "gave"),
    ("give", "given"),
    ("leave", "left"),
    ("lose", "lost"),
    ("make", "made"),
    ("meet", "met"),
    ("pay", "paid"),
    ("run", "ran"),
    ("see", "saw"),
    ("see", "seen"),
    ("sell", "sold"),
    ("send", "sent"),
    ("spend", "spent"),
    ("take", "taken"),
    ("win", "won"),
    ("write", "written"),
    ("withdraw", "withdrawn"),
];

/// Returns whether the two names probably mean one event: their words are the same but for tense, number, case and
/// separators, in the same order or with the first word last, and at most one of them has a typing error. Digits must
/// match.
pub(super) fn alike(name: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if digits(name) != digits(other) {
        return false;
    }
    let (one, two) = (words(name), words(other));
    if one.len() != two.len() {
        return is_typing_error(&plain(name), &plain(other)) || same_word(&plain(name), &plain(other));
    }
    let mut orders = vec![two.clone()];
    if two.len() > 1 {
        let (mut first_last, mut last_first) = (two.clone(), two);
        first_last.rotate_left(1);
        last_first.rotate_right(1);
        orders.extend([first_last, last_first]);
    }
    orders.iter().any(|two| {
        let mut different = one.iter().zip(two).filter(|(one, two)| !same_word(one, two));
        match (different.next(), different.next()) {
            (None, _) => true,
            (Some((one, two)), None) => is_typing_error(one, two),
            _ => false,
        }
    })
}

/// Returns whether a word of the name is a verb in the past, as in most event names: `Report Shared`.
pub(super) fn is_past(name: &str) -> bool {
    words(name).iter().any(|word| word.ends_with("ed") || IRREGULAR.iter().any(|(_, past)| past == word))
}

/// Returns the words of a name in lower case: `campaignClicked`, `campaign_clicked` and `Campaign Clicked` are equal.
fn words(name: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase());
        if begins {
            all.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = all.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    all.retain(|word| !word.is_empty() && !ARTICLES.contains(&word.as_str()));
    all
}

/// Returns whether two words have a common base form. Present (`ending`) and past (`ended`) differ.
fn same_word(one: &str, two: &str) -> bool {
    let is_going_on = |word: &str| word.ends_with("ing");
    let is_done = |word: &str| word.ends_with("ed");
    if (is_going_on(one) && is_done(two)) || (is_done(one) && is_going_on(two)) {
        return false;
    }
    let bases = bases(two);
    self::bases(one).iter().any(|base| bases.contains(base))
}

/// Returns the base forms of a word, including itself.
fn bases(word: &str) -> Vec<String> {
    let mut all = vec![word.to_owned()];
    all.extend(IRREGULAR.iter().filter(|(_, past)| *past == word).map(|(base, _)| (*base).to_owned()));
    for ending in ["ies", "ied"] {
        all.extend(word.strip_suffix(ending).map(|rest| format!("{rest}y")));
    }
    for ending in ["s", "es", "d", "ed", "ing", "al", "ment", "ion", "ation"] {
        let Some(rest) = word.strip_suffix(ending) else { continue };
        // `d` is an ending only of what ends in `e`.
        if ending == "d" && !rest.ends_with('e') {
            continue;
        }
        all.push(rest.to_owned());
        if ending != "s" {
            all.push(format!("{rest}e"));
        }
        let mut letters = rest.chars().rev();
        if letters.next().is_some_and(|last| letters.next() == Some(last)) {
            all.push(rest[..rest.len() - rest.chars().next_back().map_or(0, char::len_utf8)].to_owned());
        }
    }
    all.retain(|base| base.chars().count() >= 3 || base == word);
    all
}

/// Returns whether two words or their base forms differ by a typing error.
fn is_typing_error(one: &str, two: &str) -> bool {
    is_near(one, two)
        || bases(one).iter().any(|one| {
            let is_long = |base: &str| base.chars().count() >= 6;
            is_long(one) && bases(two).iter().any(|two| is_long(two) && distance(one, two) == 1)
        })
}

/// Returns whether two words differ in one character, or in two of nine or more.
fn is_near(one: &str, two: &str) -> bool {
    let (one_long, two_long) = (one.chars().count(), two.chars().count());
    let (long, short) = (one_long.max(two_long), one_long.min(two_long));
    let letters = |text: &str| {
        let mut all: Vec<char> = text.chars().collect();
        all.sort_unstable();
        all
    };
    match distance(one, two) {
        // In a short word a replaced character makes another word more often than a missing or a swapped one.
        1 => short >= 5 || (short >= 4 && long > short) || (short >= 3 && letters(one) == letters(two)),
        // At the beginning they make the opposite: `installed` and `uninstalled`.
        2 => short >= 9 && one.chars().next() == two.chars().next(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_another_tense_number_or_order_or_with_a_typing_error_are_alike() {
        for (wrong, right) in [
            ("Trial Startd", "Trial Started"),
            ("Feature Usde", "Feature Used"),
            ("Invites Sent", "Invite Sent"),
            ("Subscription Canceled", "Subscription Cancelled"),
            ("Subscription Cancellation", "Subscription Cancelled"),
            ("trial startd", "Trial Started"),
            ("TrialStartd", "Trial Started"),
            ("Content View", "Content Viewed"),
            ("Content Views", "Content Viewed"),
            ("Viewed Content", "Content Viewed"),
            ("Demo Request", "Demo Requested"),
            ("Requested Demo", "Demo Requested"),
            ("Requested a Demo", "Demo Requested"),
            ("Viewed Pricing Page", "Pricing Page Viewed"),
            ("Webinar Attend", "Webinar Attended"),
            ("Campain Clicked", "Campaign Clicked"),
            ("Campains Clicked", "Campaign Clicked"),
            ("CampaignClick", "Campaign Clicked"),
            ("campaign_click", "Campaign Clicked"),
            ("campaignclick", "Campaign Clicked"),
            ("Sign Up", "Signed Up"),
            ("Sign In", "Signed In"),
            ("Refer Sent", "Referral Sent"),
            ("Invite Send", "Invite Sent"),
            ("Invitation Sent", "Invite Sent"),
            ("Survey Answer", "Survey Answered"),
            ("Survey Answred", "Survey Answered"),
            ("Feature Use", "Feature Used"),
            ("Replied", "Reply"),
        ] {
            assert!(alike(wrong, right) && alike(right, wrong), "{wrong}");
        }
    }

    #[test]
    fn names_of_two_events_are_not_alike() {
        for (one, other) in [
            ("Signed In", "Signed Up"),
            ("Sign In", "Signed Up"),
            ("Trial Started", "Trial Ended"),
            ("Trial Ending", "Trial Ended"),
            ("Seat Assigned", "Seat Removed"),
            ("Seat Assigned", "Seat Unassigned"),
            ("Plan Upgraded", "Plan Downgraded"),
            ("Email Opened", "Email Clicked"),
            ("Webinar Registered", "Webinar Attended"),
            ("Account Added User", "User Added Account"),
            ("Feature Enabled", "Feature Disabled"),
            ("Import Started", "Export Started"),
            ("Step 1", "Step 2"),
            ("Card Added", "Cart Added"),
            ("Login", "Logout"),
            ("App Installed", "App Uninstalled"),
            ("Subscribed", "Unsubscribed"),
            ("Usage Increased", "Usage Decreased"),
        ] {
            assert!(!alike(one, other) && !alike(other, one), "{one}, {other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_is_alike_to_itself_whatever_it_holds(name in ".{1,40}", other in ".{1,40}") {
            proptest::prop_assert!(alike(&name, &name));
            proptest::prop_assert_eq!(alike(&name, &other), alike(&other, &name));
        }
    }
}
