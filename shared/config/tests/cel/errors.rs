//! All errors in a condition are reported at once, each at its position, with what is allowed.

use super::world::compile;
use perennial_config::cel::Wanted;

/// Returns the errors in a condition, each under the source at its position.
fn told(source: &str, wanted: Wanted) -> String {
    let mut told = String::new();
    for error in compile(source, wanted).expect_err(source) {
        assert!(source.get(error.at.clone()).is_some(), "{source}: {error:?} is no place of it");
        let before = source[..error.at.start].chars().count();
        let marks = source[error.at.clone()].chars().count().max(1);
        told += &format!("\n{source}\n{}{} {}", " ".repeat(before), "^".repeat(marks), error.message);
    }
    told
}

/// Checks the errors in a condition.
#[track_caller]
fn says(source: &str, expected: &str) {
    assert_eq!(told(source, Wanted::Condition).trim_start_matches('\n'), expected.trim_start_matches('\n'));
}

#[test]
fn a_name_that_nothing_has_is_told_with_the_nearest() {
    says(
        "idle_dys > 3 && stage == trial",
        "
idle_dys > 3 && stage == trial
^^^^^^^^ `idle_dys` is no known name; did you mean `idle_days`?
idle_dys > 3 && stage == trial
                         ^^^^^ `trial` is no known name (a text stands in quotes). Known: account, anything, count, engagement, idle_days, pays, properties, segments, sentiment, source, stage, visits",
    );
    says("pays == True", "pays == True\n        ^^^^ `True` is no known name; did you mean `true`?");
    says("counts(\"a\") > 1", "counts(\"a\") > 1\n^^^^^^ `counts` is no function; did you mean `count`?");
    says(
        "stage.startswith(\"a\")",
        "stage.startswith(\"a\")\n      ^^^^^^^^^^ `.startswith()` is not offered; did you mean `.startsWith()`?",
    );
}

#[test]
fn types_that_can_never_fit_are_told() {
    says(
        "idle_days == \"x\"",
        "idle_days == \"x\"\n^^^^^^^^^^^^^^^^ `idle_days` is a whole number and `\"x\"` is a text: they are never equal",
    );
    says(
        "stage > 3 || pays && visits",
        "
stage > 3 || pays && visits
^^^^^^^^^ `stage` is a text and `3` is a whole number: `>` compares two numbers, two texts or two truth values
stage > 3 || pays && visits
                     ^^^^^^ `&&` takes true or false, and `visits` is a whole number",
    );
    says(
        "stage in \"trial\"",
        "stage in \"trial\"\n         ^^^^^^^ `in` looks into a list, such as `[\"a\", \"b\"]`, and `\"trial\"` is a text; of a text, ask `.contains(\"…\")`",
    );
    says(
        "stage in [\"trial\", 3]",
        "stage in [\"trial\", 3]\n                   ^ `stage` is a text and `3` is a whole number: they are never equal",
    );
    says(
        "segments.contains(\"a\")",
        "segments.contains(\"a\")\n^^^^^^^^ `.contains` is of texts, and `segments` is a list; of a list, ask `\"a\" in x`",
    );
    says(
        "idle_days == null",
        "idle_days == null\n^^^^^^^^^^^^^^^^^ `idle_days` is a whole number and `null` is `null`: they are never equal",
    );
    says(
        "pays ? stage : visits",
        "pays ? stage : visits\n^^^^^^^^^^^^^^^^^^^^^ both sides of `:` have to be of one type, and `stage` is a text, `visits` a whole number",
    );
    says("1 < visits < 5", "1 < visits < 5\n^^^^^^^^^^^^^^ comparisons cannot be chained: write `a < b && b < c`");
}

#[test]
fn numbers_of_two_kinds_are_not_mixed_and_the_way_out_is_told() {
    says(
        "sentiment * 2 > 1.0",
        "sentiment * 2 > 1.0\n^^^^^^^^^^^^^ `*` does not mix whole numbers and numbers with a fraction: write `2.0` for `2`",
    );
    says(
        "visits + sentiment > 1.0",
        "visits + sentiment > 1.0\n^^^^^^^^^^^^^^^^^^ `+` does not mix whole numbers and numbers with a fraction: write `double(visits)` for `visits`",
    );
    says(
        "sentiment % 2.0 == 0.0",
        "sentiment % 2.0 == 0.0\n^^^^^^^^^^^^^^^ `%` takes two whole numbers, and `sentiment` is a number with a fraction, `2.0` a number with a fraction",
    );
}

