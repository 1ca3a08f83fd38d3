use super::*;

const WORDS_OF_THE_LISTS: [&str; 24] = [
    // PostHog's list of ids that may not be merged.
    "anonymous",
    "guest",
    "distinctid",
    "distinct_id",
    "id",
    "not_authenticated",
    "email",
    "undefined",
    "true",
    "false",
    "[object Object]",
    "NaN",
    "None",
    "none",
    "null",
    "0",
    // Mixpanel's list of ids that are rejected, where it has more.
    "-1",
    "00000000-0000-0000-0000-000000000000",
    "<nil>",
    "[]",
    "{}",
    "n/a",
    "unknown",
    "lmy47d",
];

#[test]
fn words_of_the_documented_lists_are_placeholders_in_every_case_and_wrapping() {
    let wrappings: [fn(&str) -> String; 18] = [
        |word| word.to_owned(),
        |word| format!("  {word}\t"),
        |word| format!("\"{word}\""),
        |word| format!("'{word}'"),
        |word| format!("`{word}`"),
        |word| format!("“{word}”"),
        |word| format!("\\\"{word}\\\""),
        |word| format!("\"\\\"{word}\\\"\""),
        |word| format!("\"'{word}'\""),
        |word| format!("({word})"),
        |word| format!("[{word}]"),
        |word| format!("[\"{word}\"]"),
        |word| format!("%22{word}%22"),
        |word| format!("%2522{word}%2522"),
        |word| format!("\\u0022{word}\\u0022"),
        |word| format!("&quot;{word}&quot;"),
        |word| format!("\u{feff}{word}\u{200b}"),
        |word| format!("{word},"),
    ];
    for word in WORDS_OF_THE_LISTS {
        for wrap in wrappings {
            for text in [wrap(word), wrap(&word.to_lowercase()), wrap(&word.to_uppercase())] {
                assert!(is_placeholder(&text), "{text}");
            }
        }
    }
}

#[test]
fn text_that_programs_write_for_no_value_is_a_placeholder() {
    for text in [
        "",
        " ",
        "-",
        "--",
        "...",
        "?",
        "0",
        "00",
        "0.0",
        "0x0",
        "+0",
        "-0",
        "0000-0000",
        "-1",
        "-1.0",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "{00000000-0000-0000-0000-000000000000}",
        "(null)",
        "<null>",
        "<NULL>",
        "<undefined>",
        "<none>",
        "(none)",
        "(not set)",
        "not set",
        "not-set",
        "NOT_SET",
        "unset",
        "nil",
        "Nil",
        "NIL",
        "nullptr",
        "undef",
        "NoneType",
        "DBNull",
        "System.DBNull",
        "System.Object",
        "java.lang.Object@1b6d3586",
        "[object Undefined]",
        "[object Null]",
        "[object Promise]",
        "[object+Object]",
        "%5Bobject%20Object%5D",
        "%5Bobject+Object%5D",
        "[object%20Object]",
        "function () { return id }",
        "Optional(nil)",
        "Optional.empty",
        "\\N",
        "#N/A",
        "#REF!",
        "N/A",
        "NA",
        "Infinity",
        "-Infinity",
        "null null",
        "undefined undefined",
        "None None",
        "null-null",
        "user_undefined",
        "user:null",
        "auth0|undefined",
        "company-undefined",
        "usr_null",
        "anonymous user",
        "AnonymousUser",
        "anonymous_user",
        "guest-user",
        "not logged in",
        "unauthenticated",
        "logged_out",
        "null\u{0}",
        "nullnull",
        "undefinedundefined",
        "NaNundefined",
        "b'null'",
        "b'None'",
        "u'None'",
        "b\"\"",
        "(None,)",
        "(None, )",
        "{\"id\":null}",
        "{\"id\": \"\"}",
        "{'id': None}",
        "{\"user\":{\"id\":null}}",
        "%7B%22id%22%3Anull%7D",
        "{\"$oid\":\"000000000000000000000000\"}",
        "ObjectId(\"\")",
        "ObjectId('000000000000000000000000')",
        "UUID(00000000-0000-0000-0000-000000000000)",
        "urn:uuid:00000000-0000-0000-0000-000000000000",
        "NULL::varchar",
        "NULL::character varying",
        "null::int4",
        "0n",
        "０",
        "ｎｕｌｌ",
        "＂Ｎｕｌｌ＂",
        "\\x00",
        "null\\x00",
        "Nothing",
        "void",
        "Visitor",
        "default_user",
        "(direct)",
        "-2",
    ] {
        assert!(is_placeholder(text), "{text:?}");
    }
}

