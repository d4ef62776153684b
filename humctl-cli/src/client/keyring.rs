//! The operating system's keyring, where this build has one.

use std::path::Path;

use humctl_core::secret::SecretValue;
use humctl_core::state::StateKeyring;

/// The keyring's entry for the key of a state file.
pub(crate) fn state_keyring(state: &Path) -> Option<Box<dyn StateKeyring>> {
    let entry = Entry::new("humctl state key", state.display().to_string())?;
    Some(Box::new(entry))
}

/// The keyring's entry for the token of a configuration file.
pub(crate) fn token_keyring(account: String) -> Option<Entry> {
    Entry::new("humctl token", account)
}

/// One entry of the keyring.
pub(crate) struct Entry {
    #[cfg_attr(not(feature = "keyring"), expect(dead_code, reason = "without a keyring nothing is looked up"))]
    service: &'static str,
    #[cfg_attr(not(feature = "keyring"), expect(dead_code, reason = "without a keyring nothing is looked up"))]
    account: String,
}

impl Entry {
    fn new(service: &'static str, account: String) -> Option<Self> {
        cfg!(feature = "keyring").then_some(Self { service, account })
    }
}

#[cfg(feature = "keyring")]
impl Entry {
    fn open(&self) -> Result<keyring::Entry, String> {
        keyring::Entry::new(self.service, &self.account).map_err(|error| match keyring::Entry::store_status() {
            // What kept the keyring from being opened says more.
            Err(cause) => cause.to_string(),
            Ok(()) => error.to_string(),
        })
    }

    /// The secret, if there is one.
    pub(crate) fn read(&self) -> Result<Option<SecretValue>, String> {
        match self.open()?.get_password() {
            Ok(text) => Ok(Some(SecretValue::new(text))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Stores the secret.
    pub(crate) fn write(&self, text: &SecretValue) -> Result<(), String> {
        self.open()?.set_password(text.expose()).map_err(|error| error.to_string())
    }

    /// Removes the secret; there may be none.
    pub(crate) fn delete(&self) -> Result<(), String> {
        match self.open()?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Never made: this build has no keyring.
#[cfg(not(feature = "keyring"))]
impl Entry {
    pub(crate) fn read(&self) -> Result<Option<SecretValue>, String> {
        Ok(None)
    }

    pub(crate) fn write(&self, _: &SecretValue) -> Result<(), String> {
        Ok(())
    }

    pub(crate) fn delete(&self) -> Result<(), String> {
        Ok(())
    }
}

impl StateKeyring for Entry {
    fn read(&self) -> Result<Option<SecretValue>, String> {
        self.read()
    }

    fn write(&self, text: &SecretValue) -> Result<(), String> {
        self.write(text)
    }
}
