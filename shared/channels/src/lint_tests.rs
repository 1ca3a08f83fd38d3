#![allow(clippy::unwrap_used)]
use super::*;

/// What is said of a template with this text, one line each.
fn said(text: &str) -> Vec<String> {
    let template = Template { subject: "s".to_owned(), text: text.to_owned(), ..Template::default() };
    let problems = check(&BTreeMap::from([("t".to_owned(), template)]));
    problems.iter().map(|problem| format!("{}: {}", problem.line, problem.problem)).collect()
}

#[track_caller]
fn expect(text: &str, wanted: &[&str]) {
    let said = said(text);
    assert_eq!(said.len(), wanted.len(), "{text}\n{said:?}");
    for (said, wanted) in said.iter().zip(wanted) {
        assert!(said.contains(wanted), "{text}\nwanted {wanted}\nfound  {said}");
    }
}

#[test]
fn templates_that_are_right_have_no_problem() {
    for text in [
        "Hello {{ person.first_name|default(\"there\") }}",
        "{% if person.plan is defined and not person.trial %}{{ person.plan|upper }}{% elif stage == \"trial\" %}x{% else %}y{% endif %}",
        "{% for p in person.products %}{{ loop.index }} {{ p.name }}{% endfor %}",
        "{% set name = person.name or account.name %}{{ name }}",
        "{{ \"}}\" }} and {{ person['first name'] }} {{ range(3)|join(\", \") }}",
        "{# {{ nobody }} #}{% raw %}{{#if x}}{% endraw %}",
        "{{ cause.event.name }} {{ journey }} {{ step }} {{ unsubscribe_url }} {{ owner }}",
        "{{ account.name if account.name else person.company }}",
        "It's {{ person.first_name }}'s turn",
    ] {
        expect(text, &[]);
    }
}

#[test]
fn handlebars_is_recognised_and_its_equivalent_shown() {
    for (text, wanted) in [
        ("{{#if premium}}", "write `{% if person.premium %}`"),
        ("{{#if user.premium}}", "write `{% if person.premium %}`"),
        ("{{/if}}", "write `{% endif %}`"),
        ("{{else}}", "write `{% else %}`"),
        ("{{ else }}", "write `{% else %}`"),
        ("{{else if user.trial}}", "write `{% elif person.trial %}`"),
        ("{{^}}", "write `{% else %}`"),
        ("{{#unless user.paid}}", "write `{% if not person.paid %}`"),
        ("{{/unless}}", "write `{% endif %}`"),
        ("{{#each user.products}}", "write `{% for item in person.products %}`"),
        ("{{#each products as |product|}}", "write `{% for product in person.products %}`"),
        ("{{/each}}", "write `{% endfor %}`"),
        ("{{#premium}}", "write `{% if person.premium %}`"),
        ("{{^premium}}", "write `{% if not person.premium %}`"),
        ("{{{user.first_name}}}", "write `{{ person.first_name|safe }}`"),
        ("{{{ body }}}", "write `{{ person.body|safe }}`"),
        ("{{&user.name}}", "write `{{ person.name|safe }}`"),
        ("{{@index}}", "write `{{ loop.index0 }}`"),
        ("{{!-- a note --}}", "write `{# a note #}`"),
        ("{{> footer}}", "put the text of `footer` here"),
        ("{{uppercase user.name}}", "write `{{ person.name|upper }}`"),
        ("{{default user.name \"there\"}}", "write `{{ person.name|default(\"there\") }}`"),
        ("{{formatDate user.since \"MMM\"}}", "`formatDate` would be a helper"),
        ("{{this.name}}", "write `{{ person.name }}`"),
        ("{{~#if user.premium~}}", "write `{% if person.premium %}`"),
        ("{{~ user.name ~}}", "write `{{- person.name -}}`"),
    ] {
        expect(text, &[wanted]);
        assert!(said(text)[0].contains("is Handlebars; "), "{text}");
    }
}

