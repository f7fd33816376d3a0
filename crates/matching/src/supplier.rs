//! Whether an invoice and an order are of the same supplier.

use crate::input::Party;
use crate::text::{Sketch, tokens};

/// What is known of two suppliers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Same {
    /// The RUT or the ERP's id is the same.
    Yes,
    /// Their RUTs differ.
    No,
    /// Only the names can be compared; how alike they are, from 0 to 1. ½ without names.
    Perhaps(f64),
}

impl Same {
    /// From 0 (somebody else) to 1.
    pub const fn grade(self) -> f64 {
        match self {
            Self::Yes => 1.0,
            Self::No => 0.0,
            Self::Perhaps(alike) => 0.9 * alike,
        }
    }
}

/// Compares two parties: by RUT where both have one, else by id, else by name.
pub(crate) fn same(a: &Party, b: &Party) -> Same {
    if let (Some(a), Some(b)) = (rut(a), rut(b)) {
        return if a == b { Same::Yes } else { Same::No };
    }
    if a.id.is_some() && a.id == b.id {
        return Same::Yes;
    }
    let name = |party: &Party| {
        let found = tokens(party.name.as_deref().unwrap_or_default());
        (!found.is_empty()).then(|| Sketch::of(&found))
    };
    match (name(a), name(b)) {
        (Some(a), Some(b)) => Same::Perhaps(f64::from(a.similarity(&b))),
        _ => Same::Perhaps(0.5),
    }
}

/// Digits and check digit without anything else; the check digit isn't verified, for a RUT
/// that is wrong in both documents is still the same one.
fn rut(party: &Party) -> Option<String> {
    let text = party.rut.as_deref()?.trim().to_uppercase();
    let text = text.strip_prefix("CL").unwrap_or(&text);
    let plain: String = text
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == 'K')
        .take(16)
        .collect();
    let plain = plain.trim_start_matches('0');
    (plain.len() >= 2).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(id: Option<i64>, rut: &str, name: &str) -> Party {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Party {
            id,
            rut: some(rut),
            name: some(name),
        }
    }

    #[test]
    fn a_rut_is_the_same_in_any_writing() {
        for other in [
            "76.192.083-9",
            "CL76192083-9",
            "761920839",
            "076192083-9",
            "cl 76192083-9",
        ] {
            assert_eq!(
                same(&party(None, "76192083-9", ""), &party(None, other, "")),
                Same::Yes,
                "{other}"
            );
        }
        assert_eq!(
            same(&party(Some(1), "1-9", "A"), &party(Some(1), "2-7", "A")),
            Same::No
        );
        assert_eq!(
            same(
                &party(None, "60803000-k", ""),
                &party(None, "60803000K", "")
            ),
            Same::Yes
        );
    }

    #[test]
    fn without_a_rut_id_and_name_tell() {
        assert_eq!(
            same(&party(Some(7), "", ""), &party(Some(7), "1-9", "")),
            Same::Yes
        );
        let alike = same(
            &party(None, "", "Ferretería Ficticia SpA"),
            &party(None, "", "FERRETERIA FICTICIA S.P.A."),
        );
        assert!(alike.grade() > 0.7, "{alike:?}");
        let other = same(
            &party(None, "", "Ferretería Ficticia"),
            &party(None, "", "Lácteos del Sur"),
        );
        assert!(other.grade() < 0.2, "{other:?}");
        assert_eq!(
            same(&party(None, "", ""), &party(None, "", "x")),
            Same::Perhaps(0.5)
        );
    }
}
