//! Renders templates with the data of a person into messages.
//!
//! Templates come from the configuration and are trusted; values come from events and are not. So a value is only ever
//! a value: it is never parsed as a template, it is escaped in HTML, and it cannot break out of a header line. Values
//! that no reader should see, such as an object, a list or a missing value, render as nothing; the rules are those of
//! [`perennial_domain::traits::readable`].

mod context;

pub use context::Context;
pub(crate) use context::NAMES;

use crate::filters;
use crate::invitation::{self, Invitation};
use crate::mjml;
use crate::text;
use crate::truth;
use crate::values;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use perennial_config::channels::Template;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest subject or title, in bytes.
pub const MAX_SUBJECT: usize = 250;
/// The longest body, in bytes, of text and HTML each.
pub const MAX_BODY: usize = 100 * 1024;
/// The longest link, in bytes.
const MAX_LINK: usize = 2048;
/// The most steps of one part of a template, so that a loop over a long list fails before the function's timeout.
const FUEL: u64 = 200_000;

/// The filter that [`Noting`] puts around all that is printed.
const NOTE: &str = "note_if_empty";

/// All templates, compiled.
pub struct Renderer {
    env: Environment<'static>,
    parts: BTreeMap<String, Parts>,
    problems: Vec<TemplateProblem>,
}

#[derive(Clone, Copy)]
struct Parts {
    html: bool,
    link: bool,
    invitation: bool,
    location: bool,
}

/// A part of a template that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("templates/{template}.toml: {part}: line {line}: {problem}")]
pub struct TemplateProblem {
    /// The template's name.
    pub template: String,
    /// `subject`, `text`, `html`, `mjml`, `link`, or `start`, `end`, `title` or `location` of the invitation.
    pub part: &'static str,
    /// The line within the part, from 1; 0 where it is not known.
    pub line: usize,
    /// The column within the line, from 1 and in characters; 0 where it is not known.
    pub column: usize,
    /// The error.
    pub problem: String,
}

/// The reason why a message could not be rendered. The texts contain no personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// There is no such template.
    #[error("there is no template {0}")]
    NoTemplate(String),
    /// The template does not compile.
    #[error("{0}")]
    Broken(TemplateProblem),
    /// Rendering failed: an operation that its values do not support, or too many steps.
    #[error("template {template}, {part}: {kind}")]
    Failed {
        /// The template's name.
        template: String,
        /// `subject`, `text`, `html` or `link`.
        part: &'static str,
        /// The kind of failure.
        kind: String,
    },
    /// A body of more than [`MAX_BODY`] bytes.
    #[error("template {template}, {part}: the result is longer than 100 KiB")]
    TooLong {
        /// The template's name.
        template: String,
        /// `text` or `html`.
        part: &'static str,
    },
}

/// A message, ready for its channel.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line of at most [`MAX_SUBJECT`] bytes.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML, where the template has it.
    pub html: Option<String>,
    /// The link: an `https:` or `http:` address, or a path that begins with one `/`. `None` if the template has none,
    /// or its value is invalid.
    pub link: Option<String>,
    /// The event that a mail invites to, where the template has one.
    pub invitation: Option<Invitation>,
}

