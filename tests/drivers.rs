//! Drivers of the Organization, and Drivers that are replaced by others.

use serde_json::{Value, json};

use crate::harness::TestEnv;

const CORP_REDIS: &str = r#"apiVersion: entity.humanitec.io/v1b1
kind: Driver
metadata: {id: corp-redis}
entity:
  type: redis
  target: driver://humanitec/echo
  account_types: []
  inputs_schema:
    properties:
      values: {type: object, properties: {tier: {enum: [small, large]}}}
  template: |
    values:
      host: redis-{{ .driver.values.tier | default "small" }}.${context.env.id}.corp.internal
      port: 6379
    secrets:
      password: {{ .driver.secrets.password | toRawJson }}
"#;

const CACHE: &str = r"apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: cache}
entity:
  name: cache
  type: redis
  driver_type: local/corp-redis
  driver_inputs:
    values: {tier: large}
    secret_refs: {password: {store: vault, ref: cache/pw}}
  criteria: [{}]
";

const DRIVERS: &str = "/orgs/local/resources/drivers";

/// The custom resource of the only resource of a type.
fn custom_resource(remote: &crate::harness::Remote, res_type: &str) -> Value {
    let files = remote.list("main", "shop/development");
    let texts = files.iter().map(|file| remote.show("main", &format!("shop/development/{file}")));
    let mut found = texts
        .map(|text| humctl_core::yaml::parse_documents(&text).unwrap().remove(0))
        .filter(|object| object["spec"]["type"] == res_type);
    let object = found.next().unwrap_or_else(|| panic!("no {res_type} among {files:?}"));
    assert!(found.next().is_none());
    object
}

#[test]
fn a_virtual_driver_is_registered_used_and_kept_while_it_is_used() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("defs.yaml", &format!("{CACHE}---\n{CORP_REDIS}"));
    // The Driver comes first, wherever it stands.
    assert_eq!(env.run("apply -f defs.yaml").ok().stdout, "Driver corp-redis: created\nDefinition cache: created\n");
    assert_eq!(
        env.run("apply -f defs.yaml").ok().stdout,
        "Driver corp-redis: unchanged\nDefinition cache: unchanged\n"
    );
    env.score("web", "    variables: {HOST: \"${resources.cache.host}\"}\nresources: {cache: {type: redis}}\n")
        .deploy()
        .ok();
    let object = custom_resource(&remote, "redis");
    assert_eq!(object["spec"]["driver"]["type"], "humanitec/echo");
    assert_eq!(object["metadata"]["annotations"]["humctl.dev/lowered-from"], "local/corp-redis");
    assert_eq!(
        object["spec"]["driverInputs"],
        json!({"values": {"host": "redis-large.development.corp.internal", "port": 6379},
               "secretRefs": {"password": {"store": "vault", "ref": "cache/pw"}}})
    );
    let active = env.run("api get /orgs/local/apps/shop/envs/development/resources").ok().json();
    let cache = active.as_array().unwrap().iter().find(|resource| resource["type"] == "redis").unwrap();
    assert_eq!((&cache["driver_type"], &cache["resource"]["port"]), (&json!("humanitec/echo"), &json!(6379)));
    let told = env.run("resources explain redis.default#modules.web.externals.cache --app shop --env development").ok();
    assert!(told.stdout.contains("Driver local/corp-redis (run as humanitec/echo)"), "{}", told.stdout);
    let refused = env.run("delete driver corp-redis").fails().stderr;
    assert!(refused.contains("driver `corp-redis` is used by resource definition `cache`"), "{refused}");
    // A change of the Driver is a change of what is deployed.
    env.write("driver.yaml", &CORP_REDIS.replace("6379", "6380")).run("apply -f driver.yaml").ok();
    env.deploy().ok();
    assert_eq!(custom_resource(&remote, "redis")["spec"]["driverInputs"]["values"]["port"], 6380);
    env.run("delete resource-definition cache --force").ok();
    env.run("delete driver corp-redis").ok();
    assert!(env.run("get driver corp-redis").fails().stderr.contains("corp-redis"));
}

