//! Deltas merged into one another (spec/resource-model.md §1.11).
//!
//! A merged Delta does what its parts do one after the other, and is kept
//! simplified: a module that is added has no `update`, and a `remove` whose
//! scope is the Delta has done its work and is gone.

use humctl_api_types::delta::{DeltaRequest, PlainDelta, UpdateAction};
use humctl_api_types::set::Module;
use serde_json::{Value, json};

use crate::decode;
use crate::json;
use crate::set::{self, DeltaError};

/// Merges a Delta of a request into one that is there; the later one wins.
///
/// A later `remove` drops earlier `add` and `update` of that module; a later
/// `add` replaces earlier ones and takes back an earlier `remove`, which is all
/// that an `add` of null does.
///
/// # Errors
/// [`DeltaError`] when an `update` does not fit the module that the Delta adds.
pub fn merge(mut base: PlainDelta, later: &DeltaRequest) -> Result<PlainDelta, DeltaError> {
    let modules = &mut base.modules;
    for name in &later.modules.remove {
        modules.add.remove(name);
        modules.update.remove(name);
        if !modules.remove.contains(name) {
            modules.remove.push(name.clone());
        }
    }
    for (name, module) in &later.modules.add {
        modules.remove.retain(|removed| removed != name);
        if let Some(module) = module {
            modules.update.remove(name);
            modules.add.insert(name.clone(), module.clone());
        }
    }
    for (name, actions) in &later.modules.update {
        modules.update.entry(name.clone()).or_default().extend(actions.iter().cloned());
    }
    base.shared.extend(later.shared.iter().flatten().cloned());
    simplify(base)
}

/// Applies what can be applied inside the Delta.
fn simplify(mut delta: PlainDelta) -> Result<PlainDelta, DeltaError> {
    let updates = std::mem::take(&mut delta.modules.update);
    for (name, actions) in updates {
        if let Some(module) = delta.modules.add.get_mut(&name) {
            *module = updated(module, &actions, &name)?;
            continue;
        }
        let actions = without_scoped(actions);
        if !actions.is_empty() {
            delta.modules.update.insert(name, actions);
        }
    }
    delta.shared = without_scoped(delta.shared);
    Ok(delta)
}

fn updated(module: &Module, actions: &[UpdateAction], name: &str) -> Result<Module, DeltaError> {
    let place = format!("module `{name}`");
    let patched = set::patch(json::to_value(module), actions, &place)?;
    decode::tolerant(&patched).map_err(|error| DeltaError::Form { place, reason: error.to_string() })
}

/// True for a `remove` that takes back what the Delta itself does, and has no
/// effect on a Deployment Set.
fn is_scoped(action: &UpdateAction) -> bool {
    action.op == "remove" && action.value.as_ref() == Some(&json!({"scope": "delta"}))
}

