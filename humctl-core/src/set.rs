//! Deployment Sets as values: their id, and a Delta applied to one.
//!
//! The rules are those of spec/resource-model.md §1.10–1.11: maps are lenient
//! (`remove` of a missing key does nothing), lists are strict (an index must
//! exist), and a whole module in `add` replaces one of the same name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use humctl_api_types::delta::{ModuleDeltas, UpdateAction};
use humctl_api_types::id::SetId;
use humctl_api_types::set::{DeployCondition, DeploymentSet, Module};
use serde_json::Value;

use crate::json;

/// Why a Delta does not fit a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// `update` names a module that is not there.
    #[error("update of module `{module}`: the Deployment Set has no such module")]
    UnknownModule {
        /// The module.
        module: String,
    },
    /// An operation that is none of the three.
    #[error("{place}: operation `{op}` is none of add, remove, replace")]
    UnknownOperation {
        /// Module or `shared`.
        place: String,
        /// The word found.
        op: String,
    },
    /// The path leads nowhere.
    #[error("{place}: `{op}` at `{path}`: {reason}")]
    Path {
        /// Module or `shared`.
        place: String,
        /// The operation.
        op: String,
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The patched value is no module or resource any more.
    #[error("{place}: after the update: {reason}")]
    Form {
        /// Module or `shared`.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The id of a set: SHA-256 over its RFC 8785 form, base64url; 43 zeros for
/// the empty set (spec/resource-model.md §1.10).
#[must_use]
pub fn set_id(set: &DeploymentSet) -> SetId {
    let text = if set.modules.is_empty() && set.shared.is_empty() {
        "0".repeat(43)
    } else {
        URL_SAFE_NO_PAD.encode(crate::hash::sha256(json::canonical(&json::to_value(set)).as_bytes()))
    };
    // 43 characters of the base64url alphabet always fit the pattern.
    SetId::new(text).unwrap_or_else(|_| unreachable!("a digest in base64url is a set id"))
}

/// Applies a Delta: `remove`, then `add`, then `update`, then `shared`.
///
/// # Errors
/// The first operation that does not fit.
pub fn apply_delta(
    set: &DeploymentSet,
    modules: &ModuleDeltas,
    shared: &[UpdateAction],
) -> Result<DeploymentSet, DeltaError> {
    let mut result = set.clone();
    for name in &modules.remove {
        result.modules.remove(name);
    }
    for (name, module) in &modules.add {
        result.modules.insert(name.clone(), normalized(module));
    }
    for (name, actions) in &modules.update {
        let place = format!("module `{name}`");
        let module = result.modules.get(name).ok_or_else(|| DeltaError::UnknownModule { module: name.clone() })?;
        let patched = patch(json::to_value(module), actions, &place)?;
        let module: Module = crate::decode::tolerant(&patched)
            .map_err(|error| DeltaError::Form { place: place.clone(), reason: error.to_string() })?;
        result.modules.insert(name.clone(), normalized(&module));
    }
    if !shared.is_empty() {
        let place = "shared".to_owned();
        let patched = patch(json::to_value(&result.shared), shared, &place)?;
        result.shared =
            crate::decode::tolerant(&patched).map_err(|error| DeltaError::Form { place, reason: error.to_string() })?;
    }
    Ok(result)
}

/// Fills what the API fills: a profile, and the words of a deploy condition.
pub(crate) fn normalized(module: &Module) -> Module {
    let mut module = module.clone();
    if module.profile.is_empty() {
        "humanitec/default-module".clone_into(&mut module.profile);
    }
    if let Some(DeployCondition { when, success, .. }) = &mut module.deploy {
        for word in [when, success] {
            if word.is_empty() {
                "deploy".clone_into(word);
            }
        }
    }
    module
}

/// Applies `add`, `remove` and `replace` operations to a value.
///
/// # Errors
/// The first operation that does not fit.
pub fn patch(mut value: Value, actions: &[UpdateAction], place: &str) -> Result<Value, DeltaError> {
    for action in actions {
        apply_action(&mut value, action, place)?;
    }
    Ok(value)
}

fn apply_action(root: &mut Value, action: &UpdateAction, place: &str) -> Result<(), DeltaError> {
    let fail =
        |reason| DeltaError::Path { place: place.to_owned(), op: action.op.clone(), path: action.path.clone(), reason };
    if !matches!(action.op.as_str(), "add" | "remove" | "replace") {
        return Err(DeltaError::UnknownOperation { place: place.to_owned(), op: action.op.clone() });
    }
    let Some(pointer) = action.path.strip_prefix('/') else {
        return Err(fail("a path starts with `/` and names something below the root"));
    };
    let mut keys: Vec<String> = pointer.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let last = keys.pop().unwrap_or_default();
    let mut parent = root;
    for key in &keys {
        parent = match parent {
            Value::Object(object) => object.get_mut(key).ok_or_else(|| fail("no such key on the way"))?,
            Value::Array(items) => key
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get_mut(index))
                .ok_or_else(|| fail("no such index on the way"))?,
            _ => return Err(fail("something on the way is neither mapping nor list")),
        };
    }
    let new_value = || action.value.clone().unwrap_or_default();
    match parent {
        Value::Object(object) => match action.op.as_str() {
            "add" => {
                object.insert(last, new_value());
            }
            "remove" => {
                object.remove(&last);
            }
            _ => *object.get_mut(&last).ok_or_else(|| fail("no such key to replace"))? = new_value(),
        },
        Value::Array(items) if last == "-" && action.op == "add" => items.push(new_value()),
        Value::Array(items) => {
            let index = last.parse::<usize>().ok().filter(|index| *index < items.len());
            let index = index.ok_or_else(|| fail("no such index in the list"))?;
            match action.op.as_str() {
                "add" => items.insert(index, new_value()),
                "remove" => drop(items.remove(index)),
                _ => items[index] = new_value(),
            }
        }
        _ => return Err(fail("the parent is neither mapping nor list")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(value: Value) -> DeploymentSet {
        serde_json::from_value(value).unwrap()
    }

    fn action(op: &str, path: &str, value: Value) -> UpdateAction {
        UpdateAction { op: op.into(), path: path.into(), value: Some(value), from: None }
    }

    #[test]
    fn the_empty_set_has_the_zero_id_and_order_does_not_matter() {
        assert_eq!(set_id(&DeploymentSet::default()).as_str(), "0".repeat(43));
        let one = set(json!({"modules": {"aa": {"profile": "p", "spec": {"x": 1, "y": 2.0}}}}));
        let two = set(json!({"modules": {"aa": {"spec": {"y": 2, "x": 1}, "profile": "p"}}}));
        assert_eq!(set_id(&one), set_id(&two));
        assert_eq!(set_id(&one).as_str().len(), 43);
    }

    #[test]
    fn a_delta_removes_adds_and_updates_in_that_order() {
        let base =
            set(json!({"modules": {"aa": {"spec": {"v": 1}}, "bb": {"spec": {}}}, "shared": {"dns": {"type": "dns"}}}));
        let modules: ModuleDeltas = serde_json::from_value(json!({
            "remove": ["bb", "absent"],
            "add": {"cc": {"spec": {"list": ["x"]}}},
            "update": {"cc": [{"op": "add", "path": "/spec/list/-", "value": "y"}], "aa": [{"op": "replace", "path": "/spec/v", "value": 2}]},
        }))
        .unwrap();
        let shared = [action("add", "/db", json!({"type": "postgres"})), action("remove", "/dns", Value::Null)];
        let result = apply_delta(&base, &modules, &shared).unwrap();
        assert_eq!(result.modules.keys().collect::<Vec<_>>(), ["aa", "cc"]);
        assert_eq!(Value::Object(result.modules["cc"].spec.clone()), json!({"list": ["x", "y"]}));
        assert_eq!(Value::Object(result.modules["aa"].spec.clone()), json!({"v": 2}));
        assert_eq!(result.modules["cc"].profile, "humanitec/default-module");
        assert_eq!(result.shared.keys().collect::<Vec<_>>(), ["db"]);
    }

    #[test]
    fn maps_are_lenient_and_lists_are_strict() {
        let value = json!({"m": {"a": 1}, "l": [1, 2]});
        let run = |op: &str, path: &str| patch(value.clone(), &[action(op, path, json!(9))], "x");
        assert_eq!(run("remove", "/m/zz").unwrap(), value);
        assert_eq!(run("add", "/m/a").unwrap()["m"]["a"], 9);
        assert!(run("replace", "/m/zz").is_err());
        assert_eq!(run("add", "/l/-").unwrap()["l"], json!([1, 2, 9]));
        assert_eq!(run("add", "/l/0").unwrap()["l"], json!([9, 1, 2]));
        assert!(run("add", "/l/2").is_err());
        assert!(run("remove", "/l/x").is_err());
        assert!(run("move", "/m/a").is_err());
        assert!(run("add", "").is_err());
        assert!(run("add", "/m/a/b").is_err());
    }

    #[test]
    fn an_update_of_an_unknown_module_is_an_error() {
        let modules: ModuleDeltas = serde_json::from_value(json!({"update": {"zz": []}})).unwrap();
        let error = apply_delta(&DeploymentSet::default(), &modules, &[]).unwrap_err();
        assert_eq!(error, DeltaError::UnknownModule { module: "zz".into() });
    }
}
