//! The reference page of the config language, made from the code: the schemas of the files, and the vocabularies of conditions.

mod language;
mod tables;

use crate::cel::{Form, Name, Param, Type};
use crate::schema::schemas;
use crate::vocabulary::{ACCOUNT_FIELDS, EVENT_NAMES, PERSON_NAMES};

pub use language::{EXAMPLES, Example, LANGUAGE, Of, Piece};

/// The whole page, in Markdown.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    let schemas = schemas();
    page.push_str("| file | contents |\n|---|---|\n");
    for file in &schemas {
        let about = tables::description(&file.schema);
        let first = about.split_inclusive(". ").next().unwrap_or_default().trim();
        push(&mut page, format_args!("| [{0}](#{1}) | {first} |\n", file.file(), anchor(&file.file())));
    }
    for file in &schemas {
        tables::file(&mut page, file);
    }
    conditions(&mut page);
    page.push_str(TEMPLATES);
    page
}

const INTRODUCTION: &str = "\
# Config reference

Every file, field and name of the configuration. This page is generated from the code by `perennial config reference --write`: change the
code's comments, not the page. `perennial config check` reports every error in a folder, and settings without effect.

Editors that support the line `#:schema ./schema/NAME.schema.json` (Even Better TOML, taplo) complete and check the files as you type.

## Files

Names that you choose (of rules, segments, journeys …) contain letters, digits, `_` and `-`, at most 64. Events have their exact names
as sent; calls other than `track` are `$page`, `$screen`, `$identify`, `$group` and `$alias`.

";

/// Writes the part about conditions and measures.
fn conditions(page: &mut String) {
    page.push_str(CONDITIONS);
    page.push_str("### Examples\n\n| condition | meaning |\n|---|---|\n");
    for example in EXAMPLES {
        let of = if example.of == Of::Event { "event: " } else { "" };
        push(page, format_args!("| {} | {of}{} |\n", code(example.source), example.meaning));
    }
    page.push_str("\n### The language\n\n| syntax | result | meaning |\n|---|---|---|\n");
    for piece in LANGUAGE {
        push(page, format_args!("| {} | {} | {} |\n", code(piece.written), piece.gives, cell(piece.meaning)));
    }
    page.push_str(
        "\n### Conditions on a person\n\nFor `when` and `measure` in personas.toml, scoring.toml ([[signal]]), segments.toml and \
         journeys.toml. Values are computed in order: personas can read facts; signals personas too; segments \
         scores and the segments above them too; journeys can read everything.\n\n",
    );
    names(page, PERSON_NAMES);
    let fields: Vec<String> = ACCOUNT_FIELDS.iter().map(|field| format!("`account.{field}`")).collect();
    push(page, format_args!("\nFields of the account: {}.\n", fields.join(", ")));
    page.push_str(
        "\n### Conditions on an event\n\nFor `where` in scoring.toml ([[rule]]), features.toml and the triggers of journeys.toml.\n\n",
    );
    names(page, EVENT_NAMES);
}

const CONDITIONS: &str = "
## Conditions

Conditions and measures are CEL, <https://cel.dev>: the subset below, compiled once when the configuration is loaded. They are
texts; single quotes avoid escapes: `when = 'stage == \"trial\" && idle_days >= 3'`.

A comparison with a missing value (an unknown trait, a property that an event does not have) has no value, and a
condition without a value does not hold. `a || b` still holds if `b` does. Use `has(traits.title)` to test for a missing value.

Text that is compared with a number or a boolean, and spells one, is converted: `properties.nps <= 6` holds for the text `3` too.

";

const TEMPLATES: &str = "
## Templates

The texts of templates/NAME.toml are minijinja, <https://docs.rs/minijinja/latest/minijinja/syntax/>.

| name | value |
|---|---|
| `person.NAME` | a trait of the person |
| `profile.user_id`, `profile.id` | the person's user id, if any, and the id of the profile |
| `account.id`, `account.NAME` | the account, and its traits |
| `owner` | the responsible colleague or team |
| `may_call` | `false` if one of the person's segments has `phone = false` |
| `stage` | the person's stage, such as `trial` |
| `event.name`, `event.properties.NAME` | the triggering event, if any. The properties in the journey's templates are kept, also while it waits: the first 20 in alphabetical order, at most 512 bytes of JSON each and 2 KB together |
| `cause.event.name`, `cause.quiet.days`, `cause.score.value` | the trigger of the journey |
| `journey`, `step` | the journey, and the step from 0 |
| `unsubscribe_url` | the link that unsubscribes from the mails of the topic |
| `confirm_url` | in `confirm_address`: the link by which a reader confirms their address (`unverified_mail` of channels.toml) |

An unknown value, or one removed with `null`, is undefined: it prints nothing, and `default(\"there\")` replaces it, as it does for empty text and for an object without a name. Filters of an undefined value return nothing. An object prints its `name`,
a list and an object without a name nothing; their members can be read, looped over and joined. A boolean prints `true` or `false`, also when
concatenated with `~`.

Some facts are found in every spelling that clients send; capitals, `_`, `-` and a leading `$` are ignored. This applies to conditions, identity
and CRM fields too. The profile keeps the names as sent.

| trait | also sent as |
|---|---|
| `email` | `emailAddress`, `user_email` |
| `name` | `fullName`; else the first and last name |
| `first_name` | `firstName`, `given_name`, `fname`; else the first name in `name` |
| `last_name` | `lastName`, `family_name`, `surname`, `lname`; else the last name in `name` |
| `phone` | `phoneNumber`, `telephone` |
| `company` | `companyName`, `organizationName`; an object by its `name` |
| `title` | `jobTitle` |
| `created_at` | `createdAt`, `created` |
";

fn names(page: &mut String, names: &[Name]) {
    page.push_str("| name | result | meaning |\n|---|---|---|\n");
    for name in names {
        let written = match name.form {
            Form::Variable => name.name.to_owned(),
            Form::Map => format!("{}.KEY", name.name),
            Form::Function(params) => format!("{}({})", name.name, parameters(params)),
        };
        push(page, format_args!("| {} | {} | {} |\n", code(&written), gives(name.ty), cell(name.doc)));
    }
}

fn parameters(params: &[Param]) -> String {
    let all: Vec<String> = params
        .iter()
        .map(|param| if param.optional { format!("{}?", param.name) } else { param.name.to_owned() })
        .collect();
    all.join(", ")
}

fn gives(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "true or false",
        Type::Int => "whole number",
        Type::Double => "number with a fraction",
        Type::Text => "text",
        Type::List => "list",
        Type::Dyn => "any value",
    }
}

/// Text as code, fit for a cell of a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// Text fit for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
}

/// Writing to a text cannot fail.
fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.push_str(&std::fmt::format(text));
}
