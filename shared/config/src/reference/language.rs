//! The elements of the condition language, and examples. A test compiles every one of them.

/// A piece of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Its syntax.
    pub written: &'static str,
    /// Its result.
    pub gives: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
    /// A condition on an event that uses it.
    pub example: &'static str,
}

const fn piece(written: &'static str, gives: &'static str, meaning: &'static str, example: &'static str) -> Piece {
    Piece { written, gives, meaning, example }
}

/// Everything that the language itself offers.
pub const LANGUAGE: &[Piece] = &[
    piece("12, -3", "whole number", "64 bits with a sign.", "properties.seats == 12"),
    piece(
        "0.5, 1e3",
        "number with a fraction",
        "Compares with whole numbers, and is not mixed with them in sums.",
        "sentiment > 0.5",
    ),
    piece("\"text\", 'text'", "text", "r\"…\" takes backslashes as they are.", "properties.plan == \"team\""),
    piece(
        "true, false, null",
        "true or false; null",
        "null is JSON's null: present, but empty.",
        "properties.paid == true",
    ),
    piece("[\"a\", \"b\"]", "list", "Values of any type.", "properties.plan in [\"team\", \"company\"]"),
    piece(
        "a && b, a || b, !a",
        "true or false",
        "And, or, not.",
        "properties.a == 1 && !(properties.b == 2 || properties.c == 3)",
    ),
    piece("a == b, a != b", "true or false", "Equal, different. Texts are compared with case.", "source != \"import\""),
    piece("a < b, a <= b, a > b, a >= b", "true or false", "Of two numbers or two texts.", "properties.nps >= 9"),
    piece(
        "a + b, a - b, a * b, a / b, a % b",
        "number",
        "Of two numbers of one kind; + joins texts and lists too.",
        "int(properties.seats) * 2 > 10",
    ),
    piece("condition ? a : b", "a or b", "The one or the other.", "(properties.paid == true ? 1 : 0) == 1"),
    piece("a in list", "true or false", "Whether the list has it.", "properties.feature in [\"forecast\", \"alerts\"]"),
    piece(
        "map.key, map[\"a key\"], list[0]",
        "the member's value",
        "A member of a value, at any depth.",
        "properties.items[0].sku == \"x\" && properties[\"First Name\"] == \"Ada\"",
    ),
    piece(
        "has(map.key)",
        "true or false",
        "Whether it has a value: `null` and empty text do not count.",
        "has(properties.coupon)",
    ),
    piece(
        "size(x), x.size()",
        "whole number",
        "Characters of a text, elements of a list.",
        "size(properties.items) >= 3 && properties.name.size() > 2",
    ),
    piece("int(x)", "whole number", "From a number (cut) or the text of one.", "int(properties.seats) >= 10"),
    piece(
        "double(x)",
        "number with a fraction",
        "From a number or the text of one.",
        "double(properties.price) >= 19.9",
    ),
    piece(
        "text.contains(\"a\")",
        "true or false",
        "Whether the text contains it.",
        "properties.path.contains(\"/docs/\")",
    ),
    piece(
        "text.startsWith(\"a\"), text.endsWith(\"a\")",
        "true or false",
        "How it begins, how it ends.",
        "properties.path.startsWith(\"/docs\") || properties.path.endsWith(\".pdf\")",
    ),
    piece(
        "text.matches(\"pattern\")",
        "true or false",
        "Whether a part of it matches the regular expression (RE2's syntax).",
        "properties.path.matches(\"^/blog/[0-9]+\")",
    ),
    piece(
        "text.lowerAscii()",
        "text",
        "A to Z in lower case: to compare without regard to capitals.",
        "properties.plan.lowerAscii() == \"team\"",
    ),
    piece(
        "list.exists(e, condition)",
        "true or false",
        "Whether it holds for some element e.",
        "properties.items.exists(e, e.price > 100)",
    ),
    piece(
        "list.all(e, condition)",
        "true or false",
        "Whether it holds for every element e.",
        "properties.items.all(e, e.paid == true)",
    ),
];

/// The subject of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// An event.
    Event,
    /// A person.
    Person,
}

/// A whole condition, with its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Its subject.
    pub of: Of,
    /// The condition.
    pub source: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
}

const fn of_person(source: &'static str, meaning: &'static str) -> Example {
    Example { of: Of::Person, source, meaning }
}

const fn of_event(source: &'static str, meaning: &'static str) -> Example {
    Example { of: Of::Event, source, meaning }
}

/// Conditions to start from. They use features, segments and tallies of the default configuration.
pub const EXAMPLES: &[Example] = &[
    of_person("stage == \"trial\" && idle_days >= 3", "a trial that has gone quiet"),
    of_person("count(\"Pricing Page Viewed\", 7) >= 3", "looked at the prices three times in a week"),
    of_person("days_since(\"Demo Requested\") <= 14", "asked for a demonstration in the last two weeks"),
    of_person("pays && activity_change(28) <= -0.5", "half as active as in the four weeks before"),
    of_person("pays && high_value_share(28) < 0.34", "uses few of the high-value features"),
    of_person("used_days(\"forecast\", 28) >= 4", "used the feature on four days or more"),
    of_person(
        "!ever_used(\"alerts\") && released_days(\"alerts\") >= 30",
        "has not tried a feature released a month ago",
    ),
    of_person("title(\"finance_lead\")", "a chief financial officer, but not the assistant to one"),
    of_person("traits.title.lowerAscii().matches(\"\\\\b(berlin|paris)\\\\b\")", "a title with Berlin or Paris in it"),
    of_person("scores.churn >= 60 && account.touch == \"high\"", "may churn, in an account with high touch"),
    of_person("segment(\"at_risk\") && nps_class != \"detractor\"", "at risk, but content in the last survey"),
    of_person("persona(\"buyer\") && tallies.consideration >= 3", "a buyer who has taken three steps of consideration"),
    of_person(
        "revenue(\"USD\") >= 100000 && active_months(12) >= 6",
        "paid 1,000 dollars (in cents), and was there in half of the year's months",
    ),
    of_event("properties.nps <= 6", "the answer of a detractor"),
    of_event("properties.feature in [\"forecast\", \"cohorts\"]", "the use of one of two features"),
    of_event("context.campaign.source == \"newsletter\"", "came from the newsletter"),
    of_event("source == \"zendesk\" && sentiment < -0.3", "an angry ticket"),
];