#[test]
fn the_api_takes_drivers() {
    let env = TestEnv::new();
    let post = |body: &Value| env.run_args(&["api", "post", DRIVERS, "-d", &body.to_string()]);
    let route = json!({"id": "route53", "type": "dns", "target": "https://drivers.example.com/route53/",
                       "account_types": ["aws"], "inputs_schema": {}});
    let made = post(&route).ok().json();
    assert_eq!((&made["org_id"], &made["account_types"]), (&json!("local"), &json!(["aws"])));
    assert!(post(&route).fails().stderr.contains("409"));
    let put =
        json!({"type": "dns", "target": "driver://humanitec/dns-wildcard", "account_types": [], "inputs_schema": {}});
    let put = env.run_args(&["api", "put", &format!("{DRIVERS}/route53"), "-d", &put.to_string()]).ok().json();
    assert_eq!(put["target"], "driver://humanitec/dns-wildcard");
    let all = env.run_args(&["api", "get", DRIVERS]).ok().json();
    let owner = |id: &str| all.as_array().unwrap().iter().find(|driver| driver["id"] == id).unwrap()["org_id"].clone();
    assert_eq!((owner("route53"), owner("template")), (json!("local"), json!("humanitec")));
    env.run_args(&["api", "delete", &format!("{DRIVERS}/route53")]).ok();
    assert!(env.run_args(&["api", "get", &format!("{DRIVERS}/route53")]).fails().stderr.contains("404"));
    for (change, refusal) in [
        (json!({"target": "ftp://x"}), "neither `https://"),
        (json!({"id": "X"}), "driver id"),
        (json!({"target": "driver://humanitec/echo", "template": "{{ nope }}"}), "template:1:"),
    ] {
        let mut body = route.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = post(&body).fails().stderr;
        assert!(refused.contains(refusal), "{change}: {refused}");
    }
}

#[test]
fn a_slip_in_a_registration_is_told() {
    let env = TestEnv::new();
    env.write("driver.yaml", &CORP_REDIS.replace("template:", "tempalte:"));
    let refused = env.run("apply -f driver.yaml").fails().stderr;
    assert!(
        refused.contains("driver.yaml:11:3: unknown field `tempalte`\n  hint: did you mean `template`?"),
        "{refused}"
    );
}

#[test]
fn what_a_definition_gives_a_registered_driver_is_checked() {
    let env = TestEnv::new();
    env.write("driver.yaml", CORP_REDIS).run("apply -f driver.yaml").ok();
    for (from, to, refusal) in [
        ("tier: large", "tier: huge", "at /driver_inputs/values/tier"),
        ("tier: large", "teir: large", "did you mean `tier`?"),
        ("type: redis", "type: mysql", "makes resources of type `redis`, not `mysql`"),
    ] {
        env.write("cache.yaml", &CACHE.replace(from, to));
        let refused = env.run("apply -f cache.yaml").fails().stderr;
        assert!(refused.contains(refusal), "{refused}");
    }
    let foretold = env.run("resources diff -f cache.yaml").fails().stderr;
    assert!(foretold.contains("makes resources of type `redis`, not `mysql`"), "{foretold}");
}

