//! What every HTTP client of ours has in common: TLS with the system's roots
//! and those that the user adds, time limits, the name we go by.
//!
//! Proxies are taken from the system (`HTTPS_PROXY`, `NO_PROXY`, …). No
//! redirection is followed: requests carry secrets, and no API of this kind
//! sends its callers elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client as Http, ClientBuilder};
use tokio::runtime::Runtime;

use crate::env;
use crate::error::CliError;

/// How long it may take to be connected.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How servers are reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connection {
    /// Files with certificates to trust besides the system's, and who names them.
    ca_files: Vec<(&'static str, PathBuf)>,
}

impl Connection {
    /// Reads the environment; `configured` is what the configuration file names.
    pub(crate) fn resolve(configured: Option<String>) -> Self {
        let own = match (env::path(env::CA_FILE), configured) {
            (Some(path), _) => Some((env::CA_FILE, path)),
            (None, Some(path)) => Some(("caFile", PathBuf::from(path))),
            (None, None) => None,
        };
        let common = env::path(env::SSL_CERT_FILE).map(|path| (env::SSL_CERT_FILE, path));
        Self { ca_files: own.into_iter().chain(common).collect() }
    }

    /// Begins an HTTP client. `is_plain` means `http://`, which is spoken to
    /// loopback only and past any proxy.
    pub(super) fn builder(&self, is_plain: bool) -> Result<ClientBuilder, CliError> {
        // Fails only when a provider is installed already, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder =
            Http::builder().connect_timeout(CONNECT_TIMEOUT).redirect(Policy::none()).user_agent(user_agent());
        if is_plain {
            return Ok(builder.no_proxy());
        }
        for (named_by, path) in &self.ca_files {
            let text = std::fs::read(path)
                .map_err(|error| CliError::file("read", path, &error).with_hint(format!("{named_by} names it")))?;
            let certificates = Certificate::from_pem_bundle(&text).unwrap_or_default();
            if certificates.is_empty() {
                return Err(CliError::user(format!("`{}` holds no certificate in PEM form", path.display()))
                    .with_hint(format!("{named_by} names it")));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(builder)
    }
}

/// Finishes an HTTP client.
pub(super) fn build(builder: ClientBuilder) -> Result<Http, CliError> {
    builder.build().map_err(|error| CliError::user(format!("cannot set up HTTPS: {}", root_cause(&error))))
}

/// Who we are, to servers.
pub(super) fn user_agent() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let own = || format!("app humctl/{version}; sdk humctl/{version}");
    // A text that is no header would keep us from asking anything.
    env::get(env::USER_AGENT).filter(|text| text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())).unwrap_or_else(own)
}

/// What an HTTP client runs on.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::user(format!("cannot start: {error}")))
}

/// The innermost reason of a failure, which is the one that says something.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// True when the server's certificate is why there is no connection.
pub(super) fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    // What an IO error wraps is not among its sources.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
        || wrapped.is_some_and(|wrapped| is_untrusted(wrapped))
        || error.source().is_some_and(is_untrusted)
}
