//! Resource selectors (spec/resource-model.md §7).

use serde_json::json;

use super::{definitions, planned, run, set, web};
use crate::builtin;
use crate::context::tests::{context, key};
use crate::graph::build::{GraphInput, main_graph};
use crate::graph::{ResourceTypes, SelectorDepth, SetIndex};
use crate::matching::Definitions;

/// What the first selector of the resource at `from` finds.
fn selected(yaml: &str, set: &humctl_api_types::set::DeploymentSet, from: &str) -> Vec<String> {
    run(&definitions(yaml), set, |graph| {
        let graph = graph.unwrap();
        let node = graph.find(&key(from)).unwrap();
        node.selected.values().next().unwrap().iter().map(ToString::to_string).collect()
    })
}

const BUCKETS: &str = "
    bucket: {type: s3, criteria: [{}, {class: rw}], provision: {aws-policy.one: {match_dependents: true}, aws-policy.two: {match_dependents: true}}}
    policy: {type: aws-policy, criteria: [{class: one}, {class: two}]}
    role: {type: aws-role, uses: ['${resources[\"SELECTOR\"].outputs.arn}']}
    wld: {type: workload, uses: ['${resources.aws-role.outputs.arn}']}
";

#[test]
fn filters_step_along_edges_from_the_anchor() {
    let set = web(&[("files", "s3"), ("more", "s3.rw")]);
    let policy = |class: &str, name: &str| format!("aws-policy.{class}#modules.web.externals.{name}");
    let all = [policy("one", "files"), policy("one", "more"), policy("two", "files"), policy("two", "more")];
    for (selector, expected) in [
        ("workload>aws-policy", all.to_vec()),
        ("workload>aws-policy.one", all[..2].to_vec()),
        ("workload>aws-policy#modules.web.externals.files", vec![policy("one", "files"), policy("two", "files")]),
        ("workload>aws-policy.@", vec![]),
        ("workload>gcs", vec![]),
        ("workload<s3", vec![]),
        ("workload>s3.@>aws-policy", vec![]),
        (
            "aws-policy.one#modules.web.externals.files<workload>s3.rw",
            vec!["s3.rw#modules.web.externals.more".to_owned()],
        ),
        ("base-env#base-env>s3", vec![]),
    ] {
        let yaml = BUCKETS.replace("SELECTOR", selector);
        assert_eq!(selected(&yaml, &set, "aws-role.default#modules.web"), expected, "{selector}");
    }
}

#[test]
fn a_selector_adds_edges_to_what_it_selects_only() {
    let yaml = BUCKETS.replace("SELECTOR", "workload>aws-policy.one");
    let edges = planned(&yaml, &web(&[("files", "s3")]));
    let of_role: Vec<&String> = edges.iter().filter(|edge| edge.starts_with("aws-role")).collect();
    assert_eq!(of_role, ["aws-role.default#modules.web -> aws-policy.one#web/files: selector"]);
}

#[test]
fn a_missing_anchor_selects_nothing_and_is_noted() {
    let yaml = BUCKETS.replace("SELECTOR", "gcs#nowhere>aws-policy");
    let definitions = definitions(&yaml);
    let (selected, warnings) = run(&definitions, &web(&[("files", "s3")]), |graph| {
        let graph = graph.unwrap();
        let node = graph.find(&key("aws-role.default#modules.web")).unwrap();
        (node.selected.values().next().unwrap().len(), graph.warnings.clone())
    });
    assert_eq!(selected, 0);
    assert_eq!(
        warnings,
        ["`aws-role.default#modules.web` selects from `gcs.default#nowhere`, which is not in the graph"]
    );
}

#[test]
fn equal_selectors_find_the_same_in_the_same_order() {
    let yaml = "
        name: {type: dns, provision: {ingress: {}}}
        way: {type: route}
        entry: {type: ingress, uses: ['${resources.dns<route.outputs.path}', '${resources.dns<route.outputs.port}', '${resources.dns<route.guresid}']}
    ";
    let set = set(json!({
        "modules": {"web": {"spec": {}, "externals": {
            "b": {"type": "route", "params": {"host": "${shared.dns.host}"}},
            "a": {"type": "route", "params": {"host": "${shared.dns.host}"}},
        }}},
        "shared": {"dns": {"type": "dns"}},
    }));
    assert_eq!(
        selected(yaml, &set, "ingress.default#shared.dns"),
        ["route.default#modules.web.externals.a", "route.default#modules.web.externals.b"]
    );
}

#[test]
fn transitive_selectors_see_what_is_further_away() {
    // Policies hang on the role here, which the Workload reaches through its service account.
    let yaml = "
        wld: {type: workload, uses: ['${resources.k8s-service-account.outputs.name}', '${resources[\"config#all\"].outputs.x}']}
        ksa: {type: k8s-service-account, uses: ['${resources.aws-policy.outputs.arn}']}
        policy: {type: aws-policy}
        all: {type: config, uses: ['${resources[\"workload#modules.web>aws-policy\"].outputs.arn}']}
    ";
    let definitions = definitions(yaml);
    let (types, context, set) = (builtin::resource_types(), context(), web(&[]));
    let (definitions, types) = (Definitions::new(&definitions), ResourceTypes::new(&types));
    for (selector_depth, n_found) in [(SelectorDepth::Direct, 0), (SelectorDepth::Transitive, 1)] {
        let input = GraphInput { selector_depth, ..GraphInput::new(&context, &definitions, &types) };
        let graph = main_graph(input, &SetIndex::new(&set).unwrap()).into_result().unwrap();
        let node = graph.find(&key("config.default#all")).unwrap();
        assert_eq!(node.selected.values().next().unwrap().len(), n_found, "{selector_depth:?}");
    }
}
