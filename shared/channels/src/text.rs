//! Text for headers, and HTML made of text.

/// `text` as one line for a header: control characters and runs of white space become one blank, at most `max` bytes are kept.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max));
    let words = text.split(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}'));
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() >= max {
            break;
        }
    }
    truncate(&mut line, max);
    line
}

/// Cuts `text` to at most `max` bytes, between two characters.
pub(crate) fn truncate(text: &mut String, max: usize) {
    if text.len() > max {
        let end = (0..=max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.truncate(text.trim_end().len());
    }
}

/// `text` with the five characters escaped that mean something in HTML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// `html` as a whole document: a fragment gets head and body.
pub(crate) fn document(html: &str) -> String {
    if html.to_ascii_lowercase().contains("<html") {
        html.to_owned()
    } else {
        format!("{HEAD}{}\n</body>\n</html>\n", html.trim())
    }
}

/// Converts the plain `text` to an HTML page: blank lines separate paragraphs, web addresses become links.
pub(crate) fn html_of(text: &str) -> String {
    let mut html = String::from(HEAD);
    for paragraph in text.replace("\r\n", "\n").split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        let lines: Vec<String> = paragraph.lines().map(line_html).collect();
        html.push_str("<p>");
        html.push_str(&lines.join("<br>\n"));
        html.push_str("</p>\n");
    }
    html.push_str("</body>\n</html>\n");
    html
}

const HEAD: &str = "<!doctype html>\n<html>\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"></head>\n\
    <body style=\"font:16px/1.5 sans-serif;max-width:36em;margin:1.5em auto;padding:0 1em\">\n";

fn line_html(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let address = word.trim_end_matches(['.', ',', ';', ')', '!', '?']);
        let is_link =
            ["https://", "http://"].iter().any(|scheme| address.len() > scheme.len() && address.starts_with(scheme));
        if is_link {
            let (link, rest) = (escape(address), escape(&word[address.len()..]));
            format!("<a href=\"{link}\">{link}</a>{rest}")
        } else {
            escape(word)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_line_holds_no_line_break_and_is_bounded() {
        assert_eq!(one_line("Hi\r\nBcc: eve@example.com\0\u{2028}x", 250), "Hi Bcc: eve@example.com x");
        assert_eq!(one_line(&"ä".repeat(200), 9), "ääää");
        assert_eq!(one_line("  a  ", 9), "a");
    }

    #[test]
    fn html_made_of_text_says_the_same_and_no_more() {
        let html =
            html_of("Hi <b>Ada</b>,\nsee https://x.example/?a=1&b=\"2\".\n\nBye & \"so on\" javascript:alert(1)");
        assert!(html.contains("<p>Hi &lt;b&gt;Ada&lt;/b&gt;,<br>\n"));
        assert!(html.contains("<a href=\"https://x.example/?a=1&amp;b=&quot;2&quot;\">"));
        assert!(html.contains("<p>Bye &amp; &quot;so on&quot; javascript:alert(1)</p>"));
        assert_eq!(html.matches("<a ").count(), 1);
    }
}
