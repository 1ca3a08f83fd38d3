#![allow(clippy::unwrap_used)]
use super::*;

fn is(title: &str, patterns: &[&str]) -> bool {
    let title = Title::parse(title);
    patterns
        .iter()
        .any(|pattern| title.holds(&Pattern::parse(pattern).unwrap(), Kind::Position, &OtherWords::default()))
}

const CFO: [&str; 4] = ["cfo", "chief financial officer", "finance director", "head of finance"];

#[test]
fn who_is_a_cfo_in_any_wording_is_one() {
    for title in [
        "CFO",
        "cfo",
        "C.F.O.",
        "Chief Financial Officer",
        "Chief Financial Officer (CFO)",
        "Group CFO",
        "Global CFO",
        "Interim CFO",
        "Acting CFO",
        "Fractional CFO",
        "CFO & Co-Founder",
        "Co-Founder & CFO",
        "Co-founder/CFO",
        "CFO, EMEA",
        "CFO EMEA",
        "CFO - North America",
        "CFO (interim)",
        "CFO at Acme",
        "CFO @ Acme",
        "CFO/COO",
        "COO and CFO",
        "CEO, CFO",
        "VP Finance & CFO",
        "VP of Finance, CFO",
        "Company Secretary & CFO",
        "Company Secretary, CFO",
        "Deputy CEO & CFO",
        "Former CTO, now CFO",
        "CFO | Advisor",
        "CFO | Board Member",
        "EVP, CFO",
        "SVP and Chief Financial Officer",
        "Director, Head of Finance",
        "Finance Director",
        "Group Finance Director",
        "Head of Finance (reports to CFO)",
        "Partner and CFO",
        "Senior Vice President, Chief Financial Officer",
        "Founder, CFO",
        "The CFO",
        "Chief-Financial-Officer",
        "CFO of Acme",
        "CFO to the board",
        "  CFO\t",
        "CFO – Europe",
        "Former CEO, CFO at Acme",
    ] {
        assert!(is(title, &CFO), "{title}");
    }
}

#[test]
fn who_helps_a_cfo_or_was_one_is_none() {
    for title in [
        "Assistant to the CFO",
        "Executive Assistant to the CFO",
        "Executive Assistant to CFO & COO",
        "EA to CFO",
        "EA to the CEO, COO and CFO",
        "EA to CEO/CFO",
        "PA to the Group CFO",
        "EA CFO",
        "EA, CFO",
        "EA - CFO",
        "EA/CFO",
        "Executive Assistant, CFO",
        "Executive Assistant (CFO)",
        "Office of the CFO",
        "Manager, Office of the CFO",
        "Head of CFO Office",
        "CFO Office",
        "CFO's assistant",
        "CFO’s Office",
        "CFO Assistant",
        "CFO Executive Assistant",
        "Chief of Staff to the CFO",
        "Chief of Staff, Office of the Chief Financial Officer",
        "reports to CFO",
        "Controller reporting to the CFO",
        "Controller, reports to CFO",
        "Analyst supporting the CFO",
        "Assistant CFO",
        "Deputy CFO",
        "Vice CFO",
        "Associate CFO",
        "Former CFO",
        "Ex-CFO",
        "ex CFO",
        "Retired CFO",
        "Former CFO and COO",
        "Aspiring CFO",
        "Future CFO",
        "CFO Designate",
        "CFO-elect",
        "CFO Services",
        "Partner, CFO Services",
        "CFO Advisor",
        "CFO Advisory",
        "CFO Coach",
        "CFO recruiter",
        "CFO/COO Office",
        "Secretary to the CFO",
        "Assistentin des CFO",
        "Assistante du CFO",
        "Asistente del CFO",
        "Assistenz CFO",
        "Advisor to CFOs",
        "Not a CFO",
        "On behalf of the CFO",
        "Assistant to the Chief Financial Officer",
        "Assistant to the Head of Finance",
        "Assistant Finance Director",
        "Controller",
        "",
        "CFOX",
        "Financial Officer",
    ] {
        assert!(!is(title, &CFO), "{title}");
    }
}

#[test]
fn what_stands_after_a_break_may_take_a_title_away() {
    for title in [
        "CFO - Assistant",
        "CFO, Executive Assistant",
        "CFO | Executive Assistant",
        "CFO – Executive Assistant",
        "CFO, Assistant to the Board",
        "CFO, EA to the board",
        "Executive Assistant / Office Manager, CFO & CEO",
        "CFO (former)",
        "CFO - former",
        "CFO (retired)",
        "CFO, retired",
        "CFO, EMEA (designate)",
        "CFO until 2020",
        "CFO (until 2020)",
        "CFO 2010-2020",
        "CFO, 2010–2020",
        "CFO 2010 to 2020",
        "CFO in training",
        "CFO to be",
        "CFO-to-be",
        "CFO adjoint",
        "ehemaliger CFO",
        "ancien CFO",
        "Asystent CFO",
        "CFO asistent",
    ] {
        assert!(!is(title, &CFO), "{title}");
    }
    for title in [
        "CFO, Former CTO",
        "CFO | ex-Google",
        "CFO, Assistant Treasurer",
        "CFO since 2019",
        "CFO 2019 - present",
        "CFO, PA",
        "CFO (2019)",
        "CFO, Board Secretary",
        "Office Manager, CFO",
    ] {
        assert!(is(title, &CFO), "{title}");
    }
}

