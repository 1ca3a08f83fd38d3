//! The pages that readers of mails see: small, without script, readable by everyone and every screen reader, light and dark.

/// Colours with a contrast of at least 7:1 (WCAG AAA); a button of at least 44 pixels.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#454c54;--paper:#f6f4ef;--card:#fff;--line:#d9d5cb;--act:#14532d;--on-act:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#f2f0ea;--soft:#c9c6bd;--paper:#16181b;--card:#202327;--line:#3a3f45;--act:#a7e3bd;--on-act:#0d2417}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,sans-serif}
main{width:100%;max-width:30rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}
p{margin:0 0 1.25rem;color:var(--soft)}
p:last-child{margin-bottom:0}
button{width:100%;min-height:3rem;padding:.5rem 1.25rem;border:0;border-radius:.5rem;background:var(--act);color:var(--on-act);font:inherit;font-weight:600;cursor:pointer}
button:hover{filter:brightness(1.1)}
button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}";

fn document(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{content}\n</main>\n</body>\n</html>\n"
    )
}

/// Asks whether to unsubscribe.
pub(crate) fn ask() -> String {
    document(
        "Stop these mails?",
        "<p>One click, and we will send no more mails to the address that this link was sent to.</p>\n\
         <form method=\"post\">\n<input type=\"hidden\" name=\"confirm\" value=\"yes\">\n<button type=\"submit\">Unsubscribe</button>\n</form>",
    )
}

/// Says that it is done.
pub(crate) fn done() -> String {
    document(
        "You are unsubscribed",
        "<p role=\"status\">We will send no more mails to this address. You can close this page.</p>",
    )
}

/// Says that the link is wrong.
pub(crate) fn invalid() -> String {
    document(
        "This link does not work",
        "<p>It may have been cut off on its way. Please open the unsubscribe link in the mail itself, or answer the mail.</p>",
    )
}

/// Says that it did not work.
pub(crate) fn failed() -> String {
    document(
        "That did not work",
        "<p role=\"alert\">We could not store your wish just now. Please try again.</p>\n<form method=\"post\">\n<button type=\"submit\">Try again</button>\n</form>",
    )
}
