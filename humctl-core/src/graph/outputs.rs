//! Outputs that a resource will have, as far as that is known before it
//! exists: from its Definition when that lists them, else from the schema of
//! its Resource Type.

use humctl_api_types::definition::{DriverInputs, ResourceDefinition};
use serde_json::{Map, Value};

use crate::graph::ResourceTypes;
use crate::lowering::NodeDriver;

/// What is known of an output beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// It is there, and no secret.
    Value,
    /// It is there, and secret.
    Secret,
    /// The type's schema lists outputs, but not this one.
    Unlisted,
    /// Nothing says which outputs there are.
    Unknown,
}

/// An output that cannot be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoOutput {
    /// Who says so, as a sentence.
    pub reason: String,
    /// The outputs that there are, sorted.
    pub known: Vec<String>,
}

/// Says what kind of output `name` is of a resource that `driver` makes for
/// `definition`.
///
/// # Errors
/// [`NoOutput`] when the Definition or a closed schema rules it out.
pub fn output_kind(
    definition: &ResourceDefinition,
    driver: &NodeDriver<'_>,
    types: &ResourceTypes<'_>,
    name: &str,
) -> Result<OutputKind, NoOutput> {
    if repeats_its_inputs(&driver.driver_type) {
        return echoed(definition, driver.inputs.as_deref(), name);
    }
    output_kind_of_type(definition.res_type.as_str(), types, name)
}

/// Says what kind of output `name` is by the schema of the Resource Type alone.
///
/// # Errors
/// [`NoOutput`] when a closed schema rules it out.
pub fn output_kind_of_type(res_type: &str, types: &ResourceTypes<'_>, name: &str) -> Result<OutputKind, NoOutput> {
    let Some(info) = types.get(res_type) else { return Ok(OutputKind::Unknown) };
    let part = |part: &str| info.outputs_schema.get("properties")?.get(part)?.as_object();
    let listed = |part: Option<&Map<String, Value>>| {
        let properties = part?.get("properties")?.as_object()?;
        Some(properties.keys().cloned().collect::<Vec<String>>())
    };
    let (values, secrets) = (part("values"), part("secrets"));
    let (value_names, secret_names) = (listed(values).unwrap_or_default(), listed(secrets).unwrap_or_default());
    if value_names.iter().any(|known| known == name) {
        return Ok(OutputKind::Value);
    }
    if secret_names.iter().any(|known| known == name) {
        return Ok(OutputKind::Secret);
    }
    let is_closed = |part: Option<&Map<String, Value>>| match part {
        None => true,
        Some(part) => part.get("additionalProperties") == Some(&Value::Bool(false)),
    };
    let lists_any = values.is_some() || secrets.is_some();
    let known = || {
        let mut known: Vec<String> = value_names.iter().chain(&secret_names).cloned().collect();
        known.sort();
        known
    };
    if lists_any && is_closed(values) && is_closed(secrets) {
        return Err(NoOutput {
            reason: format!("the Resource Type `{res_type}` has no output `{name}`"),
            known: known(),
        });
    }
    Ok(if lists_any { OutputKind::Unlisted } else { OutputKind::Unknown })
}

/// True for the Drivers whose outputs are their inputs (spec/drivers.md §5).
fn repeats_its_inputs(driver_type: &str) -> bool {
    matches!(driver_type, "humanitec/echo" | "humanitec/static")
}

fn echoed(definition: &ResourceDefinition, inputs: Option<&DriverInputs>, name: &str) -> Result<OutputKind, NoOutput> {
    if inputs.is_some_and(|inputs| inputs.values.contains_key(name)) {
        return Ok(OutputKind::Value);
    }
    if inputs.is_some_and(|inputs| inputs.secret_refs.contains_key(name)) {
        return Ok(OutputKind::Secret);
    }
    let mut known: Vec<String> =
        inputs.into_iter().flat_map(|inputs| inputs.values.keys().chain(inputs.secret_refs.keys())).cloned().collect();
    known.sort();
    Err(NoOutput { reason: format!("Definition `{}` gives no output `{name}`", definition.id), known })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;
    use crate::matching::tests::definition;
    use humctl_api_types::resource_type::ResourceTypeInfo;
    use serde_json::json;

    #[test]
    fn definitions_that_repeat_their_inputs_say_what_they_give() {
        let types = builtin::resource_types();
        let types = ResourceTypes::new(&types);
        let echo = definition(
            "pg-echo",
            "postgres",
            &json!({"driver_type": "humanitec/echo", "driver_inputs": {"values": {"host": "x"}, "secret_refs": {"pass": {"store": "s", "ref": "r"}}}}),
        );
        assert_eq!(output_kind(&echo, &NodeDriver::of(&echo), &types, "host"), Ok(OutputKind::Value));
        assert_eq!(output_kind(&echo, &NodeDriver::of(&echo), &types, "pass"), Ok(OutputKind::Secret));
        assert_eq!(output_kind(&echo, &NodeDriver::of(&echo), &types, "port").unwrap_err().known, ["host", "pass"]);
    }

    #[test]
    fn other_definitions_are_held_to_the_schema_of_their_type() {
        let closed: ResourceTypeInfo = serde_json::from_value(json!({
            "type": "acme/queue", "use": "direct", "outputs_schema": {"properties": {
                "values": {"properties": {"url": {"type": "string"}}, "additionalProperties": false},
                "secrets": {"properties": {"token": {"type": "string"}}, "additionalProperties": false}}}}))
        .unwrap();
        let mut types = builtin::resource_types();
        types.push(closed);
        let types = ResourceTypes::new(&types);
        let kind = |res_type: &str, output: &str| {
            let definition = definition("def", res_type, &json!({"driver_type": "humanitec/terraform"}));
            output_kind(&definition, &NodeDriver::of(&definition), &types, output)
        };
        for (res_type, output, expected) in [
            ("postgres", "host", OutputKind::Value),
            ("postgres", "password", OutputKind::Secret),
            ("s3", "arn", OutputKind::Unlisted),
            ("config", "anything", OutputKind::Unknown),
            ("acme/unregistered", "anything", OutputKind::Unknown),
            ("acme/queue", "url", OutputKind::Value),
            ("acme/queue", "token", OutputKind::Secret),
        ] {
            assert_eq!(kind(res_type, output), Ok(expected), "{res_type} {output}");
        }
        assert_eq!(kind("acme/queue", "nope").unwrap_err().known, ["token", "url"]);
    }
}
