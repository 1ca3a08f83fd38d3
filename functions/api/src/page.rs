//! The pages that readers of mails see: small, without script, readable by everyone and every screen reader, light and dark.

use perennial_channels::escape;
use perennial_config::topics::Topic;
use perennial_store::preferences::Preferences;
use perennial_store::suppressions::Reason;

/// Colours with a contrast of at least 7:1 (WCAG AAA); buttons and choices of at least 44 pixels.
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
form+form,.quiet{margin-top:.75rem}
.quiet{margin:0;background:transparent;color:var(--ink);border:1px solid var(--soft)}
fieldset{margin:1.5rem 0 1rem;padding:0;border:0}
legend,h2{margin:0 0 .25rem;padding:0;font-size:1.0625rem;font-weight:600;line-height:1.4}
label{display:flex;gap:.875rem;align-items:flex-start;min-height:3rem;padding:.75rem 0;border-top:1px solid var(--line);cursor:pointer}
label:last-of-type{border-bottom:1px solid var(--line)}
input[type=checkbox]{flex:none;width:1.375rem;height:1.375rem;margin:.15rem 0 0;accent-color:var(--act)}
small{display:block;color:var(--soft);font-size:.9375rem;line-height:1.45}
.saved{padding:.75rem 1rem;border-radius:.5rem;background:var(--paper);color:var(--ink)}
h2{margin-top:2rem}
ul{margin:0;padding-left:1.25rem;color:var(--ink)}
li{margin-top:.5rem}
button:hover{filter:brightness(1.1)}
button:focus-visible,input:focus-visible{outline:3px solid var(--ink);outline-offset:3px}";

/// The title of the page for a link without a valid signature. Clients use it to recognize this API.
pub const INVALID_LINK: &str = "This link does not work";

fn document(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{content}\n</main>\n</body>\n</html>\n"
    )
}

/// Returns the page with the reader's preferences `known` and forms to change them. `about` is the topic of the mail
/// with the link; `saved` says that a change was just stored.
pub(crate) fn preferences(topics: &[Topic], known: &Preferences, about: Option<&Topic>, saved: bool) -> String {
    let stopped = match known.suppression.map(|suppression| suppression.reason) {
        Some(Reason::Bounce) => return blocked("Mails to it came back as undeliverable."),
        Some(Reason::Complaint) => return blocked("A mail to it was reported as spam."),
        Some(Reason::Unsubscribe) => true,
        None => false,
    };
    let wants = |topic: &Topic| !stopped && known.wants(topic);
    let chosen: Vec<&Topic> = topics.iter().filter(|topic| !topic.essential).collect();
    let essential: Vec<String> =
        topics.iter().filter(|topic| topic.essential).map(|topic| format!("<li>{}</li>", named(topic))).collect();
    let mut content = String::new();
    if saved {
        let said = match (stopped, essential.is_empty()) {
            (true, true) => "You will get no more mails from us at this address.",
            (true, false) => "You will get no more mails from us at this address, but for what we send in any case.",
            (false, _) => "Your choice counts from now on.",
        };
        content.push_str(&format!("<p class=\"saved\" role=\"status\"><strong>Saved.</strong> {said}</p>\n"));
    }
    match (stopped, chosen.is_empty()) {
        (true, true) => content.push_str(&button("resume", "Get mails again", "")),
        (false, true) => {
            content.push_str(
                "<p>One click, and we will send no more mails to the address that this link was sent to.</p>\n",
            );
            content.push_str(&button("stop-all", "Stop all mails", ""));
        }
        (true, false) => content
            .push_str("<p>Tick what you would like to get again at the address that this link was sent to.</p>\n"),
        (false, false) => {
            content.push_str("<p>For the address that this link was sent to.</p>\n");
            if let Some(about) = about.filter(|about| !about.essential && wants(about)) {
                content.push_str(&button("stop", &format!("Stop “{}”", escape(&about.title)), ""));
            }
        }
    }
    if !chosen.is_empty() {
        content.push_str("<form method=\"post\">\n<fieldset>\n<legend>Mails you get</legend>\n");
        for topic in &chosen {
            let (id, checked) = (escape(&topic.id), if wants(topic) { " checked" } else { "" });
            content.push_str(&format!(
                "<input type=\"hidden\" name=\"shown\" value=\"{id}\">\n<label><input type=\"checkbox\" name=\"topic\" value=\"{id}\"{checked}> {}</label>\n",
                named(topic)
            ));
        }
        content.push_str("</fieldset>\n<button type=\"submit\" name=\"do\" value=\"choose\">Save</button>\n</form>\n");
        if !stopped {
            content.push_str(&button("stop-all", "Stop all mails", " class=\"quiet\""));
        }
    }
    if !essential.is_empty() {
        content.push_str(&format!("<h2>What we send in any case</h2>\n<ul>\n{}\n</ul>", essential.join("\n")));
    }
    let title = match (stopped, chosen.is_empty()) {
        (true, _) => "You get no mails from us",
        (false, true) => "Stop these mails?",
        (false, false) => "Which mails do you want?",
    };
    document(title, content.trim_end())
}

/// A topic's title, and its description where it has one.
fn named(topic: &Topic) -> String {
    let description = match topic.description.trim() {
        "" => String::new(),
        text => format!("<small>{}</small>", escape(text)),
    };
    format!("<span>{}{description}</span>", escape(&topic.title))
}

/// A form of one button.
fn button(deed: &str, label: &str, class: &str) -> String {
    format!(
        "<form method=\"post\">\n<button type=\"submit\" name=\"do\" value=\"{deed}\"{class}>{label}</button>\n</form>\n"
    )
}

/// Returns the page for an address that gets no mails and cannot be changed here.
fn blocked(why: &str) -> String {
    document(
        "We send no mails to this address",
        &format!(
            "<p role=\"status\">{why} So we have stopped, and this page cannot change that. If you would like to hear from us, please write to us from this address.</p>"
        ),
    )
}

/// Asks whether the reader wants mails at the address that the link was sent to. `said` is what they have said.
pub(crate) fn confirmation(said: Option<bool>) -> String {
    let (title, text) = match said {
        Some(true) => (
            "Your address is confirmed",
            "<p role=\"status\">You will get our mails at the address that this link was sent to.</p>\n",
        ),
        Some(false) => (
            "You get no mails from us",
            "<p role=\"status\">We send no more mails to the address that this link was sent to.</p>\n",
        ),
        None => (
            "Is this your address?",
            "<p>Somebody gave us the address that this link was sent to. We send mails there only if you want them.</p>\n",
        ),
    };
    let mut content = text.to_owned();
    if said != Some(true) {
        content.push_str(&button("confirm", "Yes, send me mails", ""));
    }
    if said != Some(false) {
        content.push_str(&button("refuse", "No mails, please", " class=\"quiet\""));
    }
    document(title, content.trim_end())
}

/// Says that the link is wrong.
pub(crate) fn invalid() -> String {
    document(
        INVALID_LINK,
        "<p>It may have been cut off on its way. Please open the unsubscribe link in the mail itself, or answer the mail.</p>",
    )
}

/// Returns the page for a failure.
pub(crate) fn failed() -> String {
    document(
        "That did not work",
        "<p role=\"alert\">We could not store your wish just now. Please try again.</p>\n<form method=\"post\">\n<button type=\"submit\">Try again</button>\n</form>",
    )
}
