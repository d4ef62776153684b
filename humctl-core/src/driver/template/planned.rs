//! What templates made while planning, for whoever has to make it for good: the
//! same inputs make the same, so that nothing is rendered twice.
//!
//! *Invariant.* [`Planned::made_of`] gives what [`make`](super::make) would. It
//! knows only runs in which each part was known and nothing was drawn at
//! random, so that no secret was printed but as a secret output that is one
//! reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use humctl_api_types::id::Guresid;
use serde_json::{Map, Value};

use super::{Made, SettledCall};

/// A run of the templates of a Definition.
pub struct Planned {
    /// Settled as [`SettledCall`] has them; there was no cookie.
    values: Map<String, Value>,
    secrets: Value,
    resource: Value,
    made: Made,
}

/// Runs by `GUResID`.
pub type PlannedById = Arc<BTreeMap<Guresid, Planned>>;

impl std::fmt::Debug for Planned {
    /// Shows nothing, as [`Made`] does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Planned(…)")
    }
}

impl Planned {
    /// Keeps a run, unless there is something in it that stands for something
    /// else, or looks as if it did: settled values write that in another way.
    pub(super) fn new(values: Map<String, Value>, secrets: Value, resource: Value, made: Made) -> Option<Self> {
        let Made { values: outputs, secrets: _, manifests, cookie } = &made;
        let is_plain =
            [&values, outputs, manifests].into_iter().all(are_plain) && is_plain(&resource) && is_plain(cookie);
        is_plain.then_some(Self { values, secrets, resource, made })
    }

    /// What comes of these inputs, if it is known.
    #[must_use]
    pub fn made_of(&self, call: &SettledCall<'_>) -> Option<&Made> {
        let is_same = call.cookie.is_null()
            && call.values.as_object() == Some(&self.values)
            && *call.secrets == self.secrets
            && *call.resource == self.resource;
        is_same.then_some(&self.made)
    }
}

/// True when no key of it could make a reference node.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(object) => are_plain(object),
        Value::Array(items) => items.iter().all(is_plain),
        _ => true,
    }
}

pub(super) fn are_plain(object: &Map<String, Value>) -> bool {
    object.iter().all(|(key, item)| !key.starts_with('$') && is_plain(item))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{make, plan, reference_nodes};
    use super::*;
    use crate::driver::DriverCall;
    use crate::template::{Random, Value as TemplateValue};

    /// What is planned and what is made for good of `templates`, with `changed`
    /// in the place of some inputs then.
    fn both(templates: &Value, changed: &Value) -> (Option<Made>, Made) {
        let mut inputs = json!({
            "values": {"templates": templates, "n": 1, "odd": {"name": "x"}},
            "secrets": {"pw": {"store": "vault", "ref": "pw"}, "more": {"a": {"store": "vault", "ref": "a"}}},
            "resource": {"host": "h"},
        });
        let object = |value: &Value| value.as_object().unwrap().clone();
        let call = DriverCall {
            values: object(&inputs["values"]),
            secret_refs: object(&inputs["secrets"]),
            resource: TemplateValue::from_json(&inputs["resource"]),
            guresid: "abc".to_owned(),
            ..DriverCall::default()
        };
        let planned = plan(call, Some(inputs["resource"].clone())).ok().and_then(|(_, planned)| planned);
        for (pointer, value) in changed.as_object().into_iter().flatten() {
            *inputs.pointer_mut(pointer).unwrap() = value.clone();
        }
        let call = SettledCall {
            values: &inputs["values"],
            secrets: &reference_nodes(inputs["secrets"].as_object().unwrap()),
            resource: &inputs["resource"],
            guresid: "abc",
            cookie: &Value::Null,
            random: &mut Random::seeded([7; 32]),
        };
        (planned.and_then(|planned| planned.made_of(&call).cloned()), make(call).unwrap())
    }

    #[test]
    fn what_is_planned_is_what_is_made() {
        let manifest = json!({"m": {"location": "namespace", "data": {"kind": "X", "host": "{{ .resource.host }}"}}});
        for (templates, is_planned) in [
            (json!({"outputs": "n: {{ .driver.values.n }}\nid: {{ .id }}"}), true),
            (json!({"init": "a: 1", "outputs": "a: {{ .init.a }}", "manifests": manifest}), true),
            (json!({"outputs": "a: 1", "cookie": "b: {{ .outputs.values.a }}"}), true),
            (json!({"secrets": "pw: {{ .driver.secrets.pw }}\nmore: {{ .driver.secrets.more | toRawJson }}"}), true),
            (json!({"outputs": "{{ $_ := set .driver.values \"n\" 2 }}a: {{ .driver.values.n }}"}), true),
            // What only the Deployment knows.
            (json!({"outputs": "a: 1", "secrets": "url: u:{{ .driver.secrets.pw }}"}), false),
            (json!({"outputs": "a: 1", "secrets": "pw: made-here"}), false),
            (json!({"outputs": "a: {{ .driver.secrets.pw }}"}), false),
            (json!({"outputs": "a: {{ randAlphaNum 8 }}"}), false),
            (json!({"init": "{{ randAlphaNum 8 }}", "outputs": "a: {{ typeOf .init }}"}), false),
            (json!({"outputs": "a: 1", "cookie": "{{ randAlphaNum 8 }}"}), false),
            (
                json!({"outputs": "a: 1", "manifests": {"m": {"location": "namespace", "data": {"x": "{{ .driver.secrets.pw }}"}}}}),
                false,
            ),
            // What looks like a reference.
            (json!({"outputs": "a: {$ref: x}"}), false),
            (json!({"secrets": "a: {$secretRef: {{ .driver.secrets.pw }}}"}), false),
            (json!({"outputs": "a: 1", "cookie": "$lit: 1"}), false),
        ] {
            let (planned, made) = both(&templates, &json!({}));
            assert_eq!(planned.is_some(), is_planned, "{templates}");
            assert!(planned.is_none_or(|planned| planned == made), "{templates}");
        }
    }

    #[test]
    fn other_inputs_are_made_for_themselves() {
        let templates = json!({"outputs": "a: {{ .driver.values.n }}"});
        assert!(both(&templates, &json!({})).0.is_some());
        for changed in [
            json!({"/values/n": 2}),
            json!({"/values/odd": {"$lit": {"name": "x"}}}),
            json!({"/secrets/pw": {"store": "vault", "ref": "other"}}),
            json!({"/resource/host": {"$secretRef": {"store": "vault", "ref": "h"}}}),
        ] {
            assert!(both(&templates, &changed).0.is_none(), "{changed}");
        }
    }
}
