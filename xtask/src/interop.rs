//! `cargo xtask interop`: the model's client against a server that nobody here wrote.
//!
//! Installs the LiteLLM proxy in an environment of its own, starts it on loopback with made-up
//! answers, runs the client's test against it, and keeps what the test prints as
//! `docs/interop.md`. It isn't part of `cargo xtask test`, as the proxy is a large install.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::{install, run};

const PAGE: &str = "docs/interop.md";
/// The test's page lies between these lines of its output.
const BEGIN: &str = "<<<interop";
const END: &str = "interop>>>";
/// How long the proxy may take to start; on a slow disk Python reads for a while.
const START: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);

/// Installs, starts, tests, writes the page.
///
/// # Errors
///
/// What can't be installed or started, the failing test, or a page that can't be written.
pub fn run() -> Result<(), Error> {
    let python = install::litellm_environment()?;
    let proxy = Proxy::start(&python)?;
    let mut test = run::cargo(["test", "-p", "llm-client", "--all-features"]);
    test.args(["--test", "client", "interop", "--", "--nocapture"])
        .env("AI_SERVICE_TEST_LITELLM", proxy.url())
        .stderr(Stdio::inherit());
    println!("==> interop");
    let output = test.output().map_err(|source| Error::Start {
        what: "cargo test".to_owned(),
        source,
    })?;
    let printed = String::from_utf8_lossy(&output.stdout);
    println!("{printed}");
    if !output.status.success() {
        return Err(Error::Failed {
            what: "the interop test".to_owned(),
            status: output.status,
        });
    }
    let page = page(&printed).ok_or_else(|| Error::Missing {
        what: "the test's page".to_owned(),
        hint: "see its output above".to_owned(),
    })?;
    let path = run::root().join(PAGE);
    fs::write(&path, page).map_err(Error::io(format!("write {}", path.display())))
}

fn page(printed: &str) -> Option<String> {
    let (_, rest) = printed.split_once(BEGIN)?;
    let (page, _) = rest.split_once(END)?;
    Some(format!("{}\n", page.trim()))
}

/// A running proxy; dropped, it is killed.
struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    fn start(python: &Path) -> Result<Self, Error> {
        let address = free_address()?;
        let folder = python.parent().unwrap_or(python);
        let config = folder.join("interop.yaml");
        fs::write(&config, config_for(address)).map_err(Error::io("write the proxy's settings"))?;
        let mut command = Command::new(python);
        command
            .arg(folder.join("litellm"))
            .arg("--config")
            .arg(&config)
            .args(["--host", "127.0.0.1", "--port"])
            .arg(address.port().to_string())
            .args(["--telemetry", "False"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().map_err(|source| Error::Start {
            what: "the LiteLLM proxy".to_owned(),
            source,
        })?;
        let mut proxy = Self { child, address };
        proxy.wait_until_ready()?;
        Ok(proxy)
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a program without asynchronous code waits for another program"
    )]
    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let patience = Instant::now() + START;
        while Instant::now() < patience {
            if is_alive(self.address) {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error::Failed {
                    what: "the LiteLLM proxy".to_owned(),
                    status,
                });
            }
            thread::sleep(POLL);
        }
        Err(Error::Missing {
            what: "the LiteLLM proxy".to_owned(),
            hint: format!("it didn't answer within {} s", START.as_secs()),
        })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Fails only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now; somebody else could take it before the proxy does.
fn free_address() -> Result<SocketAddr, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(Error::io("find a free port"))
}

fn is_alive(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, POLL)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /health/liveliness HTTP/1.0\r\nhost: localhost\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// Its models answer with made-up text; `chained` asks the proxy itself, so that the stream
/// goes through its translation between the two protocols.
fn config_for(address: SocketAddr) -> String {
    let model = |name: &str, answer: &str| {
        format!(
            "  - model_name: {name}\n    litellm_params: {{model: openai/gpt-4o-mini, \
             api_key: none, mock_response: '{answer}'}}\n"
        )
    };
    format!(
        "model_list:\n{}{}{}{}  - model_name: chained\n    litellm_params: {{model: \
         openai/texto, api_base: \"http://{address}/v1\", api_key: sk-interop}}\n\
         general_settings: {{master_key: sk-interop}}\nrouter_settings: {{num_retries: 0}}\n",
        model("texto", "Todo cuadra: ñandú y €."),
        model("objeto", r#"{"ok": true}"#),
        model("limitado", "litellm.RateLimitError"),
        model("roto", "litellm.InternalServerError"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_lies_between_the_marks() {
        let printed = format!("running\n{BEGIN}\n# Page\n\nrow\n{END}\ntest ok");
        assert_eq!(page(&printed).as_deref(), Some("# Page\n\nrow\n"));
        assert_eq!(page("nothing"), None);
    }

    #[test]
    fn nobody_listening_is_not_alive() {
        assert!(!is_alive(free_address().unwrap()));
    }
}
