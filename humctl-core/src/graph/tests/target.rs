//! The target graph: what is needed to know where to deploy.

use serde_json::json;

use crate::builtin;
use crate::context::tests::{context, key};
use crate::graph::ResourceTypes;
use crate::graph::build::{GraphInput, target_graph};
use crate::matching::Definitions;
use crate::matching::tests::definition;

#[test]
fn the_runtime_cluster_is_not_needed_to_write_to_git() {
    let types = builtin::resource_types();
    let context = context();
    let definitions = [
        definition(
            "git-target",
            "k8s-cluster",
            &json!({"criteria": [{"app_id": "shop"}], "provision": {"k8s-cluster#k8s-cluster-runtime": {}}}),
        ),
        definition(
            "gke-runtime",
            "k8s-cluster",
            &json!({"criteria": [{"res_id": "k8s-cluster-runtime"}], "driver_inputs": {
                "secret_refs": {"agent_url": {"value": "${resources['agent#agent'].outputs.url}"}},
            }}),
        ),
        definition("ns-echo", "k8s-namespace", &json!({"criteria": [{}]})),
    ];
    let definitions = Definitions::new(&definitions);
    let types = ResourceTypes::new(&types);
    let graph = target_graph(GraphInput::new(&context, &definitions, &types)).into_result().unwrap();
    assert!(graph.find(&key("k8s-cluster.default#k8s-cluster-runtime")).is_some());
    assert_eq!(graph.warnings.len(), 1);
    assert!(graph.warnings[0].contains("no Resource Definition matches `agent.default#agent`"), "{:?}", graph.warnings);
}

#[test]
fn without_a_cluster_definition_the_error_says_what_to_add() {
    let types = builtin::resource_types();
    let context = context();
    let definitions = [
        definition("git-prod", "k8s-cluster", &json!({"criteria": [{"app_id": "shop", "env_type": "production"}]})),
        definition("ns-echo", "k8s-namespace", &json!({"criteria": [{}]})),
    ];
    let definitions = Definitions::new(&definitions);
    let types = ResourceTypes::new(&types);
    let found = target_graph(GraphInput::new(&context, &definitions, &types)).into_result().unwrap_err();
    insta::assert_snapshot!(found[0].to_string(), @"
    environment `shop/development` has no deployment target: no Resource Definition matches `k8s-cluster.default#k8s-cluster`
      context: org `acme`, app_id `shop`, env_id `development`, env_type `development`
      closest: `git-prod` asks for env_type `production`, here it is `development`
      hint: add Matching Criteria to a Definition of type `k8s-cluster`, for instance {app_id: shop, env_type: development}
    ");
}
