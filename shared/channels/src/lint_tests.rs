#![allow(clippy::unwrap_used)]
use super::*;

/// Returns the problems of a template with this text, one a line.
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
fn conditions_with_helpers_are_shown_as_conditions_of_ours() {
    for (text, wanted) in [
        ("{{#if (eq plan 'pro')}}", "write `{% if person.plan == 'pro' %}`"),
        ("{{#if (eq user.plan \"pro plan\")}}", "write `{% if person.plan == \"pro plan\" %}`"),
        (
            "{{#if (and (eq plan 'pro') (gt seats 5))}}",
            "write `{% if (person.plan == 'pro') and (person.seats > 5) %}`",
        ),
        ("{{#if (or user.trial (not user.paid))}}", "write `{% if person.trial or (not person.paid) %}`"),
        ("{{#unless (eq plan 'pro')}}", "write `{% if not person.plan == 'pro' %}`"),
        ("{{else if (lte seats 1)}}", "write `{% elif person.seats <= 1 %}`"),
        ("{{#if (contains 'vip' user.tags)}}", "write `{% if 'vip' in person.tags %}`"),
    ] {
        expect(text, &[wanted]);
    }
}

#[test]
fn loops_of_liquid_are_shown_as_loops_of_ours() {
    for (text, wanted) in [
        ("{% for i in (1..3) %}", "write `{% for i in range(1, 4) %}`"),
        ("{% for i in (1..customer.seats) %}", "write `{% for i in range(1, person.seats + 1) %}`"),
        ("{% for p in customer.products limit:3 %}", "write `{% for p in person.products[:3] %}`"),
        ("{% for p in customer.products limit: 3 offset: 2 %}", "write `{% for p in person.products[2:5] %}`"),
        ("{% for p in person.products offset:2 %}", "write `{% for p in person.products[2:] %}`"),
        ("{% for p in person.products reversed %}", "write `{% for p in person.products|reverse %}`"),
        ("{% cycle 'odd', 'even' %}", "write `{{ loop.cycle('odd', 'even') }}`"),
        ("{% cycle 'rows': 'odd', 'even' %}", "write `{{ loop.cycle('odd', 'even') }}`"),
        ("{{ forloop.index }}", "write `{{ loop.index }}`"),
        ("{{ forloop.rindex }}", "write `{{ loop.revindex }}`"),
        ("{% if forloop.last %}", "write `{% if loop.last %}`"),
        ("{{ customer.products.size }}", "write `{{ person.products|length }}`"),
        ("{{ customer.products.first }}", "write `{{ person.products|first }}`"),
        ("{% if customer.products.size > 3 %}", "write `{% if person.products|length > 3 %}`"),
        ("{% break %}", "a loop cannot break here"),
    ] {
        expect(text, &[wanted]);
        assert!(said(text)[0].contains("is Liquid; "), "{text}");
    }
    let own = "{% for p in person.products %}x{% endfor %}{{ person.products.size }}{{ person.products.last }}";
    expect(own, &["write `{{ person.products|length }}`", "write `{{ person.products|last }}`"]);
    expect("{{ person.company.size }} {{ person.name.first }} {% if account.size > 3 %}x{% endif %}", &[]);
}

#[test]
fn braze_is_recognised_and_its_equivalent_shown() {
    for (text, wanted) in [
        ("{{${first_name}}}", "write `{{ person.first_name }}`"),
        ("{{ ${first_name} | default: 'there' }}", "write `{{ person.first_name|default('there') }}`"),
        ("{{custom_attribute.${plan}}}", "write `{{ person.plan }}`"),
        ("{{event_properties.${webinar}}}", "write `{{ event.properties.webinar }}`"),
        ("{{content_blocks.${footer}}}", "put the text of `footer` here"),
        ("{% connected_content https://acme.example/x :save x %}", "nothing is fetched here"),
        ("{% abort_message('no plan') %}", "write the condition into the journey"),
    ] {
        expect(text, &[wanted]);
        assert!(said(text)[0].contains("is Braze; "), "{text}");
    }
}

