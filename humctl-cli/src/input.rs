//! Reading what a user names: files, pipes and stdin, within limits.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use humctl_core::yaml::MAX_BYTES;

use crate::error::CliError;

/// Reads everything that is piped in.
pub(crate) fn read_stdin() -> Result<String, CliError> {
    limited(std::io::stdin().lock()).map_err(|error| CliError::user(format!("cannot read stdin: {error}")))
}

/// Reads a text file or pipe; `-` is stdin.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    if path == Path::new("-") {
        return read_stdin();
    }
    File::open(path).and_then(limited).map_err(|error| CliError::file("read", path, &error))
}

/// Reads no more than a YAML file may hold, whatever is at the other end.
fn limited(reader: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_BYTES {
        return Err(std::io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
    }
    Ok(text)
}
