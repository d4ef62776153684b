//! `humctl api METHOD PATH`

use std::io::Read as _;
use std::path::Path;

use humctl_api_types::endpoint::Method;
use serde_json::Value;

use crate::client::ApiRequest;
use crate::context::Context;
use crate::error::CliError;

/// Send a request to the API and print the answer
///
/// A list that comes in pages is put together, unless the path has `page` or
/// `per_page`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = r#"Examples:
  humctl api get /orgs
  humctl api post /orgs/my-org/apps -d '{"id": "shop", "name": "Shop"}'
  humctl api put /orgs/my-org/resources/defs/dns/criteria -f - < criteria.json
  humctl api patch /orgs/my-org/apps/shop/pipelines/main \
    -f main.yaml -H 'If-Match: 1a2b'

See also: humctl get, humctl apply, humctl delete"#)]
pub(crate) struct ApiArgs {
    /// HTTP method: get, post, put, patch or delete
    #[arg(value_name = "METHOD")]
    method: String,
    /// Path of the API, with its query if there is one, as in /orgs/my-org/apps
    #[arg(value_name = "PATH")]
    path: String,
    /// Request body: JSON, or YAML for a Pipeline
    #[arg(long, short, value_name = "TEXT", conflicts_with = "file", allow_hyphen_values = true)]
    data: Option<String>,
    /// File with the request body; - is stdin
    #[arg(long, short, value_name = "FILE")]
    file: Option<String>,
    /// Further header, as in If-Match:1a2b; may come more than once
    #[arg(long = "header", short = 'H', value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
}

/// Splits a header; the token has a flag of its own.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is of the form NAME:VALUE")?;
    let name = name.trim();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(format!("`{name}` is no name of a header"));
    }
    if name.eq_ignore_ascii_case("authorization") {
        return Err("the token is not given as a header, but with --token or HUMANITEC_TOKEN".to_owned());
    }
    let value = value.trim();
    match value.chars().any(char::is_control) {
        true => Err(format!("the value of `{name}` has control characters")),
        false => Ok((name.to_owned(), value.to_owned())),
    }
}

/// Pipelines are YAML, all else is JSON (spec/cli.md §6.1).
fn content_type(path: &str, body: &[u8]) -> &'static str {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let last = |n: usize| path.rsplit('/').nth(n);
    let is_pipeline = last(0) == Some("pipelines") || last(1) == Some("pipelines");
    match is_pipeline && serde_json::from_slice::<Value>(body).is_err() {
        true => "application/x-yaml",
        false => "application/json",
    }
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
    let body = body.map(|bytes| {
        let content_type = content_type(&args.path, &bytes);
        (bytes, content_type)
    });
    let request = ApiRequest { body, headers: &args.headers, ..ApiRequest::new(method, &args.path) };
    let response = context.client().request(request)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_are_yaml_unless_they_are_json() {
        const YAML: &str = "application/x-yaml";
        const JSON: &str = "application/json";
        for (path, body, expected) in [
            ("/orgs/o/apps/a/pipelines", "name: x", YAML),
            ("/orgs/o/apps/a/pipelines/p?dry_run=true", "name: x", YAML),
            ("/orgs/o/apps/a/pipelines/", "name: x", YAML),
            ("/orgs/o/apps/a/pipelines", "{\"name\": 1}", JSON),
            ("/orgs/o/apps/a/pipelines/p/runs", "name: x", JSON),
            ("/orgs/o/apps", "name: x", JSON),
        ] {
            assert_eq!(content_type(path, body.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn headers_are_names_with_values() {
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        for (text, expected) in [
            ("If-Match: 1a2b", pair("If-Match", "1a2b")),
            ("X-Time:12:30", pair("X-Time", "12:30")),
            ("X-Empty:", pair("X-Empty", "")),
            ("no colon", None),
            (": value", None),
            ("a b: c", None),
            ("AUTHORIZATION: Bearer x", None),
            ("X: a\nY: b", None),
        ] {
            assert_eq!(header(text).ok(), expected, "{text}");
        }
    }
}
