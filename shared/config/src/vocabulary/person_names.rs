//! The names of conditions on a person, as they are documented.

use crate::cel::{Form, Name, Param, Type};

const EVENT: Param = Param { name: "event", ty: Type::Text, optional: false };
const DAYS: Param = Param { name: "days", ty: Type::Int, optional: false };
const LAST_DAYS: Param = Param { name: "days", ty: Type::Int, optional: true };
const HOURS: Param = Param { name: "hours", ty: Type::Int, optional: false };
const MONTHS: Param = Param { name: "months", ty: Type::Int, optional: false };
const FEATURE: Param = Param { name: "feature", ty: Type::Text, optional: false };
const NAME: Param = Param { name: "name", ty: Type::Text, optional: false };
const CURRENCY: Param = Param { name: "currency", ty: Type::Text, optional: false };

const fn variable(name: &'static str, ty: Type, doc: &'static str) -> Name {
    Name { name, form: Form::Variable, ty, doc }
}

const fn map(name: &'static str, ty: Type, doc: &'static str) -> Name {
    Name { name, form: Form::Map, ty, doc }
}

const fn function(name: &'static str, params: &'static [Param], ty: Type, doc: &'static str) -> Name {
    Name { name, form: Form::Function(params), ty, doc }
}

/// The names of [`super::PersonVocabulary`].
pub static PERSON_NAMES: &[Name] = &[
    variable(
        "stage",
        Type::Text,
        "The person's stage: \"visitor\", \"lead\", \"trial\", \"freemium\", \"onboarding\", \"adopting\", \"established\", \"at_risk\", \"churned\" or \"won_back\".",
    ),
    variable(
        "pays",
        Type::Bool,
        "Whether the person pays now: onboarding, adopting, established, at_risk or won_back.",
    ),
    variable(
        "cancels",
        Type::Bool,
        "Whether a subscription that the person pays for is cancelled and ends with its period.",
    ),
    variable("past_due", Type::Bool, "Whether a payment for one of the person's subscriptions is overdue."),
    variable("idle_days", Type::Int, "Whole days since the last activity; missing without any."),
    variable("tenure_days", Type::Int, "Whole days since the first activity; missing without any."),
    variable("customer_days", Type::Int, "Whole days since the first payment; missing without one."),
    variable(
        "lost_trial_days",
        Type::Int,
        "Whole days since a trial ended without a payment, for leads and users of a free plan; missing for everyone else.",
    ),
    variable(
        "engagement",
        Type::Int,
        "How often and how much the person does something, 0 to 100: scoring.toml, [engagement].",
    ),
    variable("events", Type::Int, "Events counted in all."),
    variable("nps", Type::Int, "The latest answer to the recommendation survey, 0 to 10; missing without one."),
    variable("nps_class", Type::Text, "\"promoter\", \"passive\", \"detractor\", or \"none\" without an answer."),
    variable(
        "nps_days",
        Type::Int,
        "Whole days since the latest answer to the recommendation survey; missing without one.",
    ),
    variable(
        "csat",
        Type::Int,
        "The latest answer to the satisfaction survey, 1 to 5 or the scale of scoring.toml; missing without one.",
    ),
    variable(
        "csat_days",
        Type::Int,
        "Whole days since the latest answer to the satisfaction survey; missing without one.",
    ),
    variable(
        "sentiment",
        Type::Double,
        "The average sentiment of the person's texts of this month and the two before, -1 to 1; missing without any.",
    ),
    variable(
        "mail_domain",
        Type::Text,
        "The domain of the mail address, such as \"example.com\"; missing without one.",
    ),
    map(
        "traits",
        Type::Dyn,
        "The latest traits of `identify` calls: traits.title, traits.company.name, traits[\"first name\"]. The mail address, names, phone, company, title and `created_at` are found in every spelling that clients send: traits.first_name also reads `firstName` or `given_name`, or the first name in `name`. An object is compared by its `name`. A trait that was removed with null is missing.",
    ),
    map(
        "scores",
        Type::Int,
        "The nine likelihoods, 0 to 100: scores.churn. Missing if one does not apply, such as scores.trial_success without a trial (scoring.toml, [applies]): has(scores.churn). For segments and journeys.",
    ),
    map("tallies", Type::Int, "The tallies of scoring.toml: tallies.awareness."),
    map(
        "account",
        Type::Dyn,
        "The person's account: account.id, .people, .score, .health (0 to 100), .value (minor units a year), .touch (\"high\", \"low\", \"none\"), .owner, .stage, .renewals (the number of renewals), .renews_in_days (whole days until the next renewal, 0 on the last; missing once that has passed or the account has left), .cancels and .past_due (as of the person, but of any of its subscriptions), .leading_buyer (whether the person was the buyer with the most weight when the account became ready; for journeys), .traits.NAME; missing without an account or if unknown.",
    ),
    function(
        "count",
        &[EVENT, LAST_DAYS],
        Type::Int,
        "How often the event happened in all; with days, in the last 1 to 92 days, today included.",
    ),
    function(
        "count_hours",
        &[EVENT, HOURS],
        Type::Int,
        "How often the event happened in the last 1 to 168 hours, across midnight too, counted by whole hours.",
    ),
    function("days_since", &[EVENT], Type::Int, "Whole days since the event last happened; missing if it never did."),
    function("active_days", &[DAYS], Type::Int, "On how many of the last 1 to 128 days the person was active."),
    function("active_months", &[MONTHS], Type::Int, "In how many of the last 1 to 64 months the person was active."),
    function(
        "activity_change",
        &[DAYS],
        Type::Double,
        "How the active days of the last 1 to 64 days differ from those of as many days before: -0.5 is half as many, 1.0 twice as many (or some after none), 0.0 as many.",
    ),
    function("used_days", &[FEATURE, DAYS], Type::Int, "On how many of the last 1 to 128 days the feature was used."),
    function("ever_used", &[FEATURE], Type::Bool, "Whether the feature was ever used."),
    function(
        "released_days",
        &[FEATURE],
        Type::Int,
        "Whole days since the feature's `released` date; below 0 before it.",
    ),
    function(
        "high_value_used",
        &[DAYS],
        Type::Int,
        "How many high-value features were used in the last 1 to 128 days.",
    ),
    function(
        "high_value_share",
        &[DAYS],
        Type::Double,
        "The share of all high-value features that was used in the last 1 to 128 days, 0 to 1.",
    ),
    function(
        "errors",
        &[FEATURE, DAYS],
        Type::Int,
        "How many errors the person met in the feature in the last 1 to 28 days. features.toml, [errors], defines errors.",
    ),
    function(
        "most_errors",
        &[DAYS],
        Type::Int,
        "The most errors that the person met in one and the same feature in the last 1 to 28 days.",
    ),
    function(
        "title",
        &[NAME],
        Type::Bool,
        "Whether the person's job title is that of personas.toml, [[title]]: \"Group CFO\" is, \"Assistant to the CFO\" is not.",
    ),
    function("persona", &[NAME], Type::Bool, "Whether the person has the persona of personas.toml."),
    function(
        "segment",
        &[NAME],
        Type::Bool,
        "Whether the person is in the segment of segments.toml. A segment may only ask for those above it.",
    ),
    function("revenue", &[CURRENCY], Type::Int, "The amount that the person paid in that currency, in minor units."),
];