#[test]
fn a_condition_has_to_be_one_and_points_have_to_be_a_number() {
    says(
        "visits",
        "visits\n^^^^^^ a condition has to be true or false, and this is a whole number; compare it, such as `… > 0`",
    );
    says("null", "null\n^^^^ a condition has to be true or false, and this is `null`");
    assert_eq!(
        told("pays", Wanted::Number),
        "\npays\n^^^^ a number is wanted here, and this is true or false; choose one, such as `… ? 1 : 0`"
    );
    assert!(compile("properties.points", Wanted::Number).is_ok());
}

#[test]
fn maps_are_asked_for_keys() {
    says(
        "properties == 3",
        "properties == 3\n^^^^^^^^^^ `properties` has keys: write `properties.KEY` or `properties[\"KEY\"]`",
    );
    says(
        "properties[stage] == 3",
        "properties[stage] == 3\n           ^^^^^ a key of `properties` is a text in quotes, such as `properties[\"KEY\"]`",
    );
    says("account.name == \"a\"", "account.name == \"a\"\n^^^^^^^^^^^^ `account` has no `name`; known: people");
    says(
        "stage.length > 3",
        "stage.length > 3\n      ^^^^^^ `stage` is a text and has no keys such as `length`; its size is `size(…)`",
    );
    says("has(stage)", "has(stage)\n    ^^^^^ `has()` asks for a key: write `has(properties.plan)`");
    says(
        "properties.in == 1",
        "properties.in == 1\n          ^ `in` cannot stand after a dot: write `[\"in\"]` instead",
    );
}

#[test]
fn functions_are_told_how_they_are_called() {
    says("count > 3", "count > 3\n^^^^^ `count` is a function: write `count(\"EVENT\", [DAYS])`");
    says(
        "count() > 3",
        "count() > 3\n^^^^^^^ `count` takes 1 or 2 arguments, and none is given: write `count(\"EVENT\", [DAYS])`",
    );
    says(
        "count(\"a\", 7.5) > 3",
        "count(\"a\", 7.5) > 3\n           ^^^ `days` has to be a whole number, and this is a number with a fraction",
    );
    says(
        "count(stage, 7) > 3",
        "count(stage, 7) > 3\n      ^^^^^ `event` has to be written out: it cannot depend on what is looked up",
    );
    says("count(\"a\", 99) > 3", "count(\"a\", 99) > 3\n           ^^ days go from 1 to 28");
    says("idle_days() > 3", "idle_days() > 3\n^^^^^^^^^ `idle_days` is no function: it takes a name without brackets");
    says("stage.matches(\"(\")", "stage.matches(\"(\")\n              ^^^ this is no pattern: unclosed group");
    says(
        "stage.matches(source)",
        "stage.matches(source)\n              ^^^^^^ the pattern has to be written out: it is compiled once",
    );
    says(
        "segments.map(s, -s) == [] && stge == \"a\"",
        "
segments.map(s, -s) == [] && stge == \"a\"
         ^^^ `.map()` is not offered: of a list you can ask `exists`, `all`, `size` and `in`
segments.map(s, -s) == [] && stge == \"a\"
                             ^^^^ `stge` is no known name; did you mean `stage`?",
    );
    says(
        "stage.trim() == \"a\"",
        "stage.trim() == \"a\"\n      ^^^^ `.trim()` is not offered: after a dot you can call `all`, `contains`, `endsWith`, `exists`, `lowerAscii`, `matches`, `size` or `startsWith`",
    );
    says(
        "segments.exists(1, true)",
        "segments.exists(1, true)\n                ^ the first argument is a name for the element: write `properties.tags.exists(tag, tag == \"vip\")`",
    );
    says(
        "segments.exists(\"vip\")",
        "segments.exists(\"vip\")\n         ^^^^^^ `exists` takes a name for the element and a condition: write `x.exists(e, e == \"a\")`",
    );
}

