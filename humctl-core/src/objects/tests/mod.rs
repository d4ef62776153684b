//! What must hold for every Workload, as tables: a row is a module, and what
//! becomes of it. Rows name the chapter of spec/score.md that they come from.

use serde_json::json;

use super::*;
use crate::context::tests::context;
use crate::yaml::parse_documents;

mod containers;
mod files;
mod jobs;
mod laws;
mod pods;
mod sample;
mod services;
mod settled;
mod side_by_side;
mod sizes;
mod values;
mod variables;

const MODULE: &str = "humanitec/default-module";
const JOB: &str = "humanitec/default-job";
const CRONJOB: &str = "humanitec/default-cronjob";

fn rendered(profile: &str, module: &Value, injected: &Injected) -> Result<Rendered, Vec<RenderError>> {
    named("shop", profile, module, injected)
}

fn named(name: &str, profile: &str, module: &Value, injected: &Injected) -> Result<Rendered, Vec<RenderError>> {
    let context = context();
    let module = module.as_object().unwrap();
    render(WorkloadInput { name, profile, context: &context, module, injected })
}

/// A module in YAML. It has a container `web` unless it says otherwise, and
/// every container has an image unless it says otherwise.
fn module(text: &str) -> Value {
    let mut module = parse_documents(text).unwrap().into_iter().next().unwrap_or_else(|| json!({}));
    if module.get("containers").is_none() {
        module["containers"] = json!({"web": {}});
    }
    for container in module["containers"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        if container.is_object() && container.get("image").is_none() {
            container["image"] = json!("img");
        }
    }
    module
}

fn ok(profile: &str, text: &str) -> Rendered {
    rendered(profile, &module(text), &Injected::default()).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"))
}

/// `KIND NAME` of every object.
fn listing(rendered: &Rendered) -> Vec<String> {
    rendered.objects.iter().map(|object| format!("{} {}", object.kind(), object.name())).collect()
}

/// The value at `KIND NAME /pointer`, null where there is none.
fn at(rendered: &Rendered, place: &str) -> Value {
    let mut parts = place.splitn(3, ' ');
    let mut next = || parts.next().unwrap();
    let (kind, name, pointer) = (next(), next(), next());
    let object = rendered.objects.iter().find(|object| object.kind() == kind && object.name() == name);
    let object = object.unwrap_or_else(|| panic!("no {kind} {name} in {:?}", listing(rendered)));
    object.0.pointer(pointer).cloned().unwrap_or_default()
}

/// The value at a pointer into the spec of the Pod of Deployment `shop`.
fn pod(rendered: &Rendered, pointer: &str) -> Value {
    at(rendered, &format!("Deployment shop /spec/template/spec{pointer}"))
}

/// Expected values in YAML.
fn yaml(text: &str) -> Value {
    parse_documents(text).unwrap().into_iter().next().unwrap_or_default()
}

/// Renders every row, and compares what is at its place.
fn check(profile: &str, rows: &[(&str, &str, &str, &str)]) {
    for (chapter, text, place, expected) in rows {
        assert_eq!(at(&ok(profile, text), place), yaml(expected), "{chapter}: {text}");
    }
}

/// Renders every row, and compares all that is wrong with it.
fn check_errors(profile: &str, rows: &[(&str, &str, &str)]) {
    for (chapter, text, expected) in rows {
        assert_eq!(errors(profile, text), *expected, "{chapter}: {text}");
    }
}

/// Errors of a module, `POINTER: MESSAGE` in lines.
fn errors(profile: &str, text: &str) -> String {
    let errors = rendered(profile, &module(text), &Injected::default()).expect_err(text);
    errors.iter().map(|error| format!("{}: {}", error.pointer, error.message)).collect::<Vec<_>>().join("\n")
}

/// Renders every row, and compares all that it is warned of.
fn check_warnings(profile: &str, rows: &[(&str, &str, &str)]) {
    for (chapter, text, expected) in rows {
        let warnings = ok(profile, text).warnings;
        let lines: Vec<String> = warnings.iter().map(|one| format!("{}: {}", one.pointer, one.message)).collect();
        assert_eq!(lines.join("\n"), *expected, "{chapter}: {text}");
    }
}
