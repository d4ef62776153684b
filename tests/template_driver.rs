//! The Template Driver while planning: targets, routes and Workloads.

use crate::harness::TestEnv;

const TARGET: &str = r#"apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: templated-target}
entity:
  name: templated-target
  type: k8s-cluster
  driver_type: humanitec/template
  driver_inputs:
    values:
      where: ${context.app.id}/${context.env.id}
      templates:
        init: |
          parts: {{ splitList "/" .driver.values.where | toRawJson }}
        outputs: |
          cluster_type: git
          url: URL
          branch: ""
          path: {{ .init.parts | join "/" }}
        secrets: SECRETS
    secrets: {password: canary-password-1}
  criteria: [{}]
"#;

fn target(url: &str, secrets: &str) -> String {
    TARGET.replace("URL", url).replace("SECRETS", secrets)
}

#[test]
fn a_target_made_by_a_template_is_deployed_to() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.write("target.yaml", &target(&remote.url(), "\"\"")).run("apply -f target.yaml").ok();
    env.run("create app shop").ok();
    remote.head("main");
    env.score("web", "").deploy().ok();
    let graph = env.run("resources graph --app shop --env development -o json").ok().json();
    assert!(!graph["nodes"].as_array().unwrap().is_empty());
    let tree = remote.tree("main");
    assert!(tree.contains("shop/development/workload-web.yaml"), "{tree}");
    assert!(!String::from_utf8_lossy(&remote.all_objects()).contains("canary-password-1"));
}

#[test]
fn a_target_whose_secret_is_made_by_a_template_is_refused_without_showing_it() {
    let env = TestEnv::new();
    let secrets = "\"credentials: {password: {{ .driver.secrets.password | upper }}}\"";
    env.write("target.yaml", &target("https://git.example/x.git", secrets)).run("apply -f target.yaml").ok();
    env.run("create app shop").ok();
    let error = env.score("web", "").deploy().fails().stderr;
    assert!(error.contains("Definition `templated-target`") && error.contains("templates.secrets:1:"), "{error}");
    assert!(!error.contains("canary"), "{error}");
}

/// A Definition for the Template Driver.
fn templated(id: &str, res_type: &str, values: &str) -> String {
    format!(
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {{id: {id}}}
entity:
  name: {id}
  type: {res_type}
  driver_type: humanitec/template
  driver_inputs: {{values: {values}}}
  criteria: [{{}}]
"
    )
}

/// What an Active Resource of a type is known to be.
fn resource(env: &TestEnv, res_type: &str) -> serde_json::Value {
    let active = env.run("api get /orgs/local/apps/shop/envs/development/resources").ok().json();
    let mut found = active.as_array().unwrap().iter().filter(|resource| resource["type"] == res_type);
    found.next().unwrap_or_else(|| panic!("no {res_type} in {active}"))["resource"].clone()
}

