//! The style, the script and the icon: files whose address changes with their content, so that browsers keep them.

use crate::answer::{Failure, set, with_headers};
use data_encoding::HEXLOWER;
use http::{Response, StatusCode, header};
use lambda_http::Body;
use ring::digest;
use std::sync::LazyLock;

const STYLE: &str = include_str!("assets/dashboard.css");
const SCRIPT: &str = include_str!("assets/dashboard.js");
const ICON: &str = include_str!("assets/icon.svg");

/// The addresses of the assets.
pub(crate) struct Addresses {
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) icon: String,
}

/// The addresses of this version's assets.
pub(crate) static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| {
    let of = |name: &str, content: &str| {
        let hash = digest::digest(&digest::SHA256, content.as_bytes());
        let hash = HEXLOWER.encode(hash.as_ref().get(..6).unwrap_or_default());
        format!("/assets/{name}?v={hash}")
    };
    Addresses { style: of("dashboard.css", STYLE), script: of("dashboard.js", SCRIPT), icon: of("icon.svg", ICON) }
});

/// Returns the asset with this name.
pub(crate) fn show(name: &str) -> Result<Response<Body>, Failure> {
    let (kind, content) = match name {
        "dashboard.css" => ("text/css; charset=utf-8", STYLE),
        "dashboard.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return Err(Failure::NotFound("there is no such file".to_owned())),
    };
    let mut answer = with_headers(StatusCode::OK, kind, content.to_owned());
    set(answer.headers_mut(), header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_stays_small() {
        assert!(SCRIPT.len() < 15 * 1024, "{} bytes", SCRIPT.len());
    }
}
