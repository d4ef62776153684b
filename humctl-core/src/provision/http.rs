//! One resource of a registered Driver: its inputs in clear, what it answers
//! as what every Driver makes (spec/drivers.md §2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use humctl_api_types::custom_resource::ResourceSpec;
use serde_json::{Map, Value};

use crate::driver::http::{HttpInputs, HttpOutputs, collect_secrets};
use crate::driver::template::Made;
use crate::graph::PlanError;
use crate::nodes::{has_node, is_node, literal};
use crate::provision::key_of;
use crate::provision::outside::{HttpCall, NotMade, Outside};
use crate::provision::resource::Settled;
use crate::secret::SecretValue;
use crate::values::SecretReference;

/// Where a Driver finds the credentials of the Cloud Account among its secrets.
const ACCOUNT: &str = "account";

/// What the Driver makes of the resource, with the secrets that it was told;
/// nothing while it is still to be asked.
pub(super) fn make(
    outside: &dyn Outside,
    spec: &ResourceSpec,
    settled: Settled,
) -> Result<Option<(Made, Vec<SecretValue>)>, PlanError> {
    let resource = key_of(spec);
    let driver_type = spec.driver.driver_type.as_str();
    let failed = |reason: String| PlanError::RegisteredDriver {
        resource: resource.clone(),
        definition: spec.definition.id.clone(),
        driver_type: driver_type.to_owned(),
        reason,
    };
    let inputs = inputs(outside, spec, settled).map_err(failed)?;
    let mut told = Vec::new();
    // Credentials of a Cloud Account have names and regions among them, which are no secrets.
    for (_, secret) in inputs.secrets.iter().filter(|(name, _)| *name != ACCOUNT) {
        collect_secrets(secret, &mut told);
    }
    let call = HttpCall {
        resource: resource.clone(),
        guresid: spec.guresid.to_string(),
        definition: spec.definition.id.clone(),
        driver_type: driver_type.to_owned(),
        is_in_place: spec.driver.in_place_change,
        inputs,
    };
    match outside.answer(call) {
        Ok(outputs) => Ok(Some((made(outputs), told))),
        Err(NotMade::Later) => Ok(None),
        Err(NotMade::Failed(reason)) => Err(failed(reason)),
        Err(NotMade::OnlyDeployed) => Err(PlanError::NotProvisioned {
            resource: resource.clone(),
            definition: spec.definition.id.clone(),
            driver_type: driver_type.to_owned(),
            is_registered: true,
        }),
    }
}

