//! `GET /inbox.js`: the script that shows a person's inbox within the product, and its types.

use crate::answer::Failure;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use lambda_http::Body;
use perennial_domain::hash;
use std::io::Write;
use std::sync::LazyLock;

/// How long browsers cache it: a new version reaches everyone within an hour.
const CACHED: &str = "public, max-age=3600";

/// A file, as it goes over the wire.
struct File {
    kind: &'static str,
    text: String,
    zipped: Option<Vec<u8>>,
    tag: String,
}

impl File {
    fn new(kind: &'static str, text: String) -> Self {
        let tag = format!("\"{}\"", hash::base32(&hash::sha256(&[text.as_bytes()])[..10]));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let zipped = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).ok();
        Self { kind, text, zipped, tag }
    }
}

static SCRIPT: LazyLock<File> =
    LazyLock::new(|| File::new("text/javascript; charset=utf-8", bare(include_str!("snippet/inbox.js"))));
static TYPES: LazyLock<File> =
    LazyLock::new(|| File::new("application/typescript; charset=utf-8", include_str!("snippet/inbox.d.ts").to_owned()));

/// Removes comment lines and indentation from a script. `/*!` stays: it is the licence.
fn bare(source: &str) -> String {
    let (mut out, mut within) = (String::with_capacity(source.len()), false);
    for line in source.lines().map(str::trim) {
        within |= line.starts_with("/**");
        if !within && !line.is_empty() && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
        within &= !line.ends_with("*/");
    }
    out
}

/// `/inbox.js`.
pub(crate) fn script(headers: &HeaderMap) -> Result<Response<Body>, Failure> {
    Ok(serve(&SCRIPT, headers))
}

/// `/inbox.d.ts`.
pub(crate) fn types(headers: &HeaderMap) -> Result<Response<Body>, Failure> {
    Ok(serve(&TYPES, headers))
}

fn serve(file: &File, asked: &HeaderMap) -> Response<Body> {
    let says = |name, text: &str| {
        let values = asked.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.split(';').next().unwrap_or_default().trim() == text)
    };
    let mut answer = Response::new(Body::Empty);
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, file.kind),
        (header::CACHE_CONTROL, CACHED),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Any page may load it.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(header::ETAG, tag);
    }
    if says(header::IF_NONE_MATCH, &file.tag) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    match file.zipped.as_ref().filter(|_| says(header::ACCEPT_ENCODING, "gzip")) {
        Some(zipped) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            *answer.body_mut() = Body::Binary(zipped.clone());
        }
        None => *answer.body_mut() = Body::Text(file.text.clone()),
    }
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    fn get(headers: &[(header::HeaderName, &str)]) -> Response<Body> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        script(&headers.collect()).unwrap()
    }

    /// Every page of every customer loads it, so its size is limited.
    #[test]
    fn the_script_is_less_than_six_kilobytes_on_the_wire_and_the_same_without_compression() {
        let zipped = get(&[(header::ACCEPT_ENCODING, "br;q=1, gzip")]);
        assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(zipped.body().len() < 6 * 1024, "{} bytes", zipped.body().len());
        let mut text = String::new();
        GzDecoder::new(&**zipped.body()).read_to_string(&mut text).unwrap();
        let plain = get(&[]);
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
        assert_eq!(&**plain.body(), text.as_bytes());
        assert!(text.starts_with("/*! Perennial") && text.ends_with("})();\n"), "{text}");
    }

    #[test]
    fn who_has_it_is_told_so() {
        let first = get(&[]);
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = get(&[(header::IF_NONE_MATCH, &tag)]);
        assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(get(&[(header::IF_NONE_MATCH, "\"another\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn comments_and_indentation_are_left_out_and_nothing_else() {
        let source = "/*! ours */\n// why\n  /** @type {A} */\n  const a = '// b';\n\n/**\n * more\n */\n  f(/** @type {B} */ (a));\n";
        assert_eq!(bare(source), "/*! ours */\nconst a = '// b';\nf(/** @type {B} */ (a));\n");
    }
}
