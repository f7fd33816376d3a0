//! The snippet that receivers copy from the documentation, run by Python on our signatures.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use secrecy::SecretString;
use sii_monitor::deliver::webhook::signature;

#[test]
fn the_documented_check_knows_our_signatures() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/notifications.md");
    let text = std::fs::read_to_string(docs).unwrap();
    let snippet = text
        .split("```python\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("no python3: not run");
        return;
    }
    let secret = SecretString::from("secreto-compartido");
    let at = Timestamp::from_second(1_795_000_000).unwrap();
    let body = r#"{"event":"sii.news","items":["ñ"]}"#;
    let header = signature(&secret, at, body.as_bytes());
    let program = format!(
        "{snippet}\nimport sys\nheader, body = sys.argv[1], sys.argv[2].encode()\n\
         secret = b'secreto-compartido'\n\
         print(is_genuine(secret, header, body, 1795000100),\n\
         is_genuine(secret, header, body + b' ', 1795000100),\n\
         is_genuine(b'otro', header, body, 1795000100),\n\
         is_genuine(secret, header, body, 1795000301),\n\
         is_genuine(secret, 'nada', body), is_genuine(secret, '', body))"
    );
    let output = Command::new("python3")
        .args(["-c", &program, &header, body])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said.trim(),
        "True False False False False False",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
