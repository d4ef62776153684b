//! The connections that a Deployment may need besides Git.

use crate::driver::http::DriverTransport;
use crate::secret::SecretValue;
use crate::vault::VaultTransport;

/// Opens connections; whoever has a network supplies it.
pub trait Network: Send + Sync {
    /// To a Driver, by its `target`.
    ///
    /// # Errors
    /// Why not: a sentence that goes on from the Driver's name.
    fn driver(&self, target: &str) -> Result<Box<dyn DriverTransport>, String>;

    /// To a Vault, by its `url`.
    ///
    /// # Errors
    /// Why not: a sentence that goes on from the store's name.
    fn vault(&self, url: &str, token: SecretValue) -> Result<Box<dyn VaultTransport>, String>;
}
