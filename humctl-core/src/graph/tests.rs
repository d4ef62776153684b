//! The worked example of spec/resource-model.md §13, and the errors.

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use serde_json::{Value, json};

use crate::builtin;
use crate::context::tests::{context, key};
use crate::graph::build::{GraphInput, main_graph, target_graph};
use crate::graph::{PlanError, ResourceGraph, ResourceTypes, SetIndex};
use crate::matching::Definitions;
use crate::matching::tests::definition;

fn set(value: Value) -> DeploymentSet {
    serde_json::from_value(value).unwrap()
}

fn worked_set() -> DeploymentSet {
    set(json!({
        "modules": {"api": {
            "profile": "humanitec/default-module",
            "spec": {
                "containers": {"main": {
                    "id": "main",
                    "image": "registry.example/api:1",
                    "variables": {"DB": "pg://${externals.db.host}:${externals.db.port}", "BUCKET": "${externals.files.bucket}"},
                }},
                "service": {"ports": {"www": {"protocol": "TCP", "service_port": 80, "container_port": 8080}}},
            },
            "externals": {
                "db": {"type": "postgres", "class": "default"},
                "files": {"type": "s3", "class": "rw"},
                "www": {"type": "route", "class": "default", "params": {"host": "${shared.public.host}", "path": "/", "port": 80}},
            },
        }},
        "shared": {"public": {"type": "dns", "class": "default"}},
    }))
}

fn refers(text: &str) -> Value {
    json!({"values": {"x": text}})
}

fn worked_definitions() -> Vec<ResourceDefinition> {
    let row = |id: &str, res_type: &str, criteria: Value, text: Option<&str>, provision: Value| {
        let mut rest = json!({ "criteria": [criteria], "provision": provision });
        if let Some(text) = text {
            rest["driver_inputs"] = refers(text);
        }
        definition(id, res_type, &rest)
    };
    let none = || json!({});
    vec![
        row("gitops-target", "k8s-cluster", json!({}), None, none()),
        row("ns-echo", "k8s-namespace", json!({}), None, none()),
        row("env-quota", "base-env", json!({}), Some("${resources['config#quota'].outputs.cpu}"), none()),
        row("quota-any", "config", json!({"res_id": "quota"}), None, none()),
        row("quota-shop", "config", json!({"res_id": "quota", "app_id": "shop"}), None, none()),
        row("wl-sa", "workload", json!({}), Some("${resources.k8s-service-account.outputs.name}"), none()),
        row("ksa", "k8s-service-account", json!({}), Some("${resources.aws-role.outputs.arn}"), none()),
        row("role", "aws-role", json!({}), Some("${resources.workload>aws-policy.outputs.arn}"), none()),
        row(
            "s3-rw",
            "s3",
            json!({"class": "rw"}),
            Some("${resources['s3.concrete'].outputs.bucket}"),
            json!({"aws-policy.s3-rw": {"is_dependent": false, "match_dependents": true}}),
        ),
        row("s3-bucket", "s3", json!({"class": "concrete"}), None, none()),
        row(
            "pol-s3-rw",
            "aws-policy",
            json!({"class": "s3-rw"}),
            Some("${resources['s3.concrete'].outputs.bucket}"),
            none(),
        ),
        row("pg-db", "postgres", json!({}), Some("${resources['postgres-instance#main'].outputs.host}"), none()),
        row("pg-any", "postgres-instance", json!({"res_id": "main"}), None, none()),
        row("pg-dev", "postgres-instance", json!({"res_id": "main", "env_type": "development"}), None, none()),
        row("dns-wild", "dns", json!({}), None, json!({"ingress": {}})),
        row(
            "ing",
            "ingress",
            json!({}),
            Some("${resources.dns.outputs.host} ${resources.dns<route.outputs.path}"),
            none(),
        ),
        row("route-echo", "route", json!({}), None, none()),
    ]
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
                    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
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
    f(main_graph(input, &SetIndex::new(set).unwrap()))
}

fn errors(definitions: &[ResourceDefinition], set: &DeploymentSet) -> String {
    run(definitions, set, |result| {
        let errors = result.err().unwrap_or_default();
        errors.iter().map(|error| format!("{} {}: {error}\n", error.code(), error.object().1)).collect()
    })
}

