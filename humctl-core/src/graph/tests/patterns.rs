//! The patterns that the planner must support (spec/resource-model.md §6.6).

use serde_json::json;

use super::{definitions, planned, run, set, web};

#[test]
fn propagate_id_makes_one_resource_for_each_workload() {
    let yaml = "
        wld: {type: workload, uses: ['${resources.k8s-service-account.outputs.name}']}
        ksa: {type: k8s-service-account}
    ";
    let set = set(json!({"modules": {"one": {"spec": {}}, "two": {"spec": {}}}}));
    assert_eq!(
        planned(yaml, &set),
        [
            "workload.default#modules.one -> k8s-service-account.default#modules.one: reference",
            "workload.default#modules.two -> k8s-service-account.default#modules.two: reference",
        ]
    );
}

#[test]
fn propagate_class_keeps_the_id_and_takes_the_class_along() {
    let yaml = "
        bucket: {type: s3, criteria: [{class: one}, {class: two}], uses: ['${resources[\"config#example\"].outputs.x}']}
        conf: {type: config, criteria: [{class: one}, {class: two}]}
    ";
    let edges = planned(yaml, &web(&[("a", "s3.one"), ("b", "s3.two")]));
    assert_eq!(
        edges[..2],
        [
            "s3.one#web/a -> config.one#example: reference".to_owned(),
            "s3.two#web/b -> config.two#example: reference".to_owned(),
        ]
    );
}

#[test]
fn config_layers_are_resources_of_their_own() {
    let yaml = "
        bucket: {type: s3, uses: ['${resources[\"config.default#s3\"].values}', '${resources[\"config.developer-overrides#s3\"].values}']}
        defaults: {type: config, criteria: [{res_id: s3}]}
        overrides: {type: config, criteria: [{res_id: s3, class: developer-overrides}]}
    ";
    let edges = planned(yaml, &web(&[("a", "s3")]));
    assert_eq!(
        edges[..2],
        [
            "s3.default#web/a -> config.default#s3: reference".to_owned(),
            "s3.default#web/a -> config.developer-overrides#s3: reference".to_owned(),
        ]
    );
}

#[test]
fn delegators_share_one_concrete_resource() {
    let yaml = "
        admin: {type: s3, class: admin, uses: ['${resources[\"s3.concrete\"].outputs.bucket}'], provision: {aws-policy.s3-admin: {match_dependents: true}}}
        reader: {type: s3, class: read-only, uses: ['${resources[\"s3.concrete\"].outputs.bucket}'], provision: {aws-policy.s3-read-only: {match_dependents: true}}}
        concrete: {type: s3, class: concrete}
        policies: {type: aws-policy, criteria: [{class: s3-admin}, {class: s3-read-only}]}
    ";
    let set = set(json!({
        "modules": {
            "one": {"spec": {"x": "${shared.main-s3-class-admin.bucket}"}},
            "two": {"spec": {"x": "${shared.main-s3-class-read-only.bucket}"}},
        },
        "shared": {
            "main-s3-class-admin": {"type": "s3", "class": "admin", "id": "shared.main-s3"},
            "main-s3-class-read-only": {"type": "s3", "class": "read-only", "id": "shared.main-s3"},
        },
    }));
    assert_eq!(
        planned(yaml, &set),
        [
            "s3.admin#shared.main-s3 -> s3.concrete#shared.main-s3: reference",
            "s3.read-only#shared.main-s3 -> s3.concrete#shared.main-s3: reference",
            "workload.default#modules.one -> aws-policy.s3-admin#shared.main-s3: match-dependents",
            "workload.default#modules.one -> s3.admin#shared.main-s3: placeholder",
            "workload.default#modules.two -> aws-policy.s3-read-only#shared.main-s3: match-dependents",
            "workload.default#modules.two -> s3.read-only#shared.main-s3: placeholder",
        ]
    );
}

#[test]
fn environment_resources_fan_out_from_the_base_environment() {
    let yaml = "
        base: {type: base-env, criteria: [{res_id: base-env}], uses: ['${resources[\"base-env.default#resource-quota\"].guresid}', '${resources[\"base-env.default#network-policies\"].guresid}']}
        quota: {type: base-env, criteria: [{res_id: resource-quota}]}
        policies: {type: base-env, criteria: [{res_id: network-policies}]}
    ";
    assert_eq!(
        planned(yaml, &set(json!({}))),
        [
            "base-env.default#base-env -> base-env.default#network-policies: reference",
            "base-env.default#base-env -> base-env.default#resource-quota: reference",
        ]
    );
}

#[test]
fn a_third_resource_breaks_a_loop() {
    let yaml = "
        wld: {type: workload, uses: ['${resources.k8s-service-account.outputs.name}', '${resources.config.outputs.name}']}
        ksa: {type: k8s-service-account, uses: ['${resources.config.outputs.name}']}
        facts: {type: config}
    ";
    assert_eq!(
        planned(yaml, &web(&[])),
        [
            "k8s-service-account.default#modules.web -> config.default#modules.web: reference",
            "workload.default#modules.web -> config.default#modules.web: reference",
            "workload.default#modules.web -> k8s-service-account.default#modules.web: reference",
        ]
    );
}

#[test]
fn a_shared_resource_that_nobody_names_is_there_all_the_same() {
    let set = set(json!({"shared": {"db": {"type": "postgres"}}}));
    let keys = run(&definitions("pg-any: {type: postgres}"), &set, |graph| {
        graph.unwrap().nodes.iter().map(|node| node.key.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(keys, ["base-env.default#base-env", "postgres.default#shared.db"]);
}

#[test]
fn a_reference_that_makes_a_stray_resource_is_noted() {
    let yaml = "
        wld: {type: workload, uses: ['${resources.k8s-namespace.outputs.namespace}', '${resources.base-env.outputs.x}', '${resources[\"base-env#base-env\"].outputs.y}']}
        base: {type: base-env}
    ";
    let warnings = run(&definitions(yaml), &web(&[]), |graph| graph.unwrap().warnings);
    insta::assert_snapshot!(warnings.join("\n"), @"
    `workload.default#modules.web` refers to `base-env` without an id, which makes a resource of its own, `base-env.default#modules.web`; the one of the Environment is `base-env.default#base-env`
    `workload.default#modules.web` refers to `k8s-namespace` without an id, which makes a resource of its own, `k8s-namespace.default#modules.web`; the one of the Environment is `k8s-namespace.default#k8s-namespace`
    ");
}
