#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Returns sentences with their language and whether they are positive.
fn labelled() -> impl Iterator<Item = (&'static str, bool, &'static str)> {
    let lines = include_str!("labelled.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let (code, rest) = line.split_once(' ').unwrap();
        let (sign, text) = rest.split_once(' ').unwrap();
        (code, sign == "+", text)
    })
}

/// Returns for each language the number of sentences, those whose language is detected, and those whose sign is right
/// by the configured thresholds.
fn measured() -> BTreeMap<&'static str, (u32, u32, u32)> {
    let mut by_language: BTreeMap<&str, (u32, u32, u32)> = BTreeMap::new();
    for (code, is_kind, text) in labelled() {
        let sentiment = sentiment(text);
        let of = by_language.entry(code).or_default();
        of.0 += 1;
        of.1 += u32::from(language(text).is_some_and(|language| language.code() == code));
        of.2 += u32::from(if is_kind { sentiment >= 0.2 } else { sentiment <= -0.2 });
    }
    by_language
}

#[test]
fn of_each_language_nine_of_ten_sentences_are_told_and_have_their_sign() {
    let measured = measured();
    assert_eq!(measured.len(), Language::ALL.len() - 1);
    for (code, (all, told, right)) in measured {
        assert!(all >= 12, "{code}: {all} sentences");
        assert!(told * 10 >= all * 9, "{code}: {told} of {all} told");
        assert!(right * 10 >= all * 9, "{code}: {right} of {all} right");
    }
}

#[test]
fn a_readme_row_states_what_is_measured() {
    let readme = include_str!("../../README.md");
    for (code, (all, told, right)) in measured() {
        let row = format!("| {code} | {told} of {all} | {right} of {all} |");
        assert!(readme.contains(&row), "README.md lacks: {row}");
    }
}

#[test]
fn of_labelled_english_sentences_three_of_four_are_english_and_have_their_sign() {
    let Some(subjects) = perennial_testkit::labelled::sentences() else {
        println!("skipped: shared data absent");
        return;
    };
    let sentences: Vec<_> = subjects.into_iter().flat_map(|(_, sentences)| sentences).collect();
    let told = sentences.iter().filter(|sentence| language(&sentence.text) == Some(Language::English)).count();
    assert!(told * 100 >= sentences.len() * 97, "{told} of {} told", sentences.len());
    let accuracy = perennial_testkit::labelled::Accuracy::of(&sentences, sentiment);
    assert!(accuracy.percent() >= 75.0, "{:.1} %", accuracy.percent());
}

