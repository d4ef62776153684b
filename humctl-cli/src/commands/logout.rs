//! `humctl logout`

use crate::client::token::{IN_KEYRING, delete_from_keyring};
use crate::config::{ConfigFile, TOKEN_STORE};
use crate::context::Context;
use crate::error::CliError;

/// Forget the token that login has kept
///
/// Removes it from ~/.humctl and from the keyring. A token in the environment
/// variable `HUMANITEC_TOKEN` stays in force. Prints nothing when all went well,
/// also when there was no token.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl logout

See also: humctl login, humctl config")]
pub(crate) struct LogoutArgs {}

pub(crate) fn run(context: &Context, _: &LogoutArgs) -> Result<(), CliError> {
    forget(ConfigFile::read(context.config_path.clone())?)
}

/// Removes the token, wherever the configuration file says that it is.
pub(crate) fn forget(file: ConfigFile) -> Result<(), CliError> {
    let store = file.get(TOKEN_STORE);
    if store.is_none() && file.get("token").is_none() {
        return Ok(());
    }
    // A keyring that cannot be asked must not keep the token in the file, nor the marker.
    let removed = match store.as_deref() {
        Some(IN_KEYRING) => delete_from_keyring(&file),
        _ => Ok(()),
    };
    file.set(&[("token", None), (TOKEN_STORE, None)])?;
    removed.map_err(|reason| {
        CliError::user(format!("humctl has forgotten the token, but the keyring may still have it: {reason}"))
            .with_hint("remove `humctl token` with the program that manages your keyring")
    })
}