#[test]
fn what_other_languages_write_is_told_in_cel() {
    says("visits = 3", "visits = 3\n       ^ `=` assigns, and conditions only ask: write `==`");
    says(
        "visits > 3 and not pays or stage <> 'a'",
        "
visits > 3 and not pays or stage <> 'a'
           ^^^ `and` is no operator: write `&&`
visits > 3 and not pays or stage <> 'a'
               ^^^ `not` is no operator: write `!`
visits > 3 and not pays or stage <> 'a'
                        ^^ `or` is no operator: write `||`
visits > 3 and not pays or stage <> 'a'
                                 ^^ `<>` is no operator: write `!=`",
    );
    says("pays & visits > 3", "pays & visits > 3\n     ^ `&` is no operator: write `&&`");
    says(
        "stage == “trial”",
        "stage == “trial”\n         ^ `“` opens no text: texts stand in straight quotes, `\"…\"` or `'…'`\nstage == “trial”\n          ^^^^^ an operator is missing before `trial`, such as `==` or `&&`\nstage == “trial”\n               ^ `”` opens no text: texts stand in straight quotes, `\"…\"` or `'…'`",
    );
    says(
        "visits > 1_000",
        "visits > 1_000\n         ^^^^^ `1_000` is no number: write it with digits alone, such as `1000` or `0.5`",
    );
    says("visits > 3u", "visits > 3u\n         ^^ numbers without a sign are not offered: write `3`");
}

#[test]
fn what_is_missing_is_told_where_it_should_stand() {
    says("", "\n^ the condition is empty");
    says("visits >", "visits >\n        ^ a value is missing after `>`");
    says("visits > && pays", "visits > && pays\n         ^^ a value is missing before `&&`");
    says(
        "(visits > 3 && (pays",
        "(visits > 3 && (pays\n^ `(` is not closed\n(visits > 3 && (pays\n               ^ `(` is not closed",
    );
    says("visits > 3)", "visits > 3)\n          ^ `)` closes nothing");
    says("visits 3", "visits 3\n       ^ an operator is missing before `3`, such as `==` or `&&`");
    says("pays ? stage", "pays ? stage\n     ^ `?` has no `:` after it: a choice is `condition ? a : b`");
    says("stage == \"a", "stage == \"a\n         ^^ the text does not end: a closing `\"` is missing");
    says(
        "stage == \"\\d\"",
        "stage == \"\\d\"\n          ^^ `\\d` is no escape in a text: write `\\\\` for a backslash, or put an `r` before the text",
    );
    says(
        "visits > 99999999999999999999",
        "visits > 99999999999999999999\n         ^^^^^^^^^^^^^^^^^^^^ `99999999999999999999` is too large: whole numbers end at 9223372036854775807",
    );
    says("[1, 2", "[1, 2\n^ `[` is not closed");
}

#[test]
fn what_always_fails_is_told() {
    says(
        "visits > 1 / 0",
        "visits > 1 / 0\n         ^^^^^ `1 / 0` can never be worked out: a whole number is divided by zero",
    );
    says(
        "visits > int(\"x\")",
        "visits > int(\"x\")\n         ^^^^^^^^ `int(\"x\")` can never be worked out: it cannot be converted",
    );
}

#[test]
fn places_are_right_in_whatever_shape_a_condition_has() {
    // Every `bad` is an unknown name, and is found at its position.
    let sources = [
        "((bad)) > (1 + bad) * -bad && !(bad) && !!bad",
        "pays ? bad : (pays ? (bad) : bad)",
        "[bad, -1, [bad],].exists(e, e == bad && has(properties.a) && bad)",
        "!has(bad.a) || segments.all(e, (bad)) || size((bad)) > bad",
        "anything[bad].k[(bad)] == bad.k && (bad).k.contains((bad)) == (bad in [bad])",
        "properties.a.b[0].c == bad && \"bad\" == stage // bad\n || int(bad) == --bad",
        "a_function(bad, (bad)) || bad(1)",
    ];
    for source in sources {
        let found: Vec<_> = compile(source, Wanted::Condition)
            .unwrap_err()
            .into_iter()
            .filter(|e| &source[e.at.clone()] == "bad")
            .collect();
        let hidden = source.matches("\"bad\"").count() + source.matches("// bad").count();
        let expected = if source.starts_with("a_function") { 1 } else { source.matches("bad").count() - hidden };
        assert_eq!(found.len(), expected, "{source}: {found:?}");
    }
}

#[test]
fn places_are_in_bytes_after_text_that_is_not_ascii() {
    let errors = compile("stage == \"Müller\" && visit > 3", Wanted::Condition).unwrap_err();
    assert_eq!((errors.len(), errors[0].at.clone()), (1, 22..27));
}
