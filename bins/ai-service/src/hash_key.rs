//! `ai-service hash-key`: a key's hash, so that the configuration needn't hold the key.

use std::io::Read;
use std::process::ExitCode;

use http_api::{KeySecret, MIN_KEY_CHARS};
use secrecy::{ExposeSecret as _, SecretString};

/// More than any key has.
const MAX_BYTES: u64 = 4096;

/// Reads a key and prints its hash.
pub(crate) fn run(input: &mut dyn Read) -> ExitCode {
    match hash(input) {
        Ok(hash) => {
            crate::println(&hash);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            crate::eprintln(&format!("ai-service: {problem}"));
            ExitCode::from(crate::EXIT_CONFIG)
        }
    }
}

/// White space around a key is none of it, as everywhere else. Of a hash the length can't be
/// told any more: it is looked at here.
fn hash(input: &mut dyn Read) -> Result<String, String> {
    let mut text = String::new();
    input
        .take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| format!("failed to read the key: {error}"))?;
    let key = SecretString::from(text.trim().to_owned());
    if key.expose_secret().chars().count() < MIN_KEY_CHARS {
        return Err(format!(
            "a key has at least {MIN_KEY_CHARS} random characters, as from: openssl rand -hex 32"
        ));
    }
    Ok(KeySecret::hashed(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_key_gives_its_hash_and_a_short_one_an_error() {
        let key = "0123456789abcdef0123456789abcdef";
        // `printf %s KEY | b3sum`
        let expected = KeySecret::hashed(&key.into());
        assert_eq!(hash(&mut format!("  {key}\r\n").as_bytes()), Ok(expected));
        assert!(hash(&mut &b"corta\n"[..]).is_err());
        assert!(hash(&mut &b"\xff\xfe"[..]).is_err());
    }
}
