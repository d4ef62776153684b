//! The operating system's keyring, where this build has one.

use std::path::Path;

use humctl_core::state::StateKeyring;

/// The keyring's entry for the key of a state file.
#[cfg(feature = "keyring")]
pub(crate) fn state_keyring(state: &Path) -> Option<Box<dyn StateKeyring>> {
    Some(Box::new(OsKeyring { account: state.display().to_string() }))
}

/// This build has no keyring.
#[cfg(not(feature = "keyring"))]
pub(crate) fn state_keyring(_: &Path) -> Option<Box<dyn StateKeyring>> {
    None
}

#[cfg(feature = "keyring")]
struct OsKeyring {
    account: String,
}

#[cfg(feature = "keyring")]
impl OsKeyring {
    fn entry(&self) -> Result<keyring::Entry, String> {
        keyring::Entry::new("humctl state key", &self.account).map_err(|error| error.to_string())
    }
}

#[cfg(feature = "keyring")]
impl StateKeyring for OsKeyring {
    fn read(&self) -> Result<Option<humctl_core::secret::SecretValue>, String> {
        match self.entry()?.get_password() {
            Ok(text) => Ok(Some(humctl_core::secret::SecretValue::new(text))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn write(&self, text: &humctl_core::secret::SecretValue) -> Result<(), String> {
        self.entry()?.set_password(text.expose()).map_err(|error| error.to_string())
    }
}
