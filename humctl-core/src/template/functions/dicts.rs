//! Mappings. `set`, `unset` and the merges change the mapping that they are
//! given, for everybody who holds it, as in Sprig; keys come out sorted, where
//! Sprig leaves their order to chance.

use std::rc::Rc;

use super::Param::{Any, Map as MapParam, Text};
use super::strings::to_string;
use super::{Args, Function, exact, open};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::value::{Item, List, Map, Value, hidden};

pub(super) const FUNCTIONS: &[Function] = &[
    open("dict", &[], Any, dict),
    exact("get", &[MapParam, Text], |args, _| {
        Ok(args.map(0).and_then(|map| map.get(args.text(1))).unwrap_or_else(|| Value::text("")))
    }),
    exact("set", &[MapParam, Text, Any], set),
    exact("unset", &[MapParam, Text], |args, _| {
        if let Some(map) = args.map(0) {
            map.remove(args.text(1));
        }
        Ok(args.any(0).clone())
    }),
    exact("hasKey", &[MapParam, Text], |args, _| {
        Ok(Value::Bool(args.map(0).is_some_and(|map| map.get(args.text(1)).is_some())))
    }),
    open("pluck", &[Text], MapParam, |args, _| {
        let maps = args.from(1).iter().filter_map(as_map);
        Ok(Value::list(maps.filter_map(|map| map.get(args.text(0))).collect()))
    }),
    open("keys", &[], MapParam, |args, _| {
        let entries = args.from(0).iter().filter_map(as_map).flat_map(Map::entries);
        Ok(Value::texts(entries.map(|(key, _)| key)))
    }),
    exact("values", &[MapParam], |args, _| {
        let entries = args.map(0).map(Map::entries).unwrap_or_default();
        Ok(Value::list(entries.into_iter().map(|(_, value)| value).collect()))
    }),
    open("pick", &[MapParam], Text, |args, _| Ok(filtered(args, true))),
    open("omit", &[MapParam], Text, |args, _| Ok(filtered(args, false))),
    open("merge", &[MapParam], MapParam, |args, machine| merge(args, false, machine)),
    open("mustMerge", &[MapParam], MapParam, |args, machine| merge(args, false, machine)),
    open("mergeOverwrite", &[MapParam], MapParam, |args, machine| merge(args, true, machine)),
    open("mustMergeOverwrite", &[MapParam], MapParam, |args, machine| merge(args, true, machine)),
    exact("deepCopy", &[Any], |args, machine| deep_copy(args.any(0), machine, 0)),
    exact("mustDeepCopy", &[Any], |args, machine| deep_copy(args.any(0), machine, 0)),
    open("dig", &[], Any, dig),
];

