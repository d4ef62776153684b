//! Graphs from small Definitions: shared helpers, and a file for each subject.

mod cycles;
mod errors;
mod laws;
mod patterns;
mod pins;
mod provision;
mod selectors;
mod target;
mod worked_example;

use std::collections::BTreeSet;

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::set::DeploymentSet;
use serde_json::{Value, json};

use crate::builtin;
use crate::context::tests::context;
use crate::graph::build::{GraphInput, main_graph};
use crate::graph::{PlanError, Reason, ResourceGraph, ResourceTypes, SetIndex};
use crate::matching::Definitions;
use crate::matching::tests::definition;

fn set(value: Value) -> DeploymentSet {
    serde_json::from_value(value).unwrap()
}

fn refers(text: &str) -> Value {
    json!({"values": {"x": text}})
}

/// One line a node: wave, key, Definition, score, `GUResID`, then its producers.
fn listing(graph: &ResourceGraph<'_>) -> String {
    graph
        .nodes
        .iter()
        .map(|node| {
            let edges: String = node
                .depends_on
                .iter()
                .map(|(key, reasons)| {
                    let reasons: BTreeSet<_> = reasons.iter().map(Reason::kind).collect();
                    let reasons: Vec<_> = reasons.into_iter().collect();
                    format!("\n    -> {key} ({})", reasons.join(", "))
                })
                .collect();
            format!(
                "{} {} {} {} {}{edges}\n",
                node.wave,
                node.key,
                node.rule.definition.id,
                node.rule.score(),
                node.guresid
            )
        })
        .collect()
}

fn run<T>(
    definitions: &[ResourceDefinition],
    set: &DeploymentSet,
    f: impl FnOnce(Result<ResourceGraph<'_>, Vec<PlanError>>) -> T,
) -> T {
    let types = builtin::resource_types();
    let context = context();
    let (definitions, types) = (Definitions::new(definitions), ResourceTypes::new(&types));
    let input = GraphInput::new(&context, &definitions, &types);
    f(main_graph(input, &SetIndex::new(set).unwrap()).into_result())
}

fn errors(definitions: &[ResourceDefinition], set: &DeploymentSet) -> String {
    run(definitions, set, |result| {
        let errors = result.err().unwrap_or_default();
        errors.iter().map(|error| format!("{} {}: {error}\n", error.code(), error.object().1)).collect()
    })
}

/// Definitions from YAML: id → `{type, class?, uses: [text…], provision?}` and
/// whatever else a Definition has. The built-in ones are there too.
fn definitions(yaml: &str) -> Vec<ResourceDefinition> {
    let documents = crate::yaml::parse_documents(yaml).unwrap();
    let rows = documents[0].as_object().unwrap();
    let own = rows.iter().map(|(id, row)| {
        let mut rest = row.clone();
        let rest_map = rest.as_object_mut().unwrap();
        let res_type = rest_map.remove("type").unwrap();
        let class = rest_map.remove("class").unwrap_or(json!("default"));
        rest_map.entry("criteria").or_insert(json!([{ "class": class }]));
        if let Some(uses) = rest_map.remove("uses") {
            rest_map.insert("driver_inputs".to_owned(), json!({"values": {"uses": uses}}));
        }
        definition(id, res_type.as_str().unwrap(), &rest)
    });
    let org = context().org;
    own.chain(builtin::definitions(&org, &humctl_api_types::time::Timestamp::default())).collect()
}

/// One Workload `web` with these private resources: name → type or `type.class`.
fn web(externals: &[(&str, &str)]) -> DeploymentSet {
    let declared = externals.iter().map(|(name, kind)| {
        let (res_type, class) = kind.split_once('.').unwrap_or((kind, "default"));
        ((*name).to_owned(), json!({"type": res_type, "class": class}))
    });
    let externals: serde_json::Map<String, Value> = declared.collect();
    set(json!({"modules": {"web": {"spec": {}, "externals": externals}}}))
}

/// The edges, as `from -> to: kinds`, with `web/` for `modules.web.externals.`.
fn edges(graph: &ResourceGraph<'_>) -> Vec<String> {
    let short = |key: &crate::context::ResourceKey| key.to_string().replace("modules.web.externals.", "web/");
    graph
        .nodes
        .iter()
        .flat_map(|node| {
            node.depends_on.iter().map(move |(to, reasons)| {
                let kinds: BTreeSet<_> = reasons.iter().map(Reason::kind).collect();
                let kinds: Vec<_> = kinds.into_iter().collect();
                format!("{} -> {}: {}", short(&node.key), short(to), kinds.join(", "))
            })
        })
        .collect()
}

/// The edges of a graph that has no errors.
fn planned(yaml: &str, set: &DeploymentSet) -> Vec<String> {
    run(&definitions(yaml), set, |graph| edges(&graph.unwrap()))
}