/// Lets each scoped `remove` drop the earlier operations at or below its path.
fn without_scoped(actions: Vec<UpdateAction>) -> Vec<UpdateAction> {
    let mut kept: Vec<UpdateAction> = Vec::new();
    for action in actions {
        if is_scoped(&action) {
            let is_below = |path: &str| {
                path.strip_prefix(&action.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            kept.retain(|earlier| !is_below(&earlier.path));
        } else {
            kept.push(action);
        }
    }
    kept
}

/// Reads the operation of `humctl update delta`: a path that starts at the
/// Deployment Set becomes the Delta that does this one thing.
///
/// # Errors
/// A sentence that says which paths there are.
pub fn of_operation(op: &str, path: &str, value: Option<Value>) -> Result<DeltaRequest, String> {
    if !matches!(op, "add" | "remove" | "replace") {
        return Err(format!("operation `{op}` is none of add, remove, replace"));
    }
    if op != "remove" && value.is_none() {
        return Err(format!("operation `{op}` needs a value"));
    }
    let mut delta = DeltaRequest::default();
    let action = |path: &str, value| UpdateAction { op: op.to_owned(), path: path.to_owned(), value, from: None };
    if let Some(rest) = path.strip_prefix("/modules/") {
        let (name, inner) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let name = name.replace("~1", "/").replace("~0", "~");
        match (inner.is_empty(), op) {
            (false, _) => drop(delta.modules.update.insert(name, vec![action(inner, value)])),
            (true, "remove") => delta.modules.remove.push(name),
            (true, _) => {
                let module = decode::tolerant(&value.unwrap_or_default())
                    .map_err(|error| format!("the value is no module: {error}"))?;
                delta.modules.add.insert(name, Some(module));
            }
        }
        return Ok(delta);
    }
    match path.strip_prefix("/shared") {
        Some(rest) if rest.len() > 1 && rest.starts_with('/') => {
            delta.shared = Some(vec![action(rest, value)]);
            Ok(delta)
        }
        _ => Err(format!("path `{path}` starts with neither `/modules/NAME` nor `/shared/NAME`")),
    }
}

#[cfg(test)]
mod tests {
    use humctl_api_types::set::DeploymentSet;
    use proptest::prelude::*;

    use super::*;
    use crate::set::apply_delta;

    fn request(value: Value) -> DeltaRequest {
        serde_json::from_value(value).unwrap()
    }

    /// The Delta that the given ones become, as JSON.
    fn merged(deltas: &[Value]) -> Value {
        let merged = deltas.iter().try_fold(PlainDelta::default(), |base, delta| merge(base, &request(delta.clone())));
        json::to_value(&merged.unwrap())
    }

    #[test]
    fn a_later_delta_wins() {
        let module = |v: u8| json!({"profile": "p", "spec": {"v": v}, "externals": {}});
        let set_v = |v: u8| json!([{"op": "replace", "path": "/spec/v", "value": v}]);
        for (case, deltas, expected) in [
            (
                "remove drops add and update",
                vec![
                    json!({"modules": {"add": {"aa": module(1)}, "update": {"bb": set_v(1)}}}),
                    json!({"modules": {"remove": ["aa", "bb"]}}),
                ],
                json!({"add": {}, "remove": ["aa", "bb"], "update": {}}),
            ),
            (
                "add replaces add, drops update and takes back remove",
                vec![
                    json!({"modules": {"add": {"aa": module(1)}, "remove": ["bb"], "update": {"cc": set_v(1)}}}),
                    json!({"modules": {"add": {"aa": module(2), "bb": module(3), "cc": module(4)}}}),
                ],
                json!({"add": {"aa": module(2), "bb": module(3), "cc": module(4)}, "remove": [], "update": {}}),
            ),
            (
                "add of null only takes back remove",
                vec![
                    json!({"modules": {"remove": ["aa", "bb"], "update": {"cc": set_v(1)}}}),
                    json!({"modules": {"add": {"aa": null, "cc": null}}}),
                ],
                json!({"add": {}, "remove": ["bb"], "update": {"cc": set_v(1)}}),
            ),
            (
                "update of an added module is done there and then",
                vec![json!({"modules": {"add": {"aa": module(1)}}}), json!({"modules": {"update": {"aa": set_v(2)}}})],
                json!({"add": {"aa": module(2)}, "remove": [], "update": {}}),
            ),
            (
                "other updates are kept in order",
                vec![
                    json!({"modules": {"update": {"aa": set_v(1)}}}),
                    json!({"modules": {"update": {"aa": set_v(2)}}}),
                ],
                json!({"add": {}, "remove": [], "update": {"aa": [set_v(1)[0], set_v(2)[0]]}}),
            ),
            (
                "null lists are empty lists",
                vec![json!({"modules": {"add": null, "remove": null, "update": null}, "shared": null})],
                json!({"add": {}, "remove": [], "update": {}}),
            ),
        ] {
            assert_eq!(merged(&deltas)["modules"], expected, "{case}");
        }
    }

    #[test]
    fn a_scoped_remove_takes_back_and_disappears() {
        let scoped = |path: &str| json!({"op": "remove", "path": path, "value": {"scope": "delta"}});
        let add = |path: &str| json!({"op": "add", "path": path, "value": 1});
        let result = merged(&[
            json!({"shared": [add("/dns"), add("/dns/params"), add("/dns2")],
                   "modules": {"update": {"aa": [add("/spec/x")], "bb": [add("/spec/y")]}}}),
            json!({"shared": [scoped("/dns"), scoped("/absent")],
                   "modules": {"update": {"aa": [scoped("/spec/x")], "bb": [add("/spec/z"), scoped("/spec/y")]}}}),
        ]);
        assert_eq!(result["shared"], json!([add("/dns2")]));
        assert_eq!(result["modules"]["update"], json!({"bb": [add("/spec/z")]}));
        let added = merged(&[
            json!({"modules": {"add": {"aa": {"spec": {"x": 1, "y": 2}}}}}),
            json!({"modules": {"update": {"aa": [scoped("/spec/x")]}}}),
        ]);
        assert_eq!(added["modules"]["add"]["aa"]["spec"], json!({"y": 2}));
    }

    #[test]
    fn an_update_that_does_not_fit_an_added_module_is_an_error() {
        let base = merge(PlainDelta::default(), &request(json!({"modules": {"add": {"aa": {"spec": {}}}}}))).unwrap();
        let update = json!({"modules": {"update": {"aa": [{"op": "replace", "path": "/spec/x", "value": 1}]}}});
        let error = merge(base, &request(update)).unwrap_err();
        assert_eq!(error.to_string(), "module `aa`: `replace` at `/spec/x`: no such key to replace");
    }

    #[test]
    fn one_operation_becomes_a_delta() {
        let delta = |op: &str, path: &str, value: Option<Value>| {
            of_operation(op, path, value).map(|delta| {
                let merged = merge(PlainDelta::default(), &delta).unwrap();
                json::to_value(&merged)
            })
        };
        let removed = delta("remove", "/modules/web", None).unwrap();
        assert_eq!(removed["modules"]["remove"], json!(["web"]));
        let deep = delta("add", "/modules/web/spec/x~1y", Some(json!("a b"))).unwrap();
        assert_eq!(deep["modules"]["update"]["web"], json!([{"op": "add", "path": "/spec/x~1y", "value": "a b"}]));
        let shared = delta("add", "/shared/dns", Some(json!({"type": "dns"}))).unwrap();
        assert_eq!(shared["shared"], json!([{"op": "add", "path": "/dns", "value": {"type": "dns"}}]));
        let module = delta("add", "/modules/web", Some(json!({"spec": {"v": 1}}))).unwrap();
        assert_eq!(module["modules"]["add"]["web"]["spec"], json!({"v": 1}));
        for (op, path, value) in [
            ("move", "/modules/web", None),
            ("add", "/modules/web", None),
            ("add", "/modules/web", Some(json!([]))),
            ("remove", "/other", None),
            ("remove", "/shared", None),
            ("remove", "/sharedness/x", None),
        ] {
            assert!(of_operation(op, path, value).is_err(), "{op} {path}");
        }
    }

    /// Deltas over three modules whose specs have three keys. None of them
    /// touches `profile`, which the Set fills in between two Deltas.
    fn deltas() -> impl Strategy<Value = DeltaRequest> {
        let name = prop::sample::select(vec!["aa", "bb", "cc"]).prop_map(ToOwned::to_owned);
        let module = prop::collection::btree_map("[xyz]", 0..9_u8, 0..3)
            .prop_map(|spec| serde_json::from_value::<Module>(json!({"profile": "p", "spec": spec})).unwrap());
        let action =
            (prop::sample::select(vec!["add", "remove", "replace"]), "[xyz]", 0..9_u8).prop_map(|(op, key, v)| {
                UpdateAction { op: op.to_owned(), path: format!("/spec/{key}"), value: Some(json!(v)), from: None }
            });
        let shared = (prop::sample::select(vec!["add", "remove"]), "[xyz]").prop_map(|(op, key)| UpdateAction {
            op: op.to_owned(),
            path: format!("/{key}"),
            value: Some(json!({"type": "dns"})),
            from: None,
        });
        (
            prop::collection::btree_map(name.clone(), module.prop_map(Some), 0..3),
            prop::collection::vec(name.clone(), 0..2),
            prop::collection::btree_map(name, prop::collection::vec(action, 0..3), 0..2),
            prop::collection::vec(shared, 0..3),
        )
            .prop_map(|(add, remove, update, shared)| {
                let mut delta = DeltaRequest { shared: Some(shared), ..DeltaRequest::default() };
                (delta.modules.add, delta.modules.remove, delta.modules.update) = (add, remove, update);
                delta
            })
    }

    fn applied(set: &DeploymentSet, delta: &PlainDelta) -> Result<DeploymentSet, DeltaError> {
        apply_delta(set, &delta.modules, &delta.shared)
    }

    proptest! {
        #[test]
        fn merged_deltas_do_what_they_do_one_after_the_other(
            before in deltas(), first in deltas(), second in deltas(),
        ) {
            // A set that some Delta led to; an update of nothing may fail, and leads to the empty set.
            let set = merge(PlainDelta::default(), &before)
                .and_then(|delta| applied(&DeploymentSet::default(), &delta))
                .unwrap_or_default();
            let one_by_one = [&first, &second].into_iter().try_fold(set.clone(), |set, delta| {
                merge(PlainDelta::default(), delta).and_then(|delta| applied(&set, &delta))
            });
            // Nothing is promised for Deltas that do not fit one after the other.
            if let Ok(expected) = one_by_one {
                let together = merge(PlainDelta::default(), &first).and_then(|delta| merge(delta, &second)).unwrap();
                prop_assert_eq!(applied(&set, &together).unwrap(), expected);
            }
        }
    }
}
