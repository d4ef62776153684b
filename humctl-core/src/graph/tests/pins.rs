//! Resources that are pinned to a version of their Definition
//! (spec/resource-model.md §1.6).

use super::{definitions, web};
use crate::builtin;
use crate::context::tests::{context, key};
use crate::graph::build::{GraphInput, main_graph};
use crate::graph::{ResourceTypes, SetIndex};
use crate::matching::{Definitions, Pin, PinnedDefinition, Pins};

/// Driver type of the database, warnings and errors, with a pin on it.
fn pinned_to(definition: PinnedDefinition) -> (String, Vec<String>, String) {
    let current = definitions("pg-now: {type: postgres, driver_type: acme/new}");
    let (types, context, set) = (builtin::resource_types(), context(), web(&[("db", "postgres")]));
    let (current, types) = (Definitions::new(&current), ResourceTypes::new(&types));
    let resource = key("postgres.default#modules.web.externals.db");
    let pins: Pins = [(resource.clone(), Pin { version: "v1".to_owned(), definition })].into_iter().collect();
    let input = GraphInput { pins: &pins, ..GraphInput::new(&context, &current, &types) };
    let built = main_graph(input, &SetIndex::new(&set).unwrap());
    let driver = built.result.find(&resource).unwrap().rule.definition.driver_type.clone();
    let errors = built.errors.iter().map(|error| format!("{} {error}", error.code())).collect();
    (driver, built.result.warnings, errors)
}

#[test]
fn a_pinned_resource_is_made_from_its_version() {
    let old = definitions("pg-now: {type: postgres, driver_type: acme/old}").remove(0);
    assert_eq!(pinned_to(PinnedDefinition::Usable(Box::new(old))), ("acme/old".to_owned(), vec![], String::new()));
}

#[test]
fn a_pin_of_another_definition_is_ignored_and_noted() {
    let other = definitions("pg-other: {type: postgres, driver_type: acme/old}").remove(0);
    let (driver, warnings, errors) = pinned_to(PinnedDefinition::Usable(Box::new(other)));
    assert_eq!((driver.as_str(), errors.as_str()), ("acme/new", ""));
    insta::assert_snapshot!(warnings.join("\n"), @"`postgres.default#modules.web.externals.db` is pinned to version v1 of Definition `pg-other`, but Definition `pg-now` matches it now, so the pin is ignored");
}

#[test]
fn an_archived_or_missing_version_is_an_error() {
    insta::assert_snapshot!(pinned_to(PinnedDefinition::Archived).2, @"
    PLN-010 `postgres.default#modules.web.externals.db` is pinned to version v1 of Definition `pg-now`, which is archived
      hint: pin it to another version, or to none
    ");
    assert!(pinned_to(PinnedDefinition::Missing).2.contains("which is missing"));
}
