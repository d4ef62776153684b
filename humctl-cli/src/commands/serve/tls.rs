//! The certificate and key of a server.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::error::CliError;

/// Longer files are no certificates.
const MAX_BYTES: u64 = 1 << 20;

/// Reads what TLS takes.
pub(super) fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, CliError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(cert)?).collect();
    let certificates = match certificates {
        Ok(certificates) if !certificates.is_empty() => certificates,
        Ok(_) => return Err(unfit(cert, "it holds no certificate", "PEM file with the certificate and its chain")),
        Err(error) => return Err(unfit(cert, &error.to_string(), "PEM file with the certificate and its chain")),
    };
    let private = PrivateKeyDer::from_pem_slice(&read(key)?)
        // The cause could show a part of the key.
        .map_err(|_| unfit(key, "it holds no private key", "PEM file with the key, without a passphrase"))?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, private));
    let mut config = config.map_err(|error| {
        CliError::user(format!("`{}` and `{}` do not fit each other: {error}", cert.display(), key.display()))
            .with_hint("--tls-key is the key of the first certificate in --tls-cert")
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| CliError::file("read", path, &error))?;
    Ok(bytes)
}

fn unfit(path: &Path, reason: &str, wanted: &str) -> CliError {
    CliError::user(format!("`{}` cannot be used for TLS: {reason}", path.display()))
        .with_hint(format!("name a {wanted}"))
}
