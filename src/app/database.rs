//! The database that the configuration names: how it is reached, what it is called, and whether it is spoken to in secret.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::Verifier;
use tokio_postgres::config::{Host, SslMode};

use super::config::{Config, PostgresSettings};
use crate::store::postgres::PostgresOptions;

/// None where the store is no database.
pub fn options(config: &Config) -> Result<Option<PostgresOptions>> {
    let Some(settings) = &config.store.postgres else { return Ok(None) };
    let mut database = parse(settings)?;
    // "prefer" is what is not said: nobody listens to what stays on this machine, and whatever leaves it is encrypted, to a server
    // that can prove who it is.
    let hosts = database.get_hosts();
    // As libpq has it, a socket's file is in nobody else's way.
    let by_file = hosts.iter().all(|host| matches!(host, Host::Unix(_)));
    let stays_here = hosts.iter().all(is_here);
    match database.get_ssl_mode() {
        _ if by_file => drop(database.ssl_mode(SslMode::Disable)),
        SslMode::Prefer => {
            database.ssl_mode(if stays_here { SslMode::Disable } else { SslMode::Require });
        }
        _ => {}
    }
    let PostgresSettings { writers, readers, .. } = *settings;
    Ok(Some(PostgresOptions { database, tls: tls(settings)?, writers, readers }))
}

/// As messages call it: never with its password.
pub fn name(settings: &PostgresSettings) -> String {
    let Ok(database) = parse(settings) else { return "the database".into() };
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    };
    let hosts: Vec<String> = database.get_hosts().iter().map(host).collect();
    let name = database.get_dbname().or(database.get_user()).unwrap_or("postgres");
    format!("the database \"{name}\" at {}", hosts.join(", "))
}

fn parse(settings: &PostgresSettings) -> Result<tokio_postgres::Config> {
    settings.url.expose().parse().context("store.url is no connection string")
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn tls(settings: &PostgresSettings) -> Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .context("TLS")?
        .dangerous()
        .with_custom_certificate_verifier(verifier(settings, provider)?);
    Ok(builder.with_no_client_auth())
}

/// Whom the configuration trusts, or else the system does.
fn verifier(
    settings: &PostgresSettings,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>> {
    let Some(authorities) = &settings.authorities else {
        return Ok(Arc::new(Verifier::new(provider).context("the certificates that the system trusts")?));
    };
    let mut roots = rustls::RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone()).context("store.ca_file holds a certificate that cannot be used")?;
    }
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Ok(verifier.context("store.ca_file")?)
}
