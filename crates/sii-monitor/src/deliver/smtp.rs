//! Mail, through the operator's own SMTP server.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use lettre::message::{Mailbox, MultiPart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use super::channel::{Channel, SendError, SendErrorKind};
use super::{Notice, email};

/// The most notices of one mail.
const MOST: usize = 50;

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte (port 465).
    #[default]
    Implicit,
    /// Plain at first, then TLS, or no mail (port 587).
    Starttls,
    /// Plain: for a relay on the same machine.
    None,
}

/// A mail server and who writes to whom.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// The user, where the server wants one.
    pub user: Option<String>,
    /// The password, where the server wants one.
    pub password: Option<SecretString>,
    /// The sender: `ai-service <avisos@empresa.cl>`.
    pub from: String,
    /// The receivers, at least one.
    pub to: Vec<String>,
    /// The longest that one mail may take.
    pub limit: Duration,
}

/// Mail to a list of receivers.
#[derive(Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    limit: Duration,
}

impl Smtp {
    /// Checks the addresses. Nothing is connected yet.
    ///
    /// # Errors
    /// [`SendErrorKind::Configuration`], if an address is none or there is no receiver.
    pub fn try_new(config: SmtpConfig) -> Result<Self, SendError> {
        let unusable = SendError::new(SendErrorKind::Configuration);
        let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| unusable);
        let to: Vec<Mailbox> = config
            .to
            .iter()
            .map(|text| mailbox(text))
            .collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(unusable);
        }
        let parameters = || TlsParameters::new(config.host.clone()).map_err(|_| unusable);
        let tls = match config.tls {
            SmtpTls::Implicit => Tls::Wrapper(parameters()?),
            SmtpTls::Starttls => Tls::Required(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(config.limit));
        if let (Some(user), Some(password)) = (config.user, config.password) {
            let secret = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user, secret));
        }
        Ok(Self {
            transport: builder.build(),
            from: mailbox(&config.from)?,
            to,
            limit: config.limit,
        })
    }

    fn message(&self, event: &str, notices: &[Notice]) -> Result<Message, SendError> {
        let mail = email::mail(notices);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(mail.subject)
            // The same at every retry: mail programs show it once.
            .message_id(Some(format!("<{event}@ai-service>")));
        for receiver in &self.to {
            builder = builder.to(receiver.clone());
        }
        builder
            .header(header::MIME_VERSION_1_0)
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
            .map_err(|_| SendError::new(SendErrorKind::Configuration))
    }
}

#[async_trait]
impl Channel for Smtp {
    fn most(&self) -> usize {
        MOST
    }

    async fn send(&self, event: &str, notices: &[Notice], _: Timestamp) -> Result<(), SendError> {
        let message = self.message(event, notices)?;
        match timeout(self.limit, self.transport.send(message)).await {
            Err(_) => Err(SendError::new(SendErrorKind::Timeout)),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(SendError::new(if error.is_permanent() {
                SendErrorKind::Refused
            } else if error.is_transient() {
                SendErrorKind::Busy
            } else if error.is_timeout() {
                SendErrorKind::Timeout
            } else {
                SendErrorKind::Unreachable
            })),
        }
    }
}
