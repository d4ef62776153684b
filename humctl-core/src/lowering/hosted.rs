//! Drivers that only Humanitec's own service runs, done by `humanitec/echo`
//! and `humanitec/template` instead (spec/drivers.md §11–§13, §17).
//!
//! The templates are under `hosted/`. They read the values that the Definition
//! gives, and what is put beside them here.

use humctl_api_types::definition::DriverInputs;
use humctl_api_types::id::ResourceType;
use serde_json::{Map, Value, json};

use super::{NodeDriver, Scope, Step};
use crate::context::ResourceKey;
use crate::driver_catalogue::OWNER;

const ECHO: &str = "humanitec/echo";
const TEMPLATE: &str = "humanitec/template";

/// Drivers of `humanitec` that run here or in the cluster.
const NOT_HOSTED: &[&str] = &["agent", "echo", "logging-gcp", "logging-k8s", "static", "template"];

/// True for a Driver that only Humanitec's own service runs.
pub(super) fn is_hosted(driver_type: &str) -> bool {
    match driver_type.split_once('/') {
        Some((OWNER, id)) => !NOT_HOSTED.contains(&id) && !id.starts_with("k8s-cluster"),
        _ => false,
    }
}

/// Replaces a hosted Driver that has an equivalent.
pub(super) fn lower(driver: &NodeDriver<'_>, scope: Scope<'_, '_>) -> Result<Option<Step>, String> {
    let Some((OWNER, id)) = driver.driver_type.split_once('/') else { return Ok(None) };
    let lower: fn(&mut DriverInputs, Scope<'_, '_>) -> Result<&'static str, String> = match id {
        "dns-wildcard" => dns_wildcard,
        "ingress" => ingress,
        "volume-pvc" => volume_pvc,
        "volume-nfs" => volume_nfs,
        "hpa" => hpa,
        // An existing database, described by its inputs.
        _ if id.ends_with("-static") => |_, _| Ok(ECHO),
        _ => return Ok(None),
    };
    let mut inputs = driver.inputs.as_deref().cloned().unwrap_or_default();
    let target = lower(&mut inputs, scope).map_err(|reason| format!("`{}`: {reason}", driver.driver_type))?;
    Ok(Some(Step { driver_type: target.to_owned(), inputs }))
}

/// `host` is a label under a domain whose wildcard record exists.
fn dns_wildcard(inputs: &mut DriverInputs, scope: Scope<'_, '_>) -> Result<&'static str, String> {
    let domain = text(&inputs.values, "domain")?.to_owned();
    let label = match inputs.values.get("template") {
        None | Some(Value::Null) => scope.resource.guresid(scope.context).as_str()[..12].to_owned(),
        Some(Value::String(template)) => template.trim().to_owned(),
        Some(_) => return Err("the value `template` is no text".to_owned()),
    };
    let host = json!(format!("{label}.{domain}"));
    if !label.contains("{{") {
        // What is no template is known while planning.
        inputs.values = Map::from_iter([("host".to_owned(), host)]);
        return Ok(ECHO);
    }
    inputs.values.insert("templates".to_owned(), json!({"outputs": {"host": host}}));
    Ok(TEMPLATE)
}

/// One object for all routes to the `dns` resource beside it.
fn ingress(inputs: &mut DriverInputs, scope: Scope<'_, '_>) -> Result<&'static str, String> {
    add(inputs, "host", "${resources.dns.outputs.host}");
    for (name, output) in [("routePaths", "path"), ("routePorts", "port"), ("routeServices", "service")] {
        add(inputs, name, &format!("${{resources.dns<route.outputs.{output}}}"));
    }
    let is_set =
        |name: &str| inputs.values.get(name).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)));
    let names_tls = ["no_tls", "tls_secret_name", "automatic_tls_secret_name"].into_iter().any(is_set);
    if !names_tls && has_tls_certificate(scope) {
        add(inputs, "automatic_tls_secret_name", "${resources.tls-cert.outputs.tls_secret_name}");
    }
    templates(inputs, include_str!("hosted/ingress.yaml"))
}

/// True when the ingress can have a certificate of its own.
fn has_tls_certificate(scope: Scope<'_, '_>) -> bool {
    let Ok(res_type) = ResourceType::new("tls-cert") else { return false };
    let certificate = ResourceKey { res_type, ..scope.resource.clone() };
    scope.definitions.match_definition(scope.context, &certificate).is_ok()
}

fn volume_pvc(inputs: &mut DriverInputs, _: Scope<'_, '_>) -> Result<&'static str, String> {
    if !inputs.values.contains_key("storage_capacity") {
        text(&inputs.values, "capacity")?;
    }
    templates(inputs, include_str!("hosted/volume-pvc.yaml"))
}

fn volume_nfs(inputs: &mut DriverInputs, _: Scope<'_, '_>) -> Result<&'static str, String> {
    text(&inputs.values, "server")?;
    text(&inputs.values, "path")?;
    templates(inputs, include_str!("hosted/volume-nfs.yaml"))
}

fn hpa(inputs: &mut DriverInputs, _: Scope<'_, '_>) -> Result<&'static str, String> {
    add(inputs, "resId", "${context.res.id}");
    templates(inputs, include_str!("hosted/hpa.yaml"))
}

fn add(inputs: &mut DriverInputs, name: &str, value: &str) {
    inputs.values.insert(name.to_owned(), json!(value));
}

/// A text that the Driver cannot do without.
fn text<'v>(values: &'v Map<String, Value>, name: &str) -> Result<&'v str, String> {
    match values.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(Value::Null) | None => Err(format!("the value `{name}` is missing")),
        Some(_) => Err(format!("the value `{name}` is no text")),
    }
}

fn templates(inputs: &mut DriverInputs, text: &str) -> Result<&'static str, String> {
    let mut documents = crate::yaml::parse_documents(text).map_err(|error| error.to_string())?;
    inputs.values.insert("templates".to_owned(), documents.pop().unwrap_or_default());
    Ok(TEMPLATE)
}