fn inputs(outside: &dyn Outside, spec: &ResourceSpec, settled: Settled) -> Result<HttpInputs, String> {
    let Settled { values, secrets, resource, account } = settled;
    let mut secrets = object(in_clear(&secrets, outside)?);
    if let Some(account) = account.as_ref().and_then(Value::as_str)
        && !secrets.contains_key(ACCOUNT)
    {
        secrets.insert(ACCOUNT.to_owned(), Value::Object(outside.account(account)?));
    }
    Ok(HttpInputs {
        res_type: spec.res_type.to_string(),
        resource: no_secrets(&resource, "resource inputs")?,
        values: no_secrets(&values, "`driver_inputs.values`")?,
        secrets,
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// What goes to a Driver as no secret.
fn no_secrets(value: &Value, place: &str) -> Result<Map<String, Value>, String> {
    if has_node(value) {
        return Err(format!(
            "a secret, or what only a Pod knows, stands in its {place}\n  hint: a Driver gets secrets in `driver_inputs.secret_refs`"
        ));
    }
    Ok(object(unwrapped(value)))
}

/// A value without what keeps parts of it from being read as nodes.
fn unwrapped(value: &Value) -> Value {
    match (literal(value), value) {
        (Some(literal), _) => literal.clone(),
        (None, Value::Object(object)) => object.iter().map(|(key, item)| (key.clone(), unwrapped(item))).collect(),
        (None, Value::Array(items)) => items.iter().map(unwrapped).collect(),
        (None, plain) => plain.clone(),
    }
}

/// Secrets with their values in the place of references.
fn in_clear(value: &Value, outside: &dyn Outside) -> Result<Value, String> {
    let node = |kind: &str| value.get(kind).filter(|_| is_node(value));
    if let Some(reference) = node("$secretRef") {
        let reference = SecretReference::read(reference).ok_or("a reference to a secret has no `store` and `ref`")?;
        return Ok(Value::String(outside.secret(&reference)?.expose().to_owned()));
    }
    if let Some(Value::Array(parts)) = node("$concat") {
        let texts = parts.iter().map(|part| Ok(crate::nodes::plain_text(&in_clear(part, outside)?)));
        return Ok(Value::String(texts.collect::<Result<String, String>>()?));
    }
    if let Some(inner) = node("$base64") {
        let text = crate::nodes::plain_text(&in_clear(inner, outside)?);
        return Ok(Value::String(STANDARD.encode(text)));
    }
    match value {
        node if is_node(node) => Err("what only a Pod knows stands in its `driver_inputs.secret_refs`".to_owned()),
        Value::Object(_) if literal(value).is_some() => Ok(unwrapped(value)),
        Value::Object(object) => object.iter().map(|(key, item)| Ok((key.clone(), in_clear(item, outside)?))).collect(),
        Value::Array(items) => items.iter().map(|item| in_clear(item, outside)).collect(),
        plain => Ok(plain.clone()),
    }
}

/// Its fragments have no names, but an order.
fn made(outputs: HttpOutputs) -> Made {
    let manifests = outputs.manifests.into_iter().enumerate();
    Made {
        values: lit(outputs.values),
        secrets: outputs.secrets,
        manifests: lit(manifests.map(|(index, fragment)| (format!("manifests.{index}"), fragment)).collect()),
        cookie: Value::Null,
    }
}

/// Whatever looks like a node in an answer is none.
fn lit(tree: Map<String, Value>) -> Map<String, Value> {
    fn guarded(value: Value) -> Value {
        match value {
            Value::Object(object) if object.keys().any(|key| key.starts_with('$')) => {
                serde_json::json!({ "$lit": object })
            }
            Value::Object(object) => object.into_iter().map(|(key, item)| (key, guarded(item))).collect(),
            Value::Array(items) => items.into_iter().map(guarded).collect(),
            plain => plain,
        }
    }
    tree.into_iter().map(|(key, item)| (key, guarded(item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::{KeptSecrets, NotMade};
    use serde_json::json;
    use std::collections::BTreeMap;

    /// Knows every secret by its name.
    struct Known;

    impl Outside for Known {
        fn has_driver(&self, _: &str) -> bool {
            true
        }

        fn answer(&self, _: HttpCall) -> Result<HttpOutputs, NotMade> {
            Err(NotMade::Later)
        }

        fn account(&self, id: &str) -> Result<Map<String, Value>, String> {
            Ok(Map::from_iter([("of".to_owned(), json!(id))]))
        }

        fn secret(&self, reference: &SecretReference) -> Result<SecretValue, String> {
            match reference.reference.as_str() {
                "none" => Err("there is no such secret".to_owned()),
                name => Ok(SecretValue::new(format!("<{name}>"))),
            }
        }

        fn keep(&self, _: &KeptSecrets) -> Option<Result<BTreeMap<String, SecretReference>, String>> {
            None
        }
    }

    #[test]
    fn a_driver_gets_secrets_by_value_and_in_their_place_only() {
        let spec: ResourceSpec = serde_json::from_value(json!({
            "schemaRevision": 1, "guresid": "0".repeat(64), "type": "postgres", "class": "default", "id": "shared.db",
            "context": {"orgId": "acme", "appId": "shop", "envId": "dev", "envType": "development"},
            "definition": {"id": "pg-made"}, "driver": {"type": "acme/pg"},
        }))
        .unwrap();
        let node = |name: &str| json!({"$secretRef": {"store": "s", "ref": name}});
        let mixed = json!({"$concat": ["pg://", node("a"), ":", node("b")]});
        let literal = json!({"$lit": {"$ref": "#/x"}});
        // Values, secrets, Cloud Account; what the Driver gets of both, or what is wrong.
        for (values, secrets, account, expected) in [
            (json!({"a": 1}), json!({}), None, Ok((json!({"a": 1}), json!({})))),
            (
                json!({"schema": literal}),
                json!({"s": literal}),
                None,
                Ok((json!({"schema": {"$ref": "#/x"}}), json!({"s": {"$ref": "#/x"}}))),
            ),
            (
                json!({}),
                json!({"x": {"y": node("a")}, "z": mixed}),
                None,
                Ok((json!({}), json!({"x": {"y": "<a>"}, "z": "pg://<a>:<b>"}))),
            ),
            (
                json!({}),
                json!({"z": {"$base64": mixed}}),
                None,
                Ok((json!({}), json!({"z": STANDARD.encode("pg://<a>:<b>")}))),
            ),
            (json!({}), json!({}), Some("cloud"), Ok((json!({}), json!({"account": {"of": "cloud"}})))),
            // What the Definition says goes first.
            (json!({}), json!({"account": "own"}), Some("cloud"), Ok((json!({}), json!({"account": "own"})))),
            (json!({"a": node("a")}), json!({}), None, Err("stands in its `driver_inputs.values`")),
            (
                json!({"a": [{"b": mixed}]}),
                json!({}),
                None,
                Err("a Driver gets secrets in `driver_inputs.secret_refs`"),
            ),
            (json!({}), json!({"a": {"$field": {"pod": "metadata.name"}}}), None, Err("what only a Pod knows")),
            (json!({}), json!({"a": node("none")}), None, Err("there is no such secret")),
        ] {
            let settled =
                Settled { values: values.clone(), secrets, resource: json!({}), account: account.map(|id| json!(id)) };
            let found = inputs(&Known, &spec, settled);
            match (found, expected) {
                (Ok(found), Ok((values, secrets))) => {
                    assert_eq!((Value::Object(found.values), Value::Object(found.secrets)), (values, secrets));
                }
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{values}: {found}"),
                (found, expected) => panic!("{values}: {found:?} {expected:?}"),
            }
        }
    }
}