#[test]
fn signs_of_other_tools_in_the_text_are_recognised() {
    for (text, wanted) in [
        ("Hi *|FNAME|*,", "`*|FNAME|*` is Mailchimp; write `{{ person.first_name }}`"),
        ("*|UNSUB|*", "write `{{ unsubscribe_url }}`"),
        ("*|PLAN|*", "write `{{ person.plan }}`"),
        ("*|IF:PLAN=pro|*", "write `{% if person.plan == \"pro\" %}`"),
        ("*|END:IF|*", "write `{% endif %}`"),
        ("%%first_name%%", "`%%first_name%%` is Salesforce; write `{{ person.first_name }}`"),
        ("%%FirstName%%", "write `{{ person.firstname }}`"),
        ("<%= user.first_name %>", "`<%= user.first_name %>` is ERB or EJS; write `{{ person.first_name }}`"),
        ("<%= @user.plan %>", "write `{{ person.plan }}`"),
        ("<% if user.trial %>", "write `{% if person.trial %}`"),
        ("<% } else { %>", "write `{% else %}`"),
        ("<% end %>", "write `{% endif %}`"),
        ("[[ first_name ]]", "`[[ first_name ]]` is another language; write `{{ person.first_name }}`"),
        ("[[user.plan]]", "write `{{ person.plan }}`"),
        ("${first_name}", "`${first_name}` is JavaScript; write `{{ person.first_name }}`"),
        ("{first_name}", "`{first_name}` is another language; write `{{ person.first_name }}`"),
        ("%FIRST_NAME%", "`%FIRST_NAME%` is another language; write `{{ person.first_name }}`"),
        ("%%First Name%%", "write `{{ person.first_name }}`"),
    ] {
        expect(text, &[wanted]);
    }
    for text in [
        "100%% of it, and 50%% more",
        "[[1], [2]] [[Home]] [[see below]] [1] [[...]]",
        "a < b and 5% off; <% of 100 %>",
        "costs ${price} or $5 {net}",
        "*| a |* and |*x*|",
        "{{ [[1, 2], [3]]|length }} {{ \"%%first_name%%\" }} {# *|FNAME|* #}",
        "{% raw %}*|FNAME|* %%first_name%%{% endraw %}",
        "<!--[if mso]><table><![endif]-->",
    ] {
        expect(text, &[]);
    }
}

#[test]
fn a_finding_has_its_line_and_column() {
    let at = |text: &str| {
        let template = Template { subject: "s".to_owned(), text: text.to_owned(), ..Template::default() };
        let problems = check(&BTreeMap::from([("t".to_owned(), template)]));
        problems.iter().map(|problem| (problem.line, problem.column)).collect::<Vec<_>>()
    };
    for (text, places) in [
        ("Hello {{ customer.first_name }}", vec![(1, 10)]),
        ("Ä {{ person.name|uper }}", vec![(1, 18)]),
        ("a\n  {{#if user.premium}}x", vec![(2, 3)]),
        ("a\n\nHi *|FNAME|* and %%plan%%", vec![(3, 4), (3, 18)]),
        ("{% if person.x is blank %}{% endif %}{{ nobody }}", vec![(1, 19), (1, 41)]),
        ("{{ a.b }} {{ a.b }}", vec![(1, 4), (1, 14)]),
    ] {
        assert_eq!(at(text), places, "{text}");
    }
}

#[test]
fn names_that_are_nearly_a_fact_are_suspect_and_no_error() {
    let suspects = |text: &str| {
        let template = Template { subject: "s".to_owned(), text: text.to_owned(), ..Template::default() };
        suspect(&BTreeMap::from([("t".to_owned(), template)]))
            .into_iter()
            .map(|problem| problem.problem)
            .collect::<Vec<_>>()
    };
    for (name, meant) in [
        ("fist_name", "first_name"),
        ("firts_name", "first_name"),
        ("lastt_name", "last_name"),
        ("emial", "email"),
        ("createdat_", "created_at"),
    ] {
        let text = format!("{{{{ person.{name} }}}}");
        let found = suspects(&text);
        if name == "createdat_" {
            assert_eq!(found, Vec::<String>::new(), "another spelling of the fact itself");
        } else {
            assert!(
                found.len() == 1 && found[0].contains(&format!("did you mean `person.{meant}`")),
                "{name} {found:?}"
            );
        }
        expect(&text, &[]);
    }
    for name in ["first_name", "firstName", "emails", "last_names", "plan", "file_name", "time", "email", "nickname"] {
        assert_eq!(suspects(&format!("{{{{ person.{name} }}}}")), Vec::<String>::new(), "{name}");
    }
}