#[test]
fn outputs_are_known_when_what_the_template_reads_is() {
    let env = TestEnv::new();
    env.shop(&env.remote("r"), "main");
    let dns = templated("dns", "dns", "{templates: {outputs: \"host: {{ .id | trunc 4 }}.example.com\"}}");
    let bucket = templated("bucket", "s3", "{templates: {outputs: \"bucket: {{ randAlpha 8 }}\"}}");
    env.write("dns.yaml", &dns).write("s3.yaml", &bucket).run("apply -f dns.yaml -f s3.yaml").ok();
    let resources = "resources:
  dns: {type: dns}
  files: {type: s3}
  route: {type: route, params: {host: \"${resources.dns.host}\", path: /, port: 80}}
";
    env.score("web", resources).deploy().ok();
    let host = resource(&env, "dns")["host"].as_str().unwrap().to_owned();
    assert!(host.ends_with(".example.com"), "{host}");
    assert_eq!(resource(&env, "route"), serde_json::json!({"host": host, "path": "/", "port": 80, "service": "web"}));
    assert_eq!(resource(&env, "s3"), serde_json::json!({}));
}

#[test]
fn what_a_template_changes_in_a_workload_is_checked_before_it_gets_to_git() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main");
    let update = |path: &str| {
        let outputs = format!("\"update: [{{op: add, path: {path}, value: {{{{ .resource.id }}}}}}]\"");
        templated("labels", "workload", &format!("{{templates: {{outputs: {outputs}}}}}"))
    };
    env.write("good.yaml", &update("/spec/labels/team")).run("apply -f good.yaml").ok();
    env.score("web", "").deploy().ok();
    assert_eq!(resource(&env, "workload")["update"][0]["value"], "web");
    // The cluster renders templates: they are written as they are.
    let files = remote.list("main", "shop/development");
    let is_unrendered =
        |file: &String| remote.show("main", &format!("shop/development/{file}")).contains("{{ .resource.id }}");
    assert!(files.iter().any(is_unrendered), "{files:?}");

    env.write("bad.yaml", &update("/externals/x")).run("apply -f bad.yaml").ok();
    let error = env.deploy().fails().stderr;
    assert!(error.contains("`labels`") && error.contains("does not start with `/spec/`"), "{error}");
}

#[test]
fn a_template_that_cannot_work_is_an_error_with_its_key_and_line() {
    let env = TestEnv::new();
    env.shop(&env.remote("r"), "main");
    let broken = templated("broken", "s3", "{templates: {outputs: \"a: 1\\nbucket: {{ .id | uper }}\"}}");
    env.write("s3.yaml", &broken).run("apply -f s3.yaml").ok();
    let error = env.score("web", "resources: {files: {type: s3}}\n").deploy().fails();
    insta::assert_snapshot!(error.errors(), @r#"
    Error: deployment [ID] failed
    PRV-001 Driver failed (resource s3.default#modules.web.externals.files): Definition `broken`, matched for `s3.default#modules.web.externals.files`: templates.outputs:2:18: function "uper" not defined; did you mean "upper"?
      hint: correct the driver_inputs of Definition `broken`
    "#);
}

#[test]
fn two_pod_volumes_of_one_name_are_refused() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let volume = |name: &str| {
        templated(
            "volume-empty",
            "volume",
            &format!(
                "{{templates: {{manifests: \"vol: {{location: volumes, data: {{name: {name}, emptyDir: {{}}}}}}\"}}}}"
            ),
        )
    };
    env.shop(&remote, "main").write("volume.yaml", &volume("cache")).run("apply -f volume.yaml").ok();
    let mounts = "    volumes:
      /a: {source: \"${resources.one}\"}
      /b: {source: \"${resources.two}\"}
resources: {one: {type: volume}, two: {type: volume}}
";
    env.score("web", mounts);
    insta::assert_snapshot!(env.deploy().fails().errors(), @"
    Error: deployment [ID] failed
    PRV-003 Two parts of a Pod have the same name (workload web): Workload `web` would have two volumes `cache`, from `volume.default#modules.web.externals.one` and `volume.default#modules.web.externals.two`
      hint: make the name unique in the Definition, for instance with `{{ .id }}`
    ");
    assert!(remote.all_objects().is_empty(), "nothing is written");
    // A definition without outputs makes a mount all the same (spec/drivers.md §19, item 7).
    env.write("volume.yaml", &volume("vol-{{ .id }}")).run("apply -f volume.yaml").ok();
    env.deploy().ok();
    let workload = remote.show("main", "shop/development/workload-web.yaml");
    assert!(workload.contains("externals.one") && workload.contains("/a:"), "{workload}");
}

#[test]
fn a_sidecar_cannot_take_the_name_of_a_container() {
    let env = TestEnv::new();
    let sidecar = "{templates: {manifests: \"proxy: {location: containers, data: {name: main, image: x}}\"}}";
    env.shop(&env.remote("r"), "main");
    env.write("proxy.yaml", &templated("proxy", "config", sidecar)).run("apply -f proxy.yaml").ok();
    let refused = env.score("web", "resources: {proxy: {type: config}}\n").deploy().fails().stderr;
    let clash = "Workload `web` would have two containers `main`, from the Workload itself and `config.default#modules.web.externals.proxy`";
    assert!(refused.contains(clash), "{refused}");
}

#[test]
fn an_output_that_no_template_makes_is_missed() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let bucket = templated("bucket", "s3", "{templates: {outputs: \"bukcet: b\"}}");
    env.shop(&remote, "main").write("bucket.yaml", &bucket).run("apply -f bucket.yaml").ok();
    env.score("web", "    variables: {B: \"${resources.files.bucket}\"}\nresources: {files: {type: s3}}\n");
    insta::assert_snapshot!(env.deploy().fails().errors(), @"
    Error: deployment [ID] failed
    PLN-006 Output not available (workload web): Workload `web` at `/spec/containers/main/variables/B`: placeholder `${externals.files.bucket}`: `s3.default#modules.web.externals.files` has no such output: the templates of Definition `bucket` do not make `bucket`
      hint: known here: `bukcet`
    ");
    assert!(remote.all_objects().is_empty(), "nothing is written");
}