impl std::fmt::Debug for Rendered {
    // A message contains personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered")
            .field("subject_bytes", &self.subject.len())
            .field("text_bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl Renderer {
    /// Compiles `templates`. A template that does not compile is in [`Self::problems`], and only rendering it fails.
    #[must_use]
    pub fn new(templates: &BTreeMap<String, Template>) -> Self {
        let mut env = environment();
        let (mut parts, mut problems) = (BTreeMap::new(), Vec::new());
        for (name, template) in templates {
            let mut add = |part: &'static str, source: &str| {
                let prepared = env.add_template_owned(format!("{name}.{part}"), truth::prepared(source));
                // Problems are reported for the template as written.
                let compiled =
                    prepared.or_else(|_| env.add_template_owned(format!("{name}.{part}"), source.to_owned()));
                let Err(error) = compiled else { return true };
                let detail = error.detail().unwrap_or("it does not parse");
                let problem = format!("{}: {detail}", error.kind());
                problems.push(TemplateProblem {
                    template: name.clone(),
                    part,
                    line: error.line().unwrap_or(0),
                    column: 0,
                    problem,
                });
                false
            };
            let invitation = template.invitation.as_ref();
            for (part, source) in sources(template).into_iter().filter(|(part, _)| *part != "mjml") {
                add(part, source);
            }
            // Errors in the template's own tags are reported by lines of the source, not of the HTML.
            let mjml = template.mjml.as_deref().filter(|source| add("mjml", source));
            match mjml.map(mjml::compile) {
                Some(Ok(html)) => {
                    add("html", &html);
                }
                Some(Err(error)) => {
                    let (line, problem) = (error.line, error.message);
                    let template = name.clone();
                    problems.push(TemplateProblem { template, part: "mjml", line, column: 0, problem });
                }
                None => {}
            }
            let html = template.html.is_some() || template.mjml.is_some();
            let parts_of = Parts {
                html,
                link: template.link.is_some(),
                location: invitation.is_some_and(|invitation| invitation.location.is_some()),
                invitation: invitation.is_some(),
            };
            parts.insert(name.clone(), parts_of);
        }
        Self { env, parts, problems }
    }

    /// Returns the templates that do not compile.
    #[must_use]
    pub fn problems(&self) -> &[TemplateProblem] {
        &self.problems
    }

    /// Returns whether the template uses more of the account than its id, or the owner, so that the account has to be
    /// loaded.
    #[must_use]
    pub fn asks_for_account(&self, template: &str) -> bool {
        ["subject", "text", "html", "link", "start", "end", "title", "location"].iter().any(|part| {
            let compiled = self.env.get_template(&format!("{template}.{part}"));
            compiled.is_ok_and(|compiled| {
                let mut names = compiled.undeclared_variables(true).into_iter();
                let asks = |name: &str| matches!(name, "account" | "owner") || name.starts_with("account.");
                names.any(|name| asks(&name) && name != "account.id")
            })
        })
    }

    /// Renders `template` for `context`.
    ///
    /// # Errors
    /// [`RenderError`] if the template is missing, does not compile, fails or produces too much text.
    pub fn render(&self, template: &str, context: &Context) -> Result<Rendered, RenderError> {
        self.render_values(template, &context.values())
    }

    /// Renders `template` for these values, as [`Self::render`].
    pub(crate) fn render_values(&self, template: &str, context: &minijinja::Value) -> Result<Rendered, RenderError> {
        let parts = self.parts.get(template).copied().ok_or_else(|| RenderError::NoTemplate(template.to_owned()))?;
        if let Some(problem) = self.problems.iter().find(|problem| problem.template == template) {
            return Err(RenderError::Broken(problem.clone()));
        }
        let subject = self.part(template, "subject", context)?;
        let text = self.part(template, "text", context)?;
        let html = if parts.html { Some(self.part(template, "html", context)?) } else { None };
        let link = if parts.link { Some(self.part(template, "link", context)?) } else { None };
        Ok(Rendered {
            subject: text::one_line(&subject, MAX_SUBJECT),
            text,
            html,
            link: link.as_deref().and_then(safe_link),
            invitation: if parts.invitation { Some(self.invitation(template, parts, context)?) } else { None },
        })
    }

    fn invitation(&self, template: &str, parts: Parts, context: &minijinja::Value) -> Result<Invitation, RenderError> {
        let wrong = |part: &'static str, kind: &str| RenderError::Failed {
            template: template.to_owned(),
            part,
            kind: kind.to_owned(),
        };
        let moment = |part: &'static str| {
            let text = self.part(template, part, context)?;
            invitation::moment(&text)
                .ok_or_else(|| wrong(part, "what it gives is no time with an offset or a time zone"))
        };
        let (start, end) = (moment("start")?, moment("end")?);
        if end <= start {
            return Err(wrong("end", "what it gives is not after the start"));
        }
        let line = |part| Ok::<_, RenderError>(text::one_line(&self.part(template, part, context)?, MAX_SUBJECT));
        let location = if parts.location { line("location")? } else { String::new() };
        Ok(Invitation { start, end, title: line("title")?, location })
    }

    fn part(&self, template: &str, part: &'static str, context: &minijinja::Value) -> Result<String, RenderError> {
        let failed = |error: minijinja::Error| RenderError::Failed {
            template: template.to_owned(),
            part,
            kind: error.kind().to_string(),
        };
        let compiled = self.env.get_template(&format!("{template}.{part}")).map_err(failed)?;
        let text = compiled.render(context).map_err(failed)?;
        if text.len() > MAX_BODY {
            return Err(RenderError::TooLong { template: template.to_owned(), part });
        }
        // NUL and its like have no place in a mail.
        Ok(text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect())
    }
}

