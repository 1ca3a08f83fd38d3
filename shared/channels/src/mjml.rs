//! Compiles MJML, a language for mails that look the same in every mail program, to HTML, once and before values are
//! inserted.
//!
//! The template's own `{{ … }}` and `{% … %}` pass through unchanged, in texts and attributes alike, so that the
//! template engine escapes values where it inserts them. Between MJML's own elements, where text is not allowed, `{% …
//! %}` goes into `<mj-raw>`.

use mrml::prelude::parser::{Error, Span};
use mrml::prelude::render::RenderOptions;
use std::collections::HashMap;

/// Why a text is no MJML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MjmlError {
    /// The line, from 1; 0 where it is of the whole.
    pub(crate) line: usize,
    /// The error.
    pub(crate) message: String,
}

/// Compiles `source` to an HTML document. Nothing is fetched, now or by the reader: no file is included and no font is
/// loaded.
pub(crate) fn compile(source: &str) -> Result<String, MjmlError> {
    let parsed = mrml::parse(source).map_err(|error| explain(source, &error))?;
    if let Some(warning) = parsed.warnings.first() {
        return Err(at(source, warning.span, "this attribute is none of the element's"));
    }
    let options = RenderOptions { disable_comments: true, social_icon_origin: None, fonts: HashMap::new() };
    let html = parsed.element.render(&options).map_err(|error| MjmlError { line: 0, message: error.to_string() })?;
    // Unknown elements are treated as HTML and passed through.
    match html.split_once("<mj-") {
        None => Ok(html),
        Some((_, rest)) => {
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            let tag = format!("<mj-{name}");
            let start = source.find(&tag).unwrap_or(source.len());
            let span = Span { start, end: start + tag.len() };
            Err(at(source, span, "MJML has no such element, or not here; see https://documentation.mjml.io"))
        }
    }
}

fn explain(source: &str, error: &Error) -> MjmlError {
    match error {
        Error::UnexpectedElement { position, .. } => at(source, *position, "this element has no place here"),
        Error::UnexpectedToken { position, .. } => {
            at(source, *position, "this has no place here; {% … %} between elements goes into <mj-raw>")
        }
        Error::MissingAttribute { name, position, .. } => {
            at(source, *position, &format!("the element needs the attribute `{name}`"))
        }
        Error::InvalidAttribute { position, .. } => at(source, *position, "this attribute cannot be read"),
        Error::InvalidFormat { position, .. } => at(source, *position, "this cannot be read"),
        Error::IncludeLoaderError { position, .. } => at(source, *position, "a template includes no file"),
        Error::EndOfStream { .. } => {
            MjmlError { line: source.lines().count(), message: "an element is not closed".into() }
        }
        Error::NoRootNode => MjmlError { line: 1, message: "there is no <mjml> element".into() },
        Error::ParserError { source: inner, .. } => {
            let line = usize::try_from(inner.pos().row).unwrap_or_default();
            MjmlError { line, message: "the markup cannot be read".into() }
        }
        other => MjmlError { line: 0, message: other.to_string() },
    }
}

fn at(source: &str, span: Span, message: &str) -> MjmlError {
    let (before, from) = source.split_at_checked(span.start).unwrap_or((source, ""));
    let what: String =
        from.chars().take(span.end.saturating_sub(span.start)).take_while(|c| *c != '\n').take(60).collect();
    let message = if what.trim().is_empty() { message.to_owned() } else { format!("`{}`: {message}", what.trim()) };
    MjmlError { line: before.matches('\n').count() + 1, message }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn document(body: &str) -> String {
        format!(
            "<mjml>\n<mj-body>\n<mj-section>\n<mj-column>\n{body}\n</mj-column>\n</mj-section>\n</mj-body>\n</mjml>"
        )
    }

    #[test]
    fn the_templates_own_signs_pass_through_untouched() {
        let signs = "{{ person.name|default(\"you\") }} {% if a and b %}<b>x</b>{% endif %}";
        let html = compile(&document(&format!(
            "<mj-text>{signs}</mj-text>\n<mj-button href=\"{{{{ link }}}}\">Go</mj-button>"
        )))
        .unwrap();
        assert!(html.contains(signs), "{html}");
        assert!(html.contains("href=\"{{ link }}\""), "{html}");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let html = compile(&document("<mj-text font-family=\"Roboto\">x</mj-text>")).unwrap();
        assert!(!html.contains("googleapis") && !html.contains("@import"), "{html}");
        let included = compile("<mjml>\n<mj-body>\n<mj-include path=\"/etc/passwd\" /></mj-body></mjml>").unwrap_err();
        assert_eq!((included.line, included.message.contains("includes no file")), (3, true), "{included:?}");
    }

    #[test]
    fn the_welcome_mail_of_the_default_config() {
        let file = include_str!("../../../infra/config/templates/welcome.toml");
        let source = file.split("\"\"\"").find(|part| part.contains("<mjml")).unwrap();
        insta::assert_snapshot!(compile(source).unwrap());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            (document("<mj-txt>x</mj-txt>"), 5, "no such element, or not here"),
            ("<mjml color=\"red\"><mj-body></mj-body></mjml>".to_owned(), 1, "none of the element's"),
            (document("<mj-text>x"), document("<mj-text>x").lines().count(), "not closed"),
            ("<p>x</p>".to_owned(), 1, ""),
            ("".to_owned(), 1, "no <mjml> element"),
        ];
        for (source, line, wanted) in cases {
            let error = compile(&source).unwrap_err();
            assert!(error.line == line && error.message.contains(wanted), "{source}\n{error:?}");
        }
    }
}
