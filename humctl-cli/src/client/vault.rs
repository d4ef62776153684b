//! The transport to a Vault.

use std::time::Duration;

use humctl_core::driver::http::TransportError;
use humctl_core::git::process::CancelFlag;
use humctl_core::secret::SecretValue;
use humctl_core::vault::{VaultRequest, VaultResponse, VaultTransport};

use crate::client::http::Connection;
use crate::client::service::{Asked, Method, Service};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Request header with the token.
const TOKEN_HEADER: &str = "X-Vault-Token";

/// An HTTP client for one Vault.
pub(super) struct VaultHttp {
    service: Service,
    token: SecretValue,
}

impl VaultHttp {
    /// # Errors
    /// What is wrong with the address: a sentence.
    pub(super) fn open(
        url: &str,
        token: SecretValue,
        connection: &Connection,
        cancel: CancelFlag,
    ) -> Result<Self, String> {
        Ok(Self { service: Service::open(url, connection, TIMEOUT, cancel)?, token })
    }
}

impl VaultTransport for VaultHttp {
    fn send(&self, request: &VaultRequest<'_>) -> Result<VaultResponse, String> {
        let answer = self.service.send(&Asked {
            method: if request.body.is_some() { Method::POST } else { Method::GET },
            segments: &request.segments,
            query: request.version.map(|version| ("version", version)),
            header: Some((TOKEN_HEADER, &self.token)),
            body: request.body.as_ref(),
        });
        match answer {
            Ok(answer) => Ok(VaultResponse { status: answer.status, body: answer.body }),
            Err(TransportError::Unreachable(reason)) => {
                Err(format!("it cannot be reached: {reason}\n  hint: check its address and the network"))
            }
            Err(TransportError::TimedOut) => Err("it gave no answer in time\n  hint: deploy again".to_owned()),
            Err(TransportError::Cancelled) => Err("it was not waited for any longer\n  hint: deploy again".to_owned()),
            Err(TransportError::TooLong) => Err("its answer is too long for a secret".to_owned()),
        }
    }
}
