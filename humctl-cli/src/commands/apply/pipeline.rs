//! Applying Pipelines: their documents travel as YAML.

use humctl_api_types::endpoint::{Method, encode_segment};
use humctl_api_types::manifest::API_VERSION;
use humctl_core::manifest::PlainObject;
use humctl_core::yaml;
use serde_json::{Value, json};

use crate::client::ApiRequest;
use crate::commands::apply::{Change, existing};
use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn apply(context: &Context, object: &PlainObject) -> Result<(Change, Value), CliError> {
    let collection = kinds::fill(context, object.plain.info().collection, &object.place)?;
    let id = object.id.as_deref().unwrap_or_default();
    let path = format!("{collection}/{}", encode_segment(id));
    let document = object.entity.expose().get("document").cloned().unwrap_or_default();
    let Some(old) = existing(context, &path)? else {
        let made = send(context, Method::Post, &collection, &[], id, &document)?;
        return Ok((Change::Created, with_document(made, document)));
    };
    if kinds::pipeline_document(context, &path)? == document {
        return Ok((Change::Unchanged, with_document(old, document)));
    }
    // Nobody else's change in between is overwritten.
    let etag = old.get("etag").and_then(Value::as_str).map(|etag| ("If-Match".to_owned(), etag.to_owned()));
    let headers: Vec<(String, String)> = etag.into_iter().collect();
    let changed = send(context, Method::Patch, &path, &headers, id, &document)?;
    Ok((Change::Updated, with_document(changed, document)))
}

fn send(
    context: &Context,
    method: Method,
    path: &str,
    headers: &[(String, String)],
    id: &str,
    document: &Value,
) -> Result<Value, CliError> {
    let manifest = json!({"apiVersion": API_VERSION, "kind": "Pipeline", "metadata": {"id": id}, "entity": document});
    let text = yaml::to_string(&manifest).map_err(|error| CliError::user(error.to_string()))?;
    let body = Some((text.into_bytes(), "application/x-yaml"));
    let response = context.client().request(ApiRequest { method, path, body, headers })?;
    serde_json::from_slice(&response.body)
        .map_err(|_| CliError::user(format!("the answer of {} {path} is no JSON", method.as_str())))
}

/// An answer with the document in it, as `kinds::manifests_in` takes it.
fn with_document(mut answer: Value, document: Value) -> Value {
    answer["document"] = document;
    answer
}
