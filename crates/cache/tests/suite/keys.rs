//! Keys: equal for the same question however it is put, different for any other.

use std::collections::HashSet;

use cache::{CacheKey, KeyErrorKind};
use proptest::{prop_assert_eq, proptest};

const INVOICE: &str = r#"{"tipo_dte": 33, "monto_total": 11900, "lineas": [{"precio": 0.10}]}"#;

fn key(text: &str) -> CacheKey {
    CacheKey::builder("validate", "76000000-0")
        .version("rules", "3")
        .version("prompt", "7")
        .model("claude-sonnet-4-5")
        .parameter("max_tokens", "1024")
        .json(text, &["request_id"])
        .unwrap()
        .finish()
}

#[test]
fn spelling_and_excluded_members_do_not_count() {
    let again = r#"{
        "lineas": [ { "precio": 1e-1 } ], "request_id": "x",
        "\u0074ipo_dte": 33.0, "monto_total": 1.19E4
    }"#;
    assert_eq!(key(INVOICE), key(again));
}

#[test]
fn any_other_difference_counts() {
    let base = || CacheKey::builder("validate", "1").version("rules", "3");
    let json = |text: &str| base().json(text, &[]).unwrap().finish();
    let keys = [
        json(INVOICE),
        json(&INVOICE.replace("33", "34")),
        json(&INVOICE.replace("33", "\"33\"")),
        json(&INVOICE.replace("33", "null")),
        json(&INVOICE.replace(r#""tipo_dte": 33, "#, "")),
        json(&INVOICE.replace("0.10", "0.11")),
        json(&INVOICE.replace('}', r#", "x": null}"#)),
        json(&format!("[{INVOICE}]")),
        base().json(INVOICE, &["x"]).unwrap().finish(),
        base().json(INVOICE, &["lineas"]).unwrap().finish(),
        base().bytes("", INVOICE.as_bytes()).finish(),
        base().bytes("xml", INVOICE.as_bytes()).finish(),
        base().finish(),
        base().version("rules", "3").finish(),
        base().model("").finish(),
        base().model("a").finish(),
        base().model("b").finish(),
        base().parameter("a", "1").finish(),
        base().parameter("a", "2").finish(),
        base().version("a", "1").finish(),
        CacheKey::builder("validate", "2")
            .version("rules", "3")
            .finish(),
        CacheKey::builder("validate", "1")
            .version("rules", "4")
            .finish(),
        CacheKey::builder("validate", "1")
            .version("prompt", "3")
            .finish(),
        CacheKey::builder("match", "1")
            .version("rules", "3")
            .finish(),
    ];
    let distinct: HashSet<_> = keys.iter().map(CacheKey::store_name).collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn a_key_that_was_made_yesterday_is_found_today() {
    // A change of this line throws away every answer that is kept: count up the format too.
    let name = "cache:v1:validate:2bafaab453d07b6c66ce3808d55817a1714bcb0754a8ffcc431aa8af50f02d98";
    assert_eq!(key(INVOICE).store_name(), name);
    assert_eq!(format!("{:?}", key(INVOICE)), name);
    assert_eq!(key(INVOICE).operation(), "validate");
}

#[test]
fn the_order_of_excluded_names_does_not_count() {
    let with = |excluded: &[&str]| {
        let builder = CacheKey::builder("validate", "1");
        builder.json(INVOICE, excluded).unwrap().finish()
    };
    assert_eq!(with(&["a", "b"]), with(&["b", "a", "b"]));
}

#[test]
fn what_is_no_json_makes_no_key() {
    let builder = CacheKey::builder("validate", "1");
    let error = builder.json("{", &[]).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Syntax);
}

proptest! {
    /// Wherever the border between two parts is put, it counts.
    #[test]
    fn parts_do_not_run_together(
        one in "[a:]{0,3}", two in "[a:]{0,3}", three in "[a:]{0,3}", four in "[a:]{0,3}",
    ) {
        let build = |tenant: &str, name: &str, value: &str| {
            CacheKey::builder("validate", tenant).version(name, value).finish()
        };
        let equal = build(&one, &two, &three) == build(&two, &three, &four);
        prop_assert_eq!(equal, one == two && two == three && three == four);
    }
}
