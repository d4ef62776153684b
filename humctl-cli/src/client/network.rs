//! The connections of the embedded Orchestrator: to Drivers and to Vaults.

use std::time::Duration;

use humctl_core::driver::http::{DriverTransport, TransportError};
use humctl_core::git::process::CancelFlag;
use humctl_core::orchestrator::Network;
use humctl_core::secret::SecretValue;
use humctl_core::vault::{VaultRequest, VaultResponse, VaultTransport};
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use crate::client::driver::DriverHttp;
use crate::client::http::Connection;
use crate::client::service::Service;

/// How long a Vault may take for one answer.
const VAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The network as the command line may use it.
pub(super) struct OwnNetwork {
    pub(super) connection: Connection,
    /// Set by Ctrl-C.
    pub(super) cancel: CancelFlag,
}

impl Network for OwnNetwork {
    fn driver(&self, target: &str) -> Result<Box<dyn DriverTransport>, String> {
        Ok(Box::new(DriverHttp::open(target, &self.connection, self.cancel.clone())?))
    }

    fn vault(&self, url: &str, token: SecretValue) -> Result<Box<dyn VaultTransport>, String> {
        let mut token = HeaderValue::from_bytes(token.expose().as_bytes())
            .map_err(|_| "its token has characters that no header can carry".to_owned())?;
        token.set_sensitive(true);
        let service = Service::open(url, &self.connection, VAULT_TIMEOUT, self.cancel.clone())?;
        Ok(Box::new(VaultHttp { service, token }))
    }
}

/// An HTTP client for one Vault.
struct VaultHttp {
    service: Service,
    token: HeaderValue,
}

impl VaultTransport for VaultHttp {
    fn send(&self, request: &VaultRequest<'_>) -> Result<VaultResponse, String> {
        let answer = self.service.send(&request.segments, |http, mut url| {
            if let Some(version) = request.version {
                url.query_pairs_mut().append_pair("version", version);
            }
            let builder = match &request.body {
                Some(body) => {
                    http.post(url).header(CONTENT_TYPE, "application/json").body(body.expose().to_owned())
                }
                None => http.get(url),
            };
            builder.header("X-Vault-Token", self.token.clone())
        });
        let answer = answer.map_err(|error| match error {
            TransportError::Unreachable(reason) => {
                format!("it cannot be reached: {reason}\n  hint: check its address and the network")
            }
            TransportError::TimedOut => "it gave no answer in time\n  hint: deploy again".to_owned(),
            TransportError::Cancelled => "it was not waited for any longer\n  hint: deploy again".to_owned(),
            TransportError::TooLong => "its answer is too long for a secret".to_owned(),
        })?;
        Ok(VaultResponse { status: answer.status, body: answer.body })
    }
}
