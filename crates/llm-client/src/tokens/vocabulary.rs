//! The public tokenizer's vocabulary: one for the process, loaded at most once, off the
//! runtime.

use std::sync::{Once, OnceLock};
use std::thread;

use tiktoken_rs::CoreBPE;

static VOCABULARY: OnceLock<Option<CoreBPE>> = OnceLock::new();
static BEGIN: Once = Once::new();

/// The vocabulary, if it is loaded; else its loading is begun.
pub(super) fn get() -> Option<&'static CoreBPE> {
    match VOCABULARY.get() {
        Some(loaded) => loaded.as_ref(),
        None => {
            begin_loading();
            None
        }
    }
}

/// Starts the thread that loads it, the first time.
pub(super) fn begin_loading() {
    BEGIN.call_once(|| {
        let thread = thread::Builder::new().name("token-vocabulary".to_owned());
        if let Err(error) = thread.spawn(load) {
            tracing::warn!(%error, "no thread for the token vocabulary: characters are counted");
        }
    });
}

/// Loads it, or waits for whoever is loading it. Blocks for some 100 to 250 ms.
pub(super) fn load() {
    VOCABULARY.get_or_init(|| match tiktoken_rs::o200k_base() {
        Ok(vocabulary) => Some(vocabulary),
        Err(error) => {
            tracing::error!(%error, "the token vocabulary can't be read: characters are counted");
            None
        }
    });
}