/// Expressions, conditions and blocks that templates may hold, of which [`whatever_is_valid_has_no_problem`] makes whole templates.
const EXPRESSIONS: [&str; 32] = [
    "person.first_name",
    "person['first name']",
    "person.name|upper|trim",
    "person.plan|default(\"it's free\")",
    "person.company.size",
    "person.name.first ~ ' ' ~ person.name.last",
    "(person.seats|int + 1) * 2 // 3 % 4 ** 2",
    "-1",
    "not person.trial",
    "account.name if account.name else person.company",
    "person.tags|join(\", \")",
    "person.tags[1:3]|first",
    "person.tags[person.a|int:person.b|int]",
    "{\"a\": person.plan|upper, \"b\": 1}|length",
    "{person.plan|lower: 1}|length",
    "[[1, 2], [3]]|length",
    "range(3)|sum",
    "dict(a=1, b=person.x).a",
    "person.products|map(attribute=\"name\")|unique|join",
    "person.products|selectattr(\"active\")|list|length",
    "person.x is defined and person.x is not none",
    "person.x is divisibleby 2 or person.y is in [1, 2]",
    "person.x == 1 and (person.y != 'a' or person.z >= 2.5)",
    "'vip' in person.tags",
    "cause.event.name",
    "event.properties.plan.name",
    "profile.user_id ~ stage ~ owner ~ journey ~ step",
    "unsubscribe_url",
    "person.name[::-1]",
    "\"{{ }} {% %} %%x%% *|X|*\"",
    "true",
    "person.a.b.c[0].d",
];

proptest::proptest! {
    #[test]
    fn whatever_is_valid_has_no_problem(
        blocks in proptest::collection::vec((0..9_u8, 0..EXPRESSIONS.len(), 0..EXPRESSIONS.len()), 1..8),
        names in proptest::collection::vec("[a-z]{1,6}", 8),
    ) {
        let mut text = String::new();
        for (n, (kind, one, other)) in blocks.into_iter().enumerate() {
            let (one, other) = (EXPRESSIONS[one], EXPRESSIONS[other]);
            // Any name except those of the language.
            let name = format!("{}_x", names[n % names.len()]);
            text.push_str(&match kind {
                0 => format!("a {{{{ {one} }}}} b\n"),
                1 => format!("{{%- if ({one}) -%}}{{{{ {other} }}}}{{% elif ({other}) %}}x{{% else %}}y{{% endif %}}"),
                2 => format!("{{% for {name} in person.products if ({one}) %}}{{{{ {name}.name }}}}{{{{ loop.index }}}}{{{{ loop.cycle(1, 2) }}}}{{% else %}}{{{{ {other} }}}}{{% endfor %}}"),
                3 => format!("{{% set {name} = {one} %}}{{{{ {name} }}}}"),
                4 => format!("{{% set {name} %}}{{{{ {one} }}}}{{% endset %}}{{{{ {name}|length }}}}"),
                5 => format!("{{% with {name} = {one} %}}{{{{ {name} }}}}{{% endwith %}}"),
                6 => format!("{{% filter upper %}}{{{{ {one} }}}}{{% endfilter %}}"),
                7 => format!("{{# {one} #}}{{% raw %}}{{{{#if {other}}}}}{{% endraw %}}"),
                _ => format!("{{% for k, v in person.address|items %}}{{{{ k }}}}: {{{{ v if ({one}) }}}}{{% endfor %}}"),
            });
        }
        let found = said(&text);
        proptest::prop_assert!(found.is_empty(), "{text}\n{found:?}");
    }
}

#[test]
fn words_of_other_languages_are_names_where_the_template_says_so() {
    for text in [
        "{% for this in person.products %}{{ this.name }}{% endfor %}",
        "{% set forloop = person.x %}{{ forloop.index }}",
        "{% for empty in person.x %}{% if empty %}x{% endif %}{% endfor %}",
        "{% set contains = person.x %}{% if contains %}x{% endif %}",
        "{{{\"a\": 1}|length}}",
    ] {
        expect(text, &[]);
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
    // Names that are known, may be traits or properties, or were set in the template.
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