#[test]
fn only_the_head_of_a_field_holds_it_in_whatever_order() {
    let heads = |title: &str| {
        let title = Title::parse(title);
        ["finance", "finanzen"]
            .iter()
            .any(|field| title.holds(&Pattern::parse(field).unwrap(), Kind::Head, &OtherWords::default()))
    };
    for title in [
        "Vice President of Finance",
        "Vice President Finance",
        "VP, Finance",
        "VP - Finance",
        "VP of Finance & Operations",
        "Finance VP",
        "Finance Vice President",
        "SVP Finance",
        "Senior Vice President, Finance & Operations",
        "VP of Operations and Finance",
        "Director, Finance",
        "Director Finance",
        "Head, Finance",
        "Finance Head",
        "Finance & Operations Director",
        "Head of Group Finance",
        "Head of Finance, EMEA",
        "Group Finance Director",
        "Leiter Finanzen",
        "Leiterin der Finanzen",
    ] {
        assert!(heads(title), "{title}");
    }
    for title in [
        "Finance",
        "Finance Manager",
        "Director of Sales, Finance Analyst",
        "Director, Finance Systems",
        "Assistant Vice President, Finance",
        "Assistant to the VP, Finance",
        "Associate Director, Finance",
        "EA to the Finance Director",
        "Finance Director's Assistant",
        "Former VP of Finance",
        "VP Finance (former)",
        "President, Finance Club",
        "Head of Sales",
        "Deputy Head of Finance",
        "Finance, Director of Sales",
    ] {
        assert!(!heads(title), "{title}");
    }
}

#[test]
fn other_titles_follow_the_same_rule() {
    let leads = ["chief * officer", "ceo", "vp", "vice president", "founder", "managing director"];
    for title in [
        "Chief Revenue Officer",
        "Chief People and Culture Officer",
        "VP Support",
        "VP, Customer Support",
        "Vice President of Sales",
        "Vice-President",
        "Co-Founder",
        "Managing Director DACH",
        "VP Services",
    ] {
        assert!(is(title, &leads), "{title}");
    }
    for title in [
        "Founder's Associate",
        "Founders' Office",
        "EA to VP",
        "Assistant Vice President",
        "Chief Architect",
        "VP's assistant",
        "Assistant to the Managing Director",
        "Deputy Managing Director",
        "Chief of Staff",
    ] {
        assert!(!is(title, &leads), "{title}");
    }
    assert!(
        !is("Vice President", &["president"])
            && is("President", &["president"])
            && is("President & CEO", &["president"])
    );
}

#[test]
fn fields_of_work_are_held_by_all_who_work_in_them() {
    let field = |title: &str, patterns: &[&str]| {
        let title = Title::parse(title);
        patterns
            .iter()
            .any(|pattern| title.holds(&Pattern::parse(pattern).unwrap(), Kind::Field, &OtherWords::default()))
    };
    for title in [
        "Head of Procurement",
        "Procurement Manager",
        "VP of Purchasing",
        "Senior Buyer",
        "Director, Strategic Procurement",
    ] {
        assert!(field(title, &["procure*", "purchas*", "buyer"]), "{title}");
    }
    for title in ["Assistant to the Head of Procurement", "Former Head of Purchasing", "Sales"] {
        assert!(!field(title, &["procure*", "purchas*", "buyer"]), "{title}");
    }
    assert!(field("Head of IT", &["it"]) && !field("Recruiter", &["it"]) && !field("EA to the Head of IT", &["it"]));
}

#[test]
fn words_of_ones_own_are_known_and_patterns_hold_words() {
    let others = OtherWords { before: vec!["understudy".to_owned()], after: vec!["guild".to_owned()] };
    let cfo = Pattern::parse("cfo").unwrap();
    for title in ["Understudy CFO", "CFO Guild"] {
        assert!(!Title::parse(title).holds(&cfo, Kind::Position, &others), "{title}");
        assert!(Title::parse(title).holds(&cfo, Kind::Position, &OtherWords::default()), "{title}");
    }
    for text in ["", " ", "*", "* officer", "chief *"] {
        assert_eq!(Pattern::parse(text), None, "{text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_title(text in ".{0,80}", pattern in ".{0,20}") {
        if let Some(pattern) = Pattern::parse(&pattern) {
            Title::parse(&text).holds(&pattern, Kind::Position, &OtherWords::default());
        }
    }
}
