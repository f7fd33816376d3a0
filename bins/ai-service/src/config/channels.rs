//! Who is told what the tax service publishes: the channels, and when each may be told what.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use sii_monitor::deliver::{
    Channel, Outlet, Policy, SendError, Slack, Smtp, SmtpConfig, SmtpTls, Webhook,
};

use super::file::secret as secret_text;
use super::keys::secret;
use super::settings::{SettingsError, wrong};

/// Slack.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SlackFile {
    #[serde(deserialize_with = "secret_text")]
    pub(super) webhook_url: Option<SecretString>,
    pub(super) webhook_url_file: Option<PathBuf>,
    policy: Policy,
}

/// Any program.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WebhookFile {
    #[serde(deserialize_with = "secret_text")]
    url: Option<SecretString>,
    #[serde(deserialize_with = "secret_text")]
    secret: Option<SecretString>,
    secret_file: Option<PathBuf>,
    policy: Policy,
}

/// Mail.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EmailFile {
    host: Option<String>,
    port: Option<u16>,
    tls: SmtpTls,
    user: Option<String>,
    #[serde(deserialize_with = "secret_text")]
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
    from: Option<String>,
    to: Vec<String>,
    policy: Policy,
}

/// The channels that are configured, checked. `limit` is for one message to one of them.
pub(super) fn outlets(
    to_slack: SlackFile,
    to_program: WebhookFile,
    to_people: EmailFile,
    limit: Duration,
) -> Result<Vec<Outlet>, SettingsError> {
    let outlets = [
        slack(to_slack, limit)?,
        webhook(to_program, limit)?,
        email(to_people, limit)?,
    ];
    Ok(outlets.into_iter().flatten().collect())
}

fn slack(file: SlackFile, limit: Duration) -> Result<Option<Outlet>, SettingsError> {
    const KEY: &str = "sii_monitor.slack";
    let Some(url) = secret(KEY, file.webhook_url, file.webhook_url_file)? else {
        return Ok(None);
    };
    outlet(KEY, "slack", file.policy, Slack::try_new(url, limit)).map(Some)
}

fn webhook(file: WebhookFile, limit: Duration) -> Result<Option<Outlet>, SettingsError> {
    const KEY: &str = "sii_monitor.webhook";
    let shared = secret(KEY, file.secret, file.secret_file)?;
    let (url, shared) = match (file.url, shared) {
        (None, None) => return Ok(None),
        (Some(url), Some(shared)) => (url, shared),
        _ => return Err(wrong(KEY, "needs both url and secret")),
    };
    let channel = Webhook::try_new(url, shared, limit);
    outlet(KEY, "webhook", file.policy, channel).map(Some)
}

fn email(file: EmailFile, limit: Duration) -> Result<Option<Outlet>, SettingsError> {
    const KEY: &str = "sii_monitor.email";
    let password = secret(KEY, file.password, file.password_file)?;
    let (host, from) = match (file.host, file.from) {
        (None, None) if file.to.is_empty() => return Ok(None),
        (Some(host), Some(from)) => (host, from),
        _ => return Err(wrong(KEY, "needs host, from and to")),
    };
    let port = file.port.unwrap_or(match file.tls {
        SmtpTls::Implicit => 465,
        SmtpTls::Starttls => 587,
        SmtpTls::None => 25,
    });
    let channel = Smtp::try_new(SmtpConfig {
        host,
        port,
        tls: file.tls,
        user: file.user,
        password,
        from,
        to: file.to,
        limit,
    });
    outlet(KEY, "email", file.policy, channel).map(Some)
}

fn outlet<C: Channel>(
    key: &'static str,
    name: &str,
    policy: Policy,
    channel: Result<C, SendError>,
) -> Result<Outlet, SettingsError> {
    policy
        .check()
        .map_err(|error| wrong(key, format!("policy: {error}")))?;
    // Without the address: that of a webhook is a secret.
    let channel = channel.map_err(|_| wrong(key, "has an address that can't be used"))?;
    Ok(Outlet {
        name: name.to_owned(),
        policy,
        channel: Box::new(channel),
    })
}