#[test]
fn the_worked_example_has_its_nodes_definitions_edges_waves_and_ids() {
    run(&worked_definitions(), &worked_set(), |graph| {
        insta::assert_snapshot!(listing(&graph.unwrap()), @"
        0 config.default#quota quota-shop 10 776eaf0468980d0e9754af1aa20bc580b8547755
        0 dns.default#shared.public dns-wild 0 20d175516afe37159408980c75d238303dbddf57
        0 postgres-instance.default#main pg-dev 9 54172ec7766846c8d3cb78b7edea1dabef01d959
        0 s3.concrete#modules.api.externals.files s3-bucket 0 349755248701bbb59097634e6bb13e8cb82f2c11
        1 aws-policy.s3-rw#modules.api.externals.files pol-s3-rw 0 a2ed1ff35a75deeb2a8e088afc9cefa7b458c6f1
            -> s3.concrete#modules.api.externals.files (reference)
        1 base-env.default#base-env env-quota 0 f5d1120a1244a32606a3951b5abd5b16bc3cc0ef
            -> config.default#quota (reference)
        1 postgres.default#modules.api.externals.db pg-db 0 6443b8369f8d85f342fb4078c9a4aaf18b636d24
            -> postgres-instance.default#main (reference)
        1 route.default#modules.api.externals.www route-echo 0 29aaf284ab7b789a138158ffb1769ff174cd456a
            -> dns.default#shared.public (params)
        1 s3.rw#modules.api.externals.files s3-rw 0 67e77cb4217f79336e44d63378a8db141c6a7044
            -> s3.concrete#modules.api.externals.files (reference)
        2 aws-role.default#modules.api role 0 47623b6b4757148510026ed3a4bf1a24d7012072
            -> aws-policy.s3-rw#modules.api.externals.files (selector)
        2 ingress.default#shared.public ing 0 f8dddd86daaf98bb488c830cb3ab7f53e060d455
            -> dns.default#shared.public (reference)
            -> route.default#modules.api.externals.www (selector)
        3 k8s-service-account.default#modules.api ksa 0 bcd1eaac679235827368a2888b78815c73c1b14b
            -> aws-role.default#modules.api (reference)
        4 workload.default#modules.api wl-sa 0 36ba752d475b522a0bd43ea59d7fe299dc6485b2
            -> aws-policy.s3-rw#modules.api.externals.files (match-dependents)
            -> dns.default#shared.public (placeholder)
            -> k8s-service-account.default#modules.api (reference)
            -> postgres.default#modules.api.externals.db (declared, placeholder)
            -> route.default#modules.api.externals.www (declared)
            -> s3.rw#modules.api.externals.files (declared, placeholder)
        ");
    });
}

#[test]
fn the_graph_does_not_depend_on_the_order_of_the_definitions() {
    let expected = run(&worked_definitions(), &worked_set(), |graph| listing(&graph.unwrap()));
    let mut definitions = worked_definitions();
    for _ in 0..definitions.len() {
        definitions.rotate_left(1);
        let found = run(&definitions, &worked_set(), |graph| listing(&graph.unwrap()));
        assert_eq!(found, expected);
    }
    definitions.reverse();
    assert_eq!(run(&definitions, &worked_set(), |graph| listing(&graph.unwrap())), expected);
}

#[test]
fn a_circle_is_shown_from_its_smallest_element() {
    let mut definitions = worked_definitions();
    for definition in &mut definitions {
        if definition.id.as_str() == "role" {
            definition.driver_inputs = serde_json::from_value(refers("${resources.workload.outputs.x}")).unwrap();
        }
    }
    insta::assert_snapshot!(errors(&definitions, &worked_set()), @"
    PLN-009 aws-role.default#modules.api: the resources need each other in a circle: aws-role.default#modules.api -[reference]-> workload.default#modules.api -[reference]-> k8s-service-account.default#modules.api -[reference]-> aws-role.default#modules.api
      hint: move what they share into a third resource, for instance of type `config`
    ");
}

#[test]
fn the_minimal_case_has_two_resources() {
    let definitions = builtin::definitions(&context().org, &Timestamp::default());
    let set = set(json!({"modules": {"hello-world": {"spec": {"containers": {"hello-world": {"image": "busybox"}}}}}}));
    run(&definitions, &set, |graph| {
        let keys: Vec<String> = graph.unwrap().nodes.iter().map(|node| node.key.to_string()).collect();
        assert_eq!(keys, ["base-env.default#base-env", "workload.default#modules.hello-world"]);
    });
}

#[test]
fn all_errors_are_reported_at_once_sorted() {
    let set = set(json!({
        "modules": {"api": {
            "spec": {"containers": {"main": {"variables": {
                "A": "${externals.nope.host}", "B": "${nope.x}", "C": "${context.res.id}", "D": "${externals.db}", "E": "${unclosed",
                "F": "${modules.web.service.name}",
            }, "args": ["${anything goes"]}}},
            "externals": {
                "db": {"type": "postgress"},
                "cluster": {"type": "k8s-cluster"},
                "files": {"type": "s3", "class": "ro"},
            },
        }},
        "shared": {"dns": {"type": "dns", "params": {"x": "${externals.db.host}"}}},
    }));
    let mut definitions = worked_definitions();
    definitions.push(definition("dns-twin", "dns", &json!({"criteria": [{}]})));
    definitions.push(definition(
        "base-bad",
        "base-env",
        &json!({"criteria": [{"app_id": "shop"}], "driver_inputs": {
            "values": {"x": "${values.X}"},
            "secret_refs": {"a": {"b": {"store": "humanitec", "ref": "defs/base-bad/a/b", "version": "1"}}},
        }}),
    ));
    insta::assert_snapshot!(errors(&definitions, &set), @"
    PLN-001 s3.ro#modules.api.externals.files: no Resource Definition matches `s3.ro#modules.api.externals.files` in environment `shop/development`
      closest: `s3-bucket` asks for class `concrete`, here it is `ro`
      closest: `s3-rw` asks for class `rw`, here it is `ro`
      hint: add Matching Criteria to a Definition of type `s3`, for instance {class: ro}
    PLN-002 dns.default#shared.dns: `dns.default#shared.dns` is matched by the same rule of `dns-twin` and `dns-wild`
      hint: change the Matching Criteria of all but one
    PLN-003 k8s-cluster.default#modules.api.externals.cluster: a Workload cannot ask for `k8s-cluster.default#modules.api.externals.cluster`: the type `k8s-cluster` is implicit
      hint: every Deployment has it already
    PLN-003 postgress.default#modules.api.externals.db: `postgress` is no Resource Type
      hint: did you mean `postgres`?
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/B`: placeholder `${nope.x}`: nothing is called `nope` here; known are `context`, `values`, `externals`, `shared`, `modules`, `pod`, `containers`, `resources`
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/C`: placeholder `${context.res.id}`: `context.res` exists only in Resource Definitions
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/D`: placeholder `${externals.db}`: it names no output; add one, as in `.host`
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/E`: placeholder `${unclosed}`: it has no closing `}`
    PLN-004 base-env.default#base-env: Definition `base-bad` at `/driver_inputs/values/x`, matched for `base-env.default#base-env`: placeholder `${values.X}`: a Resource Definition knows only `context` and `resources`
    PLN-004 shared.dns: shared resource `dns` at `/params/x`: placeholder `${externals.db.host}`: a shared resource has no `externals`; name the Workload: `modules.W.externals.N`
    PLN-005 api: Workload `api` at `/spec/containers/main/variables/A`: placeholder `${externals.nope.host}`: Workload `api` declares no resource `nope`
      hint: known here: `cluster`, `db`, `files`
    PLN-005 api: Workload `api` at `/spec/containers/main/variables/F`: placeholder `${modules.web.service.name}`: there is no Workload `web`
      hint: known here: `api`
    PLN-013 base-env.default#base-env: Definition `base-bad`, matched for `base-env.default#base-env`, holds secret values, and values are never written to Git:
      /driver_inputs/secrets/a/b
      hint: name them in a secret store instead, as secret_refs with `store` and `ref`
    ");
}

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
    let graph = target_graph(GraphInput::new(&context, &definitions, &types)).unwrap();
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
    let found = target_graph(GraphInput::new(&context, &definitions, &types)).unwrap_err();
    insta::assert_snapshot!(found[0].to_string(), @"
    environment `shop/development` has no deployment target: no Resource Definition matches `k8s-cluster.default#k8s-cluster`
      context: org `acme`, app_id `shop`, env_id `development`, env_type `development`
      closest: `git-prod` asks for env_type `production`, here it is `development`
      hint: add Matching Criteria to a Definition of type `k8s-cluster`, for instance {app_id: shop, env_type: development}
    ");
}