fn as_map(value: &Value) -> Option<&Map> {
    match value {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

fn dict(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut entries: Vec<(Rc<str>, Value)> = Vec::new();
    for pair in args.from(0).chunks(2) {
        let key = to_string(&pair[0], machine)?.known()?;
        entries.push((Rc::from(key), pair.get(1).cloned().unwrap_or_else(|| Value::text(""))));
    }
    Ok(Value::Map(Map::new(entries)))
}

fn set(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let Some(map) = args.map(0) else { return Err(Failure::new("assignment to entry in nil map")) };
    if contains(args.any(2), map, machine, 0)? {
        return Err(Failure::new("a mapping cannot hold itself"));
    }
    map.insert(Rc::from(args.text(1)), args.any(2).clone());
    Ok(args.any(0).clone())
}

/// True when `map` is somewhere in `value`.
fn contains(value: &Value, map: &Map, machine: &mut Machine<'_>, depth: usize) -> Outcome<bool> {
    machine.descend(depth)?;
    match value {
        Value::Map(inner) if inner.is_same(map) => Ok(true),
        Value::Map(inner) => any_contains(inner.entries().iter().map(|(_, item)| item), map, machine, depth),
        Value::List(list) => any_contains(list.values().iter(), map, machine, depth),
        _ => Ok(false),
    }
}

fn any_contains<'v>(
    items: impl Iterator<Item = &'v Value>,
    map: &Map,
    machine: &mut Machine<'_>,
    depth: usize,
) -> Outcome<bool> {
    for item in items {
        if contains(item, map, machine, depth + 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The entries whose keys are named, or those whose keys are not.
fn filtered(args: &Args, keeps_named: bool) -> Value {
    let is_named = |key: &str| args.from(1).iter().any(|name| matches!(name, Value::Text(name) if **name == *key));
    let entries = args.map(0).map(Map::entries).unwrap_or_default();
    Value::Map(Map::new(entries.into_iter().filter(|(key, _)| is_named(key) == keeps_named)))
}

fn merge(args: &Args, overwrites: bool, machine: &mut Machine<'_>) -> Outcome<Value> {
    let target = args.map(0).cloned().unwrap_or_else(|| Map::new([]));
    for source in args.from(1) {
        // A copy, so that no mapping ends up inside itself.
        if let Value::Map(source) = deep_copy(source, machine, 0)? {
            merge_into(&target, &source, overwrites, machine, 0)?;
        }
    }
    Ok(Value::Map(target))
}

/// `mergo`: what is empty in the target is taken from the source, mappings are
/// merged one by one.
fn merge_into(target: &Map, source: &Map, overwrites: bool, machine: &mut Machine<'_>, depth: usize) -> Outcome<()> {
    machine.descend(depth)?;
    for (key, value) in source.entries() {
        machine.spend(1)?;
        let old = target.get(&key);
        match (&old, &value) {
            (_, Value::Nil) if !overwrites => continue,
            // A mapping is merged into a mapping, and takes the place of nothing else.
            (Some(old), Value::Map(new)) if old.truth()? => {
                if let Value::Map(old) = old {
                    merge_into(old, new, overwrites, machine, depth + 1)?;
                }
                continue;
            }
            _ => {}
        }
        let is_open = match &old {
            None => true,
            Some(old) => overwrites || !old.truth()?,
        };
        if is_open {
            target.insert(key, value);
        }
    }
    Ok(())
}

pub(super) fn deep_copy(value: &Value, machine: &mut Machine<'_>, depth: usize) -> Outcome<Value> {
    machine.descend(depth)?;
    Ok(match value {
        Value::List(list) if list.is_nil() => value.clone(),
        Value::List(list) => {
            let copies: Outcome<Vec<Value>> =
                list.values().iter().map(|item| deep_copy(item, machine, depth + 1)).collect();
            Value::List(List::of(list.item(), copies?))
        }
        Value::Map(map) => {
            let copies: Outcome<Vec<(Rc<str>, Value)>> =
                map.entries().into_iter().map(|(key, item)| Ok((key, deep_copy(&item, machine, depth + 1)?))).collect();
            Value::Map(Map::of(map.item(), copies?))
        }
        other => other.clone(),
    })
}

fn dig(args: &Args, _: &mut Machine<'_>) -> Outcome<Value> {
    let [keys @ .., default, map] = args.from(0) else {
        return Err(Failure::new("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(Failure::new("dig needs at least three arguments"));
    }
    let mut value = map.clone();
    for key in keys {
        let map = match &value {
            Value::Map(map) if map.item() == Item::Any => map.clone(),
            Value::Hidden(_) => return Err(hidden()),
            other => return Err(conversion(other, "map[string]interface {}")),
        };
        let Value::Text(key) = key else { return Err(conversion(key, "string")) };
        match map.get(key) {
            Some(found) => value = found,
            None => return Ok(default.clone()),
        }
    }
    Ok(value)
}

fn conversion(value: &Value, expected: &str) -> Failure {
    let found = if value.is_nil() { "nil".to_owned() } else { value.type_name() };
    Failure::new(format!("interface conversion: interface {{}} is {found}, not {expected}"))
}