#[test]
fn liquid_is_recognised_and_its_equivalent_shown() {
    for (text, wanted) in [
        ("{{ customer.first_name | default: \"there\" }}", "write `{{ person.first_name|default(\"there\") }}`"),
        ("{{ x | default: 'y' }}", "write `{{ person.x|default('y') }}`"),
        ("{{ customer.name | upcase | append: \"!\" }}", "write `{{ person.name|upper ~ \"!\" }}`"),
        ("{{ customer.total | times: 2 }}", "write `{{ (person.total * 2) }}`"),
        ("{{ customer.name | replace: \"a\", \"b\" }}", "write `{{ person.name|replace(\"a\", \"b\") }}`"),
        ("{{ customer.since | date: \"%B\" }}", "dates cannot be formatted here"),
        ("{% assign name = customer.first_name %}", "write `{% set name = person.first_name %}`"),
        ("{% assign name = customer.name | default: \"x\" %}", "write `{% set name = person.name|default(\"x\") %}`"),
        ("{% capture name %}", "write `{% set name %}`"),
        ("{% endcapture %}", "write `{% endset %}`"),
        ("{% elsif customer.trial %}", "write `{% elif person.trial %}`"),
        ("{% unless customer.paid %}", "write `{% if not (person.paid) %}`"),
        ("{% endunless %}", "write `{% endif %}`"),
        ("{% if customer.tags contains \"vip\" %}", "write `{% if \"vip\" in person.tags %}`"),
        ("{% if customer.name != blank %}", "write `{% if person.name %}`"),
        ("{% if customer.name == nil %}", "write `{% if not person.name %}`"),
        ("{% case customer.plan %}", "write `{% if person.plan == … %}`"),
        ("{% when \"pro\" %}", "`{% elif … == \"pro\" %}`"),
        ("{% comment %}", "write `{# … #}`"),
        ("{% include 'footer' %}", "put the text of 'footer' here"),
        ("{%- assign name = customer.first_name -%}", "write `{% set name = person.first_name %}`"),
    ] {
        expect(text, &[wanted]);
        assert!(said(text)[0].contains("is Liquid; "), "{text}");
    }
}

#[test]
fn names_that_nothing_fills_are_told_with_their_line() {
    expect(
        "Hello\n{{ customer.first_name }},",
        &["2: nothing fills `customer.first_name`; did you mean `person.first_name`?"],
    );
    expect("{{ first_name }}", &["1: nothing fills `first_name`; did you mean `person.first_name`?"]);
    expect("{{ persn.first_name }}", &["did you mean `person.first_name`?"]);
    expect("{{ company.name }}", &["did you mean `account.name`?"]);
    expect("{{ unsubscribe_link }}", &["did you mean `unsubscribe_url`?"]);
    expect("{% if trial %}\n\nx{% endif %}\n{{ user.x }}", &["1: nothing fills `trial`", "4: nothing fills `user.x`"]);
}

#[test]
fn members_that_a_name_does_not_have_are_told() {
    for (path, meant) in [
        ("profile.userid", "profile.user_id"),
        ("event.plan", "event.properties.plan"),
        ("event.propertes.plan", "event.properties.plan"),
        ("cause.event.nam", "cause.event.name"),
        ("cause.quiets.days", "cause.quiet.days"),
    ] {
        expect(&format!("a\n{{{{ {path} }}}}"), &[&format!("2: nothing fills `{path}`; did you mean `{meant}`?")]);
    }
    expect("{{ cause.foo }}", &["`cause` has: event, quiet, score, segment, became"]);
    expect("{{ stage.name }}", &["`stage` has no parts; write `{{ stage }}`"]);
    // What is filled, may be a trait or a property, or was set here.
    for text in [
        "{{ profile.id }}{{ event.name }}{{ event.properties.plan.name }}{{ cause.score.value }}{{ cause.became.condition }}",
        "{{ person.anything.at_all }}{{ account.anything }}",
        "{% set event = person.webinar %}{{ event.starts_at }}",
        "{% for event in person.events %}{{ event.title }}{% endfor %}",
    ] {
        expect(text, &[]);
    }
}

#[test]
fn filters_tags_and_tests_that_do_not_exist_are_told_with_their_line() {
    expect("a\n{{ person.name|uper }}", &["2: `uper` is not a filter; did you mean `upper`? Filters: "]);
    expect("{{ person.name | upcase }}", &["`upcase` is not a filter; write `|upper`"]);
    expect("{{ person.since|date(\"%d\") }}", &["dates cannot be formatted here"]);
    expect("a\n\n{% fi person.trial %}x", &["3: `fi` is not a tag; did you mean `if`? Tags: "]);
    expect("{% if person.name is blank %}x{% endif %}", &["`is blank` is not a test"]);
    expect("{{ \"a|uper\" }}", &[]);
}

#[test]
fn what_does_not_compile_is_told_once() {
    assert_eq!(said("{% if person.name %}x").len(), 1);
    expect("{{#if person.name}}\nx\n{{/if}}", &["1: `{{#if person.name}}`", "3: `{{/if}}`"]);
}

#[test]
fn every_filter_and_name_that_is_suggested_exists() {
    let env = environment();
    for name in FILTERS {
        assert!(!is_unknown(&env, &format!("{{{{ ''|{name} }}}}"), ErrorKind::UnknownFilter), "{name}");
    }
}
