//! `humctl api METHOD PATH`

use std::io::Read as _;
use std::path::Path;

use humctl_api_types::endpoint::Method;
use serde_json::Value;

use crate::client::ApiRequest;
use crate::context::Context;
use crate::error::CliError;

/// Send a request to the API and print the answer
#[derive(Debug, clap::Args)]
pub(crate) struct ApiArgs {
    /// get, post, put, patch or delete
    #[arg(value_name = "METHOD")]
    method: String,
    /// Path with its query, as in /orgs/my-org/apps; sent as it is
    #[arg(value_name = "PATH")]
    path: String,
    /// Request body
    #[arg(long, short, value_name = "TEXT", conflicts_with = "file", allow_hyphen_values = true)]
    data: Option<String>,
    /// File with the request body; - is stdin
    #[arg(long, short, value_name = "FILE")]
    file: Option<String>,
}

pub(crate) fn run(context: &Context, args: &ApiArgs) -> Result<(), CliError> {
    let method = match args.method.to_ascii_lowercase().as_str() {
        "get" => Method::Get,
        "post" => Method::Post,
        "put" => Method::Put,
        "patch" => Method::Patch,
        "delete" => Method::Delete,
        word => {
            return Err(
                CliError::user(format!("unknown method `{word}`")).with_hint("known are get, post, put, patch, delete")
            );
        }
    };
    if !args.path.starts_with('/') {
        return Err(CliError::user(format!("path `{}` does not start with `/`", args.path)));
    }
    let body = match (&args.data, &args.file) {
        (Some(text), _) => Some(text.clone().into_bytes()),
        (None, Some(file)) => Some(read(file)?),
        (None, None) => None,
    };
    let body = body.map(|bytes| (bytes, "application/json"));
    let response = context.client().request(ApiRequest { method, path: &args.path, body })?;
    if response.body.is_empty() {
        return Ok(());
    }
    match serde_json::from_slice::<Value>(&response.body) {
        Ok(value) => context.output.document(&value),
        Err(_) => context.output.text(&String::from_utf8_lossy(&response.body)),
    }
}

fn read(file: &str) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    if file == "-" {
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| CliError::user(format!("cannot read stdin: {error}")))?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|error| CliError::file("read", Path::new(file), &error))
}
