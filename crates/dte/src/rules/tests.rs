//! Tests over all rules.

use std::collections::HashSet;

use super::pruebas::{documento, hoy};
use super::{RULES, validate};
use crate::context::Context;
use crate::model::TipoDte;
use crate::report::Recommendation;

#[test]
fn a_correct_document_of_every_type_has_no_finding() {
    for tipo in TipoDte::TODOS {
        let report = validate(&documento(tipo.codigo().into()), &Context::emission(hoy()));
        assert_eq!(report.findings, [], "{tipo:?}");
        assert_eq!(report.recommendation(), Recommendation::Send);
    }
}

#[test]
fn codes_are_unique_and_follow_the_scheme() {
    let mut vistos = HashSet::new();
    let mut nombres = HashSet::new();
    for rule in RULES {
        assert!(nombres.insert(rule.name), "{} twice", rule.name);
        assert!(!rule.about.is_empty() && !rule.codes.is_empty());
        for code in rule.codes {
            assert!(vistos.insert(code.code), "{} twice", code.code);
            let partes: Vec<&str> = code.code.split('-').collect();
            assert!(partes.len() >= 2 && partes[0] == "DTE", "{}", code.code);
            assert!(
                partes
                    .iter()
                    .all(|parte| parte.bytes().all(|b| b.is_ascii_uppercase()))
            );
            assert!(!code.title.is_empty() && !code.source.is_empty());
        }
    }
}
