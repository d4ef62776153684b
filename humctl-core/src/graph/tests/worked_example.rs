//! The worked example of spec/resource-model.md §13, and the minimal case.

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use serde_json::{Value, json};

use super::{errors, listing, refers, run, set};
use crate::builtin;
use crate::context::tests::context;
use crate::matching::tests::definition;

pub(super) fn worked_set() -> DeploymentSet {
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

pub(super) fn worked_definitions() -> Vec<ResourceDefinition> {
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
    PLN-009 aws-role.default#modules.api: the resources need each other in a circle: aws-role.default#modules.api -> workload.default#modules.api -> k8s-service-account.default#modules.api -> aws-role.default#modules.api
      aws-role.default#modules.api needs workload.default#modules.api: reference at /driver_inputs/values/x (Definition `role`)
      workload.default#modules.api needs k8s-service-account.default#modules.api: reference at /driver_inputs/values/x (Definition `wl-sa`)
      k8s-service-account.default#modules.api needs aws-role.default#modules.api: reference at /driver_inputs/values/x (Definition `ksa`)
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
