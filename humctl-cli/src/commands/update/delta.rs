//! `humctl update delta ID OP PATH [VALUE]`

use humctl_api_types::endpoint;
use humctl_api_types::id::DeltaId;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_core::{delta, json};
use serde_json::Value;

use crate::commands::kinds;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Add an operation to a Delta
///
/// PATH starts at a Deployment Set: /modules/WORKLOAD, deeper inside it, or
/// /shared/KEY. A VALUE that starts with { or [ or a quote is JSON, anything
/// else is text.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl update delta 0123456789abcdef remove /shared/dns --app shop
  humctl update delta 0123456789abcdef replace \
    /modules/web/spec/containers/main/image registry.example/web:2
  humctl update delta 0123456789abcdef add /shared/dns '{"type": "dns"}'

See also: humctl create delta, humctl deploy delta, humctl diff"#)]
pub(crate) struct UpdateDeltaArgs {
    /// Id of the Delta
    #[arg(value_name = "DELTA")]
    id: String,
    /// Operation: add, remove or replace
    #[arg(value_name = "OP")]
    op: String,
    /// JSON pointer to what it is about, as in /modules/web/spec/containers/main/image
    #[arg(value_name = "PATH")]
    path: String,
    /// What to add, or to replace it with; none for remove
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: Option<String>,
}

pub(crate) fn run(context: &Context, args: &UpdateDeltaArgs) -> Result<(), CliError> {
    let (org, app) = context.app()?;
    let id = DeltaId::new(args.id.clone()).map_err(bad_id)?;
    let value = args.value.as_deref().map(parse).transpose()?;
    let operation = delta::of_operation(&args.op, &args.path, value).map_err(|reason| {
        CliError::user(reason)
            .with_hint("as in: humctl update delta ID add /modules/web/spec/containers/main/image repo/app:2")
    })?;
    let changed = context.client().call(&endpoint::patch_delta(&org, &app, &id, &[operation]))?;
    let manifests = kinds::manifests_in(context, Kind::DeploymentDelta, &Place::default(), json::to_value(&changed))?;
    context.output.manifests(&manifests, true, || kinds::table(Kind::DeploymentDelta, &manifests))
}

/// Reads the value of an operation.
fn parse(text: &str) -> Result<Value, CliError> {
    if !text.starts_with(['{', '[', '"']) {
        return Ok(Value::String(text.to_owned()));
    }
    serde_json::from_str(text).map_err(|error| {
        CliError::user(format!("the value is no JSON: line {}, column {}", error.line(), error.column()))
            .with_hint("text that starts with { or [ or a quote is written in quotes, as in '\"{text}\"'")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_json_only_where_it_looks_like_it() {
        for (text, expected) in [
            ("a b", json!("a b")),
            ("5", json!("5")),
            ("true", json!("true")),
            ("\"5\"", json!("5")),
            ("[1]", json!([1])),
            ("{\"a\": null}", json!({"a": null})),
            ("", json!("")),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        assert!(parse("{text}").unwrap_err().text().contains("no JSON"));
    }
}
