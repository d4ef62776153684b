//! The connections of the embedded Orchestrator: to Drivers and to Vaults.

use humctl_core::driver::http::DriverTransport;
use humctl_core::git::process::CancelFlag;
use humctl_core::orchestrator::Network;
use humctl_core::secret::SecretValue;
use humctl_core::vault::VaultTransport;

use crate::client::driver::DriverHttp;
use crate::client::http::Connection;
use crate::client::vault::VaultHttp;

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
        Ok(Box::new(VaultHttp::open(url, token, &self.connection, self.cancel.clone())?))
    }
}