#[test]
fn templates_that_were_not_filled_in_are_placeholders() {
    for text in [
        "%s",
        "%d",
        "%@",
        "%1$s",
        "%(user_id)s",
        "%user_id%",
        "%%USER_ID%%",
        "%{user_id}",
        "{}",
        "{0}",
        "{user_id}",
        "{user.id}",
        "{{user_id}}",
        "{{ user.id }}",
        "{{{user_id}}}",
        "%7B%7Buser_id%7D%7D",
        "\"{{user_id}}\"",
        "{% user %}",
        "${userId}",
        "$(USER_ID)",
        "#{user.id}",
        "<%= user.id %>",
        "<?= $id ?>",
        "*|UNIQID|*",
        "[[user_id]]",
        "<user_id>",
        "<USER ID>",
        "&lt;user_id&gt;",
        "[user_id]",
        "$USER_ID",
        ":user_id",
        ":id",
        "__USER_ID__",
        "@userId",
        "user_id",
        "userId",
        "USER-ID",
        "User ID",
        "user.id",
        "YOUR_USER_ID",
        "<YOUR_USER_ID>",
        "your-user-id",
        "USER_ID_HERE",
        "anonymous_id",
        "$anonymous_id",
        "previousId",
        "groupId",
        "$group_key",
        "$distinct_id",
        "device_id",
        "uuid",
    ] {
        assert!(is_placeholder(text), "{text:?}");
    }
}

#[test]
fn ids_are_no_placeholders() {
    for text in [
        "1",
        "-3",
        "u-0",
        "void-42",
        "visitor-9",
        "nullabull",
        "nannan",
        "direct",
        "b'user-1'",
        "{\"id\":\"42\"}",
        "{\"type\":null,\"id\":42}",
        "ObjectId(\"5f7c8ec7c33c6c004bbafe82\")",
        "urn:uuid:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "User::42",
        "user::varchar",
        "10n",
        "１２",
        "ａｄａ",
        "10",
        "007",
        "nullable",
        "anna",
        "true-42",
        "a1b2",
        "none@example.com",
        "test",
        "anon",
        "undefined-behaviour",
        "nils",
        "nil.armstrong",
        "nan.goldin",
        "user-1",
        "user_0",
        "id-7",
        "guest-42",
        "anonymous-7f3a",
        "c0ffee00-0000-4000-8000-000000000000",
        "00000000-0000-0000-0000-000000000001",
        "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}",
        "{abcdefab-cdef-abcd-efab-cdefabcdefab}",
        "$device:18f5c2",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "google-oauth2|1081",
        "e1",
        "x0",
        "e",
        "ada@example.com",
        "ada+null@example.com",
        "ada%40example.com",
        "山田",
        "Иван",
        "null-island",
        "emailer",
        "ideal",
        "idris",
        "maria.none",
        "uid-1",
        "<abc@host.example>",
        "50%25-off",
        "zero",
        "O'Neil",
        "user/null/7",
        "f",
        "ff",
        "deadbeef",
    ] {
        assert!(!is_placeholder(text), "{text:?}");
    }
    assert!(!is_placeholder(&"null ".repeat(50)));
}

#[test]
fn a_bare_id_is_the_same_in_every_wrapping() {
    for text in ["test", " TEST ", "\"Test\"", "'test'", "%22test%22", "(\"test\")"] {
        assert_eq!(bare_id(text), "test", "{text}");
    }
    assert_eq!(bare_id("(test)"), "(test)");
    assert_eq!(bare_id("O'Neil"), "o'neil");
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_hostile(text in ".{0,140}") {
        is_placeholder(&text);
        bare_id(&text);
    }

    #[test]
    fn numbers_from_1_and_random_uuids_are_ids(number in 1..u64::MAX, uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}") {
        proptest::prop_assert!(!is_placeholder(&number.to_string()));
        proptest::prop_assert!(!is_placeholder(&uuid));
        let wrapped = format!("{{{uuid}}}");
        proptest::prop_assert!(!is_placeholder(&wrapped));
    }
}
