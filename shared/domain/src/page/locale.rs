//! Languages and countries at the beginning of a path: `/de/pricing`, `/en-GB/pricing`, `/us/en/pricing`.

use rust_iso3166::from_alpha2;

/// The languages of ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el \
    en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik in io is it iu iw ja jv ka kg ki kj \
    kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om \
    or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw \
    ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Codes of regions that are no countries, as sites write them. They count only beside a language, as they are words.
const REGIONS: [&str; 13] =
    ["anz", "apac", "asia", "emea", "eu", "global", "international", "intl", "latam", "mena", "uk", "world", "ww"];

/// Returns the number of leading path segments that may be a language, a country or both. The path is compared with and
/// without them.
///
/// A single segment is a language with or without a country or script (`en`, `pt-br`, `zh_hant`, `es-419`), or a
/// country (`us`). Two segments are a language and a country or region, in any order (`us/en`, `en/gb`, `intl/de`).
pub(super) fn length(segments: &[String]) -> usize {
    match segments {
        [first, second, ..] if is_pair(first, second) || is_pair(second, first) => 2,
        [first, ..] if is_language(first) || is_country(first) => 1,
        _ => 0,
    }
}

fn is_pair(language: &str, place: &str) -> bool {
    is_language(language) && (is_country(place) || REGIONS.contains(&place))
}

fn is_country(segment: &str) -> bool {
    segment == "uk" || (segment.len() == 2 && from_alpha2(&segment.to_ascii_uppercase()).is_some())
}

/// Returns whether a segment is a language, with or without a country or script.
fn is_language(segment: &str) -> bool {
    let (language, rest) = match segment.split_once(['-', '_']) {
        Some((language, rest)) => (language, Some(rest)),
        None => (segment, None),
    };
    let letters =
        |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_region = |text: &str| letters(text, 2) || letters(text, 4) || text == "419" || REGIONS.contains(&text);
    let is_known = |code: &str| code.len() == 2 && LANGUAGES.split_ascii_whitespace().any(|known| known == code);
    match rest {
        // Some sites put the country first: `us-en`.
        Some(rest) => (is_known(language) || is_country(language)) && rest.split(['-', '_']).all(is_region),
        None => is_known(language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_countries_lead_a_path_alone_or_as_a_pair() {
        let of = |path: &str| length(&path.split('/').map(str::to_owned).collect::<Vec<_>>());
        for (path, expected) in [
            ("de/pricing", 1),
            ("us/pricing", 1),
            ("uk/pricing", 1),
            ("en-gb/pricing", 1),
            ("pt_br/pricing", 1),
            ("zh-hant/pricing", 1),
            ("zh-hans-cn/pricing", 1),
            ("es-419/pricing", 1),
            ("us-en/pricing", 1),
            ("en-uk/pricing", 1),
            ("us/en/pricing", 2),
            ("en/us/pricing", 2),
            ("uk/en", 2),
            ("be/nl-be/pricing", 2),
            ("intl/en/pricing", 2),
            ("en/latam/pricing", 2),
            ("pricing", 0),
            ("qq/pricing", 0),
            ("go-to/pricing", 0),
            ("intl/pricing", 0),
            ("docs/en/pricing", 0),
            ("v2/pricing", 0),
            ("", 0),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
        assert_eq!(length(&[]), 0);
    }
}