#[test]
fn lexicons_are_small() {
    for name in Language::ALL.map(Language::code).into_iter().chain(["others"]) {
        let path = format!("{}/src/sentiment/lexicons/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        assert!(std::fs::metadata(path).unwrap().len() <= 30_000, "{name}");
    }
}

#[test]
fn english_is_read_by_vader() {
    for text in [
        "I love this product, it is great!",
        "Terrible. It crashes all the time and support is useless.",
        "The invoice is attached.",
        "Awesome!",
    ] {
        assert_eq!(language(text), Some(Language::English), "{text}");
        assert_eq!(read(text), Some(english::score(text)), "{text}");
    }
}

#[test]
fn what_is_typed_without_accents_or_in_capitals_is_understood() {
    for text in [
        "UŽASNO, STALNO SE RUŠI!",
        "uzasna aplikacija, stalno se rusi",
        "PESIMA APLICACION, NO FUNCIONA",
        "pessimo atendimento, nao funciona",
        "ÇOK KÖTÜ, ÇALIŞMIYOR",
    ] {
        assert!(read(text).unwrap() <= -0.2, "{text}: {:?} {:?}", language(text), read(text));
    }
}

#[test]
fn negation_turns_words_round() {
    for (good, bad) in [
        ("Das ist gut.", "Das ist nicht gut."),
        ("Estoy contento con esto.", "No estoy contento con esto."),
        ("C'est bien pour nous.", "Ce n'est pas bien pour nous."),
        ("Zadovoljan sam s tim.", "Nisam zadovoljan s tim."),
        ("Bu iyi bir şey.", "Bu iyi değil."),
        ("Это хорошо для нас.", "Это не хорошо для нас."),
        ("यह अच्छा है।", "यह अच्छा नहीं है।"),
        ("我满意", "我不满意"),
    ] {
        assert!(sentiment(good) > 0.2 && sentiment(bad) < -0.1, "{good} {}, {bad} {}", sentiment(good), sentiment(bad));
    }
    assert!(sentiment("Das ist gar nicht schlecht.") > sentiment("Das ist schlecht."));
}

#[test]
fn a_bad_word_that_is_denied_may_be_praise() {
    let texts = [
        "Pas mal du tout !",
        "Franchement pas mal.",
        "Gar nicht schlecht.",
        "Nicht übel, das neue Menü.",
        "Nada mal, la verdad.",
        "No está mal.",
        "Nada mal, gostei do novo menu.",
        "Niente male davvero.",
        "Helemaal niet slecht.",
        "Uopće nije loše.",
        "Całkiem nieźle.",
        "Очень даже неплохо.",
        "Hiç fena değil.",
        "Lumayan, tidak buruk.",
        "不错",
        "悪くないです。",
        "나쁘지 않아요.",
        "बुरा नहीं है।",
        "Not bad at all.",
    ];
    let missed: Vec<_> = texts.iter().map(|text| (*text, language(text), read(text))).collect();
    let missed: Vec<_> = missed.into_iter().filter(|(.., read)| read.is_none_or(|read| read < 0.2)).collect();
    assert_eq!(missed, []);
    for text in [
        "J'ai pas mal de problèmes avec cette mise à jour.",
        "Pas bien du tout.",
        "Das ist schlecht.",
        "Esto está mal.",
    ] {
        assert!(read(text).unwrap() < 0.0, "{text}: {:?}", read(text));
    }
}

#[test]
fn faces_are_understood_in_every_language() {
    assert!(read("😡😡").unwrap() < -0.5 && read("👍").unwrap() > 0.4);
    assert!(read("Η εφαρμογή 😡").unwrap() < -0.4 && read("La factura 😡").unwrap() < -0.4);
}

#[test]
fn neutral_texts_are_understood_and_say_nothing() {
    for text in [
        "Die Rechnung ist in der Anlage.",
        "La factura está en el correo.",
        "Račun je u prilogu.",
        "请看附件。",
        "Faktur ada di lampiran ini.",
    ] {
        assert_eq!(read(text), Some(0.0), "{text}");
    }
}

#[test]
fn texts_in_unknown_languages_are_not_understood() {
    let texts = [
        "Η εφαρμογή είναι απαίσια και δεν λειτουργεί",
        "האפליקציה הזאת נוראית",
        "แอปนี้แย่มาก",
        "Цей додаток жахливий, нічого не працює їм",
        "Appen är hemsk och kraschar hela tiden på min dator",
        "Az alkalmazás borzasztó, mindig összeomlik és nem segítőkész a támogatás, őszintén",
        "Aplikace je příšerná, pořád padá a nefunguje, hrůza ů",
        "این برنامه خیلی بد است",
        "Tämä sovellus on huono ja se kaatuu koko ajan.",
        "Sovellus ei toimi, en suosittele.",
        "Loistava palvelu, kiitos paljon!",
        "Aplikasi ini sangat teruk dan selalu ranap.",
        "Perkhidmatan pelanggan yang amat teruk, saya kecewa kerana tiada jawapan.",
        "Den har appen ar dalig och fungerar inte",
        "Denne appen er dårlig og virker ikke.",
        "Tato aplikace je hrozna a porad nefunguje",
        "Táto aplikácia je hrozná a stále nefunguje.",
        "Aplicatia este foarte proasta si nu functioneaza",
        "Aceasta aplicatie este excelenta, multumesc",
        "Ang pangit ng app na ito, hindi gumagana.",
        "Aquesta aplicació és molt dolenta i no funciona mai.",
        "See rakendus on väga halb ja ei tööta.",
        "Hierdie toepassing is baie sleg en werk nie.",
        "Ky aplikacion është shumë i keq dhe nuk punon.",
        "Programu hii ni mbaya sana na haifanyi kazi.",
        "Bu tətbiq çox pisdir və işləmir.",
        "Приложението е ужасно и не работи, това няма да го използвам.",
        "Це дуже поганий додаток, але як є.",
        "हे अॅप खूप वाईट आहे आणि मला आवडत नाही",
        "12345",
    ];
    let understood: Vec<_> = texts.iter().filter_map(|text| Some((*text, language(text), read(text)?))).collect();
    assert_eq!(understood, []);
}

proptest! {
    #[test]
    fn any_text_has_a_score_within_bounds_or_none(text in prop_oneof![any::<String>(), "[a-zčšžäöüßığş .,!]{0,80}", "[一-鿿不好差，。]{0,40}", "[あ-んない。]{0,40}", "[가-힣 ]{0,40}", "[ऀ-ॿ ]{0,40}", "[؀-ۿ ]{0,40}"]) {
        if let Some(score) = read(&text) {
            prop_assert!((-1.0..=1.0).contains(&score), "{}", score);
            prop_assert_eq!((score * 10_000.0).round() / 10_000.0, score);
        }
    }
}