const DNS: &str = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: wildcard}
entity:
  name: wildcard
  type: dns
  driver_type: humanitec/dns-wildcard
  driver_inputs: {values: {domain: dev.example.net, template: \"${context.app.id}-${context.env.id}\"}}
  provision: {ingress: {is_dependent: false, match_dependents: false}}
  criteria: [{}]
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: nginx}
entity:
  name: nginx
  type: ingress
  driver_type: humanitec/ingress
  driver_inputs: {values: {class: nginx}}
  criteria: [{}]
";

#[test]
fn an_ingress_and_its_dns_need_no_service() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("dns.yaml", DNS).run("apply -f dns.yaml").ok();
    let resources = "service: {ports: {http: {port: 8080}}}
resources:
  dns: {type: dns, id: web-dns}
  route: {type: route, params: {host: \"${resources.dns.host}\", path: /, port: 8080}}
";
    env.score("web", resources).deploy().ok();
    let dns = custom_resource(&remote, "dns");
    assert_eq!(dns["spec"]["driver"]["type"], "humanitec/echo");
    assert_eq!(dns["spec"]["driverInputs"]["values"], json!({"host": "shop-development.dev.example.net"}));
    assert_eq!(dns["metadata"]["annotations"]["humctl.dev/lowered-from"], "humanitec/dns-wildcard");
    let ingress = custom_resource(&remote, "ingress");
    assert_eq!(ingress["spec"]["driver"]["type"], "humanitec/template");
    assert_eq!(ingress["metadata"]["annotations"]["humctl.dev/lowered-from"], "humanitec/ingress");
    let values = &ingress["spec"]["driverInputs"]["values"];
    assert_eq!(values["class"], "nginx");
    // The route lies on the way from the dns resource, so its outputs are asked of it in the cluster.
    let route = custom_resource(&remote, "route");
    let path = json!([{"$ref": {"out": "path", "res": route["spec"]["guresid"]}}]);
    assert_eq!(values["routePaths"], path, "{values}");
    assert!(values["templates"]["manifests"].as_str().unwrap().contains("kind: Ingress"));
    let graph = env.run("resources graph --app shop --env development -o json").ok().json();
    let node = graph["nodes"].as_array().unwrap().iter().find(|node| node["type"] == "ingress").unwrap();
    assert_eq!(node["driver_type"], "humanitec/template");
}

#[test]
fn a_hosted_driver_without_an_equivalent_travels_and_is_noted() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let bucket = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: bucket}
entity:
  name: bucket
  type: s3
  driver_type: humanitec/s3
  driver_account: aws
  driver_inputs: {values: {region: eu-west-3}}
  criteria: [{}]
";
    env.shop(&remote, "main").write("bucket.yaml", bucket).run("apply -f bucket.yaml").ok();
    env.score("web", "resources: {files: {type: s3}}\n");
    let run = env.run("score deploy --app shop --env development -v1");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("Definition `bucket`: only Humanitec's own service runs the Driver `humanitec/s3`"),
        "{}",
        run.stderr
    );
    let object = custom_resource(&remote, "s3");
    assert_eq!(object["spec"]["driver"], json!({"type": "humanitec/s3", "account": "aws"}));
    assert!(object["metadata"]["annotations"]["humctl.dev/lowered-from"].is_null());
    env.score("api", "resources: {files: {type: s3}}\n");
    let refused = env.run("score deploy --app shop --env development --fail-on-hosted-drivers").fails().errors();
    insta::assert_snapshot!(refused, @"
    Error: deployment [ID] failed
    PRV-004 Driver of Humanitec's own service (resource s3.default#modules.api.externals.files): `s3.default#modules.api.externals.files` (Definition `bucket`): only Humanitec's own service runs the Driver `humanitec/s3`
      hint: use `humanitec/template` for what runs in the cluster, `humanitec/echo` for what exists already, or deploy without --fail-on-hosted-drivers
    PRV-004 Driver of Humanitec's own service (resource s3.default#modules.web.externals.files): `s3.default#modules.web.externals.files` (Definition `bucket`): only Humanitec's own service runs the Driver `humanitec/s3`
      hint: use `humanitec/template` for what runs in the cluster, `humanitec/echo` for what exists already, or deploy without --fail-on-hosted-drivers
    ");
    assert_eq!(remote.n_commits("main"), 1);
}

#[test]
fn a_virtual_driver_can_make_the_deployment_target() {
    let env = TestEnv::new();
    let remote = env.remote("deploy");
    let driver = "apiVersion: entity.humanitec.io/v1b1
kind: Driver
metadata: {id: team-repo}
entity:
  type: k8s-cluster
  target: driver://humanitec/k8s-cluster-git
  account_types: []
  inputs_schema: {}
  template:
    values:
      url: \"{{ .driver.values.base }}/{{ .driver.values.team }}.git\"
      branch: main
      path: ${context.app.id}/${context.env.id}
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: target}
entity:
  name: target
  type: k8s-cluster
  driver_type: local/team-repo
  driver_inputs: {values: {base: BASE, team: deploy}}
  criteria: [{}]
";
    let url = remote.url();
    let base = url.strip_suffix("/deploy.git").unwrap();
    env.write("target.yaml", &driver.replace("BASE", base)).run("apply -f target.yaml").ok();
    env.run("create app shop").ok();
    env.score("web", "").deploy().ok();
    assert!(remote.tree("main").contains("shop/development/workload-web.yaml"));
}