/// Returns the environment that compiles and renders templates.
pub(crate) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    env.set_formatter(values::write);
    env.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    env.set_fuel(Some(FUEL));
    truth::add_to(&mut env);
    filters::add_to(&mut env);
    env
}

/// Returns the parts of a template that are templates themselves.
pub(crate) fn sources(template: &Template) -> Vec<(&'static str, &str)> {
    let invitation = template.invitation.as_ref();
    let parts = [
        ("subject", Some(&template.subject)),
        ("text", Some(&template.text)),
        ("html", template.html.as_ref()),
        ("mjml", template.mjml.as_ref()),
        ("link", template.link.as_ref()),
        ("start", invitation.map(|invitation| &invitation.start)),
        ("end", invitation.map(|invitation| &invitation.end)),
        ("title", invitation.map(|invitation| &invitation.title)),
        ("location", invitation.and_then(|invitation| invitation.location.as_ref())),
    ];
    parts.into_iter().filter_map(|(part, source)| Some((part, source?.as_str()))).collect()
}

/// A renderer that records which expressions are empty, for testing a template.
#[derive(Debug)]
pub struct Noting {
    renderer: Renderer,
    /// The printed expressions, by number.
    shown: Vec<String>,
    /// The numbers of those that came out empty.
    empty: Arc<Mutex<BTreeSet<usize>>>,
}

impl Noting {
    /// Compiles `templates`, as [`Renderer::new`].
    #[must_use]
    pub fn new(templates: &BTreeMap<String, Template>) -> Self {
        let mut shown = Vec::new();
        let mut noted = |source: &mut String| {
            let (text, names) = crate::tags::shown(source, shown.len(), NOTE);
            *source = text;
            shown.extend(names);
        };
        let mut templates = templates.clone();
        for template in templates.values_mut() {
            let Template { subject, text, html, mjml, link, invitation, .. } = template;
            let invitation = invitation.iter_mut().flat_map(|invitation| {
                [&mut invitation.start, &mut invitation.end, &mut invitation.title]
                    .into_iter()
                    .chain(&mut invitation.location)
            });
            let optional = [html, mjml, link].into_iter().flatten();
            [subject, text].into_iter().chain(optional).chain(invitation).for_each(&mut noted);
        }
        let mut renderer = Renderer::new(&templates);
        let empty = Arc::<Mutex<BTreeSet<usize>>>::default();
        let noted = Arc::clone(&empty);
        renderer.env.add_filter(NOTE, move |value: minijinja::Value, number: usize| {
            if values::is_unseen(&value) {
                noted.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
            }
            value
        });
        Self { renderer, shown, empty }
    }

    /// Renders as [`Renderer::render`], and returns the expressions that came out empty, each once, in the order in which the template has them.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn render(&self, template: &str, context: &Context) -> (Result<Rendered, RenderError>, Vec<String>) {
        let mut empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        empty.clear();
        drop(empty);
        let rendered = self.renderer.render(template, context);
        let empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = Vec::new();
        for name in empty.iter().filter_map(|number| self.shown.get(*number)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        (rendered, names)
    }
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer")
            .field("templates", &self.parts.len())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// `link` where following it can only open a page: no `javascript:`, no `//elsewhere`.
fn safe_link(link: &str) -> Option<String> {
    let link = link.trim();
    if link.is_empty()
        || link.len() > MAX_LINK
        || link.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return None;
    }
    let path = link.starts_with('/') && !link.starts_with("//");
    let page = url::Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    (path || page).then(|| link.to_owned())
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
