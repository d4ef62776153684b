//! The token of the API, and where it is kept.
//!
//! *Invariant.* The keyring is asked only when the configuration file says that
//! the token is there (ruling 17), and not before a request needs it.

use std::path::Path;

use humctl_core::secret::SecretValue;

use crate::client::keyring::token_keyring;
use crate::config::{ConfigFile, TOKEN_STORE};
use crate::error::CliError;

/// What the configuration file has under [`TOKEN_STORE`] when the token is in the keyring.
pub(crate) const IN_KEYRING: &str = "keyring";

/// The token, or the way to it.
#[derive(Debug, Clone)]
pub(crate) enum Token {
    /// There is none.
    Absent,
    /// This one.
    Given(SecretValue),
    /// The one that the keyring keeps for a configuration file.
    InKeyring(String),
}

impl Token {
    /// The token that is given, else the one that the configuration file has or points to.
    pub(crate) fn resolve(given: Option<String>, file: &ConfigFile) -> Self {
        match given.or_else(|| file.get("token")) {
            Some(text) => Self::Given(SecretValue::new(text.trim())),
            None if file.get(TOKEN_STORE).as_deref() == Some(IN_KEYRING) => Self::InKeyring(account(file.path())),
            None => Self::Absent,
        }
    }

    /// True when there is none.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The text, from wherever it is.
    pub(crate) fn read(&self) -> Result<Option<SecretValue>, CliError> {
        let token = match self {
            Self::Absent => return Ok(None),
            Self::Given(token) => token.clone(),
            Self::InKeyring(account) => read_keyring(account)?,
        };
        check(&token)?;
        Ok(Some(token))
    }
}

/// A token is one word; anything else cannot be sent.
pub(crate) fn check(token: &SecretValue) -> Result<(), CliError> {
    let text = token.expose();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(CliError::user("the token is empty, or holds blanks or other characters that no token has")
        .with_hint("look where it comes from: --token, HUMANITEC_TOKEN, or ~/.humctl"))
}

/// Puts a token into the keyring.
pub(crate) fn write_keyring(file: &ConfigFile, token: &SecretValue) -> Result<(), CliError> {
    match token_keyring(account(file.path())) {
        None => Err(no_keyring("this build has none")),
        Some(keyring) => keyring.write(token).map_err(|error| no_keyring(&error)),
    }
}

/// Removes the token of a configuration file from the keyring; says why it may still be there.
pub(crate) fn delete_from_keyring(file: &ConfigFile) -> Result<(), String> {
    match token_keyring(account(file.path())) {
        None => Err("this build has none".to_owned()),
        Some(keyring) => keyring.delete(),
    }
}

fn read_keyring(account: &str) -> Result<SecretValue, CliError> {
    let keyring = token_keyring(account.to_owned()).ok_or_else(|| no_keyring("this build has none"))?;
    match keyring.read().map_err(|error| no_keyring(&error))? {
        Some(token) => Ok(token),
        None => Err(no_keyring("it has no token of humctl any more")),
    }
}

/// Configuration files have their own tokens, in the keyring as well.
fn account(path: Option<&Path>) -> String {
    path.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string())
        .unwrap_or_default()
}

fn no_keyring(reason: &str) -> CliError {
    CliError::user(format!("the token is kept in the keyring, which cannot be used: {reason}"))
        .with_hint("keep it in ~/.humctl instead: humctl login --store file")
        .with_hint("or give it for this once: HUMANITEC_TOKEN=…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word() {
        for (text, expected) in
            [("eyJh.b-c_d", true), ("", false), ("a b", false), ("a\nX-Other: b", false), ("tökén", false)]
        {
            assert_eq!(check(&SecretValue::new(text)).is_ok(), expected, "{text:?}");
        }
    }
}
