//! Circles of one, two and three resources, through every kind of edge
//! (spec/resource-model.md §6.4).

use serde_json::json;

use super::{definitions, errors, set, web};

#[test]
fn a_resource_that_refers_to_itself_is_a_circle_of_one() {
    let yaml = "loop: {type: s3, uses: ['${resources.s3.outputs.bucket}']}";
    insta::assert_snapshot!(errors(&definitions(yaml), &web(&[("files", "s3")])), @"
    PLN-009 s3.default#modules.web.externals.files: the resources need each other in a circle: s3.default#modules.web.externals.files -> s3.default#modules.web.externals.files
      s3.default#modules.web.externals.files needs s3.default#modules.web.externals.files: reference at /driver_inputs/values/uses/0 (Definition `loop`)
      hint: move what they share into a third resource, for instance of type `config`
    ");
}

#[test]
fn two_routes_whose_params_name_each_other_are_a_circle_of_two() {
    let set = set(json!({"modules": {"web": {"spec": {}, "externals": {
        "one": {"type": "route", "params": {"host": "${externals.two.host}"}},
        "two": {"type": "route", "params": {"host": "${externals.one.host}"}},
    }}}}));
    insta::assert_snapshot!(errors(&definitions("way: {type: route}"), &set), @"
    PLN-009 route.default#modules.web.externals.one: the resources need each other in a circle: route.default#modules.web.externals.one -> route.default#modules.web.externals.two -> route.default#modules.web.externals.one
      route.default#modules.web.externals.one needs route.default#modules.web.externals.two: params at /externals/one/params/host (Definition `way`)
      route.default#modules.web.externals.two needs route.default#modules.web.externals.one: params at /externals/two/params/host (Definition `way`)
      hint: move what they share into a third resource, for instance of type `config`
    ");
}

#[test]
fn a_selector_and_a_co_provision_close_a_circle_of_three() {
    let yaml = "
        bucket: {type: s3, uses: ['${resources[\"config#all\"].outputs.x}'], provision: {aws-policy: {is_dependent: true}}}
        policy: {type: aws-policy}
        all: {type: config, uses: ['${resources[\"s3#modules.web.externals.files<aws-policy\"].outputs.arn}']}
    ";
    insta::assert_snapshot!(errors(&definitions(yaml), &web(&[("files", "s3")])), @"
    PLN-009 aws-policy.default#modules.web.externals.files: the resources need each other in a circle: aws-policy.default#modules.web.externals.files -> s3.default#modules.web.externals.files -> config.default#all -> aws-policy.default#modules.web.externals.files
      aws-policy.default#modules.web.externals.files needs s3.default#modules.web.externals.files: co-provision by key `aws-policy` (Definition `policy`)
      s3.default#modules.web.externals.files needs config.default#all: reference at /driver_inputs/values/uses/0 (Definition `bucket`)
      config.default#all needs aws-policy.default#modules.web.externals.files: selector at /driver_inputs/values/uses/0 (Definition `all`)
      hint: move what they share into a third resource, for instance of type `config`
    ");
}

#[test]
fn other_errors_are_told_beside_a_circle() {
    let yaml = "loop: {type: s3, uses: ['${resources.s3.outputs.bucket}', '${nope.x}']}";
    let told = errors(&definitions(yaml), &web(&[("files", "s3"), ("mail", "amqp")]));
    let codes: Vec<&str> = told.lines().filter(|line| line.starts_with("PLN")).map(|line| &line[..7]).collect();
    assert_eq!(codes, ["PLN-001", "PLN-004", "PLN-009"]);
}

#[test]
fn every_circle_is_told() {
    // Two that have nothing in common, and one inside another.
    let definitions = definitions(
        "{one: {type: s3, uses: ['${resources.s3.outputs.bucket}']}, two: {type: redis, uses: ['${resources.mysql.outputs.host}']}, \
          three: {type: mysql, uses: ['${resources.redis.outputs.host}', '${resources.mysql.outputs.host}']}}",
    );
    let told = errors(&definitions, &web(&[("files", "s3"), ("cache", "redis")]));
    let circles: Vec<&str> = told.lines().filter(|line| line.starts_with("PLN-009")).collect();
    assert_eq!(circles.len(), 2, "{told}");
    assert!(
        circles[0].contains("mysql.default#modules.web.externals.cache") && circles[1].contains("s3.default"),
        "{told}"
    );
}
