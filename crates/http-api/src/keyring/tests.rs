//! Which key opens, under which of its forms, until when, and what is refused.

use http::HeaderValue;

use super::*;

fn key(name: &str, secret: &str, companies: Option<&[u64]>) -> ApiKey {
    ApiKey {
        companies: companies.map(|list| list.iter().copied().collect()),
        ..ApiKey::new(name, secret)
    }
}

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    list.iter()
        .map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn ring() -> Keyring {
    Keyring::new(&[
        key("uno", "clave-1", None),
        key("dos", "clave-2", Some(&[7])),
    ])
    .unwrap()
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn name_of(ring: &Keyring, key: &str, now: Timestamp) -> Option<String> {
    let found = ring.authenticate(&headers(&[("x-api-key", key)]), || now);
    found.ok().map(|caller| caller.name().to_owned())
}

#[test]
fn either_header_opens_and_bearer_goes_first() {
    let ring = ring();
    for (list, name) in [
        (vec![("authorization", "Bearer clave-1")], Some("uno")),
        (vec![("authorization", "bearer  clave-2 ")], Some("dos")),
        (vec![("x-api-key", "clave-2")], Some("dos")),
        (
            vec![("authorization", "Basic abc"), ("x-api-key", "clave-2")],
            Some("dos"),
        ),
        (
            vec![("authorization", "Bearer nadie"), ("x-api-key", "clave-2")],
            None,
        ),
        (vec![("authorization", "Bearer")], None),
        (vec![("x-api-key", "")], None),
        (vec![("x-api-key", "clave-1x")], None),
        (vec![], None),
    ] {
        let found = ring.authenticate(&headers(&list), || NOW).ok();
        assert_eq!(found.as_ref().map(|caller| caller.name()), name, "{list:?}");
    }
}

#[test]
fn a_bound_key_speaks_only_for_its_companies() {
    let ring = ring();
    let bound = &ring.find(b"clave-2").unwrap().caller;
    assert_eq!(bound.tenant(7).unwrap().as_str(), "dos/7");
    assert_eq!(bound.tenant(8).unwrap_err().status(), 403);
    let free = &ring.find(b"clave-1").unwrap().caller;
    assert_eq!(free.tenant(8).unwrap().as_str(), "uno/8");
}

#[test]
fn a_hash_opens_as_the_key_itself_does() {
    // `printf %s clave-sha | sha256sum`
    let sha = "sha256:2d12c61d06f4d128c2d57c09df7ef7531f8506acf21825887819abdfc9d73450";
    let blake = KeySecret::parse(&KeySecret::hashed(&"clave-blake".into())).unwrap();
    let ring = Keyring::new(&[
        ApiKey::new("plana", "clave-plana"),
        ApiKey::new("sha", KeySecret::parse(sha).unwrap()),
        ApiKey::new("blake", blake),
    ])
    .unwrap();
    for name in ["plana", "sha", "blake"] {
        let found = name_of(&ring, &format!("clave-{name}"), NOW);
        assert_eq!(found.as_deref(), Some(name));
    }
    // The hash itself opens nothing.
    assert_eq!(
        name_of(&ring, &KeySecret::hashed(&"clave-blake".into()), NOW),
        None
    );
    for wrong in ["blake3:", "sha256:zz", "sha256:abcd", "blake3:clave"] {
        assert!(
            matches!(KeySecret::parse(wrong), Err(KeyringError::Hash)),
            "{wrong}"
        );
    }
    assert!(matches!(KeySecret::parse("a:b"), Ok(KeySecret::Plain(_))));
}

#[test]
fn the_previous_secret_opens_until_its_end() {
    let until = Timestamp::from_second(1_000).unwrap();
    let rotated = ApiKey {
        previous: Some(("clave-vieja".into(), until)),
        ..ApiKey::new("erp", "clave-nueva")
    };
    let ring = Keyring::new(&[rotated]).unwrap();
    assert_eq!(ring.len(), 1);
    let at = |second| Timestamp::from_second(second).unwrap();
    for (key, second, open) in [
        ("clave-vieja", 999, true),
        ("clave-vieja", 1_000, false),
        ("clave-nueva", 999, true),
        ("clave-nueva", 1_000_000, true),
    ] {
        assert_eq!(
            name_of(&ring, key, at(second)).is_some(),
            open,
            "{key} at {second}"
        );
    }
}

#[test]
fn keys_that_cannot_be_told_apart_are_refused() {
    let error = |keys: &[ApiKey]| Keyring::new(keys).unwrap_err();
    assert_eq!(error(&[]), KeyringError::Empty);
    assert_eq!(
        error(&[key("a", "x", None), key("a", "y", None)]),
        KeyringError::SameName("a".into())
    );
    let hashed = ApiKey::new("b", KeySecret::Sha256(Sha256::digest(b"x").into()));
    for second in [key("b", "x", None), hashed] {
        assert_eq!(
            error(&[key("a", "x", None), second]),
            KeyringError::SameSecret("b".into())
        );
    }
    for (name, secret) in [("", "x"), ("a/b", "x"), ("a", " ")] {
        assert_eq!(
            error(&[key(name, secret, None)]),
            KeyringError::Unusable(name.into())
        );
    }
}

#[test]
fn secrets_do_not_show() {
    let debug = format!("{:?} {:?}", ring(), key("uno", "clave-1", None));
    assert!(!debug.contains("clave"), "{debug}");
}
