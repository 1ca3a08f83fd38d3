//! Page views in `track` calls: the event names that analytics tools use when they forward page views.
//!
//! | sender | event |
//! |---|---|
//! | Segment | `Viewed Pricing Page`, `Loaded a Page` |
//! | RudderStack | `Viewed Pricing page`, `Viewed Docs Pricing page` (category and name), `Viewed a Page` |
//! | PostHog | `$pageview`, `$screen` |
//! | Mixpanel | `$mp_web_page_view` |
//! | Amplitude | `[Amplitude] Page Viewed`, `[Amplitude] Screen Viewed` |
//! | Google Analytics 4, Snowplow | `page_view`, `screen_view` |
//! | Heap, Customer.io, own code | `Pageview`, `Page Viewed`, `Viewed Page`, `page_viewed` |

/// The names, in lower case and letters only.
const NAMES: [&str; 24] = [
    "amplitudepageviewed",
    "amplitudescreenviewed",
    "loadedapage",
    "loadedpage",
    "loadedascreen",
    "mpwebpageview",
    "pageload",
    "pageloaded",
    "pageview",
    "pageviewed",
    "pageviews",
    "pagevisit",
    "pagevisited",
    "screen",
    "screenview",
    "screenviewed",
    "viewedapage",
    "viewedascreen",
    "viewedpage",
    "viewedscreen",
    "viewpage",
    "viewscreen",
    "visitedapage",
    "visitedpage",
];

/// A page view in a `track` call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View<'a> {
    /// The page's name, if the event's name contains it.
    pub(super) name: Option<&'a str>,
}

/// Returns the page view for a `track` call of this name; `None` for any other event.
pub(super) fn view_of(event: &str) -> Option<View<'_>> {
    let contains =
        |word: &str| event.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    // This runs for every event, and most are not page views.
    if !contains("page") && !contains("screen") {
        return None;
    }
    let letters: String = event.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    if NAMES.contains(&letters.as_str()) {
        return Some(View { name: None });
    }
    let words: Vec<&str> = event.split_whitespace().collect();
    let [first, .., last] = words.as_slice() else { return None };
    let is_view = first.eq_ignore_ascii_case("viewed")
        && words.len() > 2
        && ["page", "screen"].iter().any(|word| last.eq_ignore_ascii_case(word));
    let name = event.trim();
    is_view.then(|| View { name: Some(name[first.len()..name.len() - last.len()].trim()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_views_are_known_by_the_names_that_tools_give_them() {
        for event in [
            "$pageview",
            "$screen",
            "$mp_web_page_view",
            "[Amplitude] Page Viewed",
            "Page Viewed",
            "page_viewed",
            "page_view",
            "pageView",
            "Pageview",
            "PAGE VIEW",
            "Viewed Page",
            "Viewed a Page",
            "Loaded a Page",
            "Screen Viewed",
            "screen_view",
        ] {
            assert_eq!(view_of(event), Some(View { name: None }), "{event}");
        }
        for (event, name) in [
            ("Viewed Pricing Page", "Pricing"),
            ("Viewed Docs Pricing page", "Docs Pricing"),
            (" viewed  Plans & Pricing  screen ", "Plans & Pricing"),
        ] {
            assert_eq!(view_of(event), Some(View { name: Some(name) }), "{event}");
        }
    }

    #[test]
    fn other_events_are_no_page_views() {
        for event in [
            "Pricing Page Viewed",
            "Page",
            "Page Shared",
            "Page Published",
            "Landing Page Created",
            "Viewed",
            "Viewed Pager",
            "Reviewed Pricing Page",
            "Viewed Report",
            "Screenshot Taken",
            "Seite angesehen: Page",
            "",
        ] {
            assert_eq!(view_of(event), None, "{event}");
        }
    }
}
