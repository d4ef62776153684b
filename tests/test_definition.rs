//! Definitions tried out with made-up inputs: `resources test-definition`.

use crate::harness::TestEnv;
use crate::harness::library::{library, yaml_files};

const REDIS: &str = r#"apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: cache}
entity:
  name: cache
  type: redis
  driver_type: humanitec/template
  driver_inputs:
    values:
      resId: ${context.res.id}
      region: ${resources['config#app'].outputs.region}
      templates:
        init: |
          name: cache-{{ index (splitList "." .driver.values.resId) 1 | trunc 30 }}
          pw: {{ .cookie.pw | default (randAlphaNum 16) | quote }}
        manifests: |
          svc:
            location: namespace
            data: {kind: Service, metadata: {name: {{ .init.name }}}}
        outputs: |
          host: {{ .init.name }}
          port: {{ .resource.port | default 6379 }}
        secrets: |
          password: {{ .init.pw | toRawJson }}
          token: {{ .driver.secrets.token | toRawJson }}
        cookie: |
          pw: {{ .init.pw | toRawJson }}
    secret_refs:
      token: {store: vault, ref: cache/token}
  criteria: [{}]
"#;

#[test]
fn a_skeleton_is_printed_filled_in_and_run() {
    let env = TestEnv::new();
    env.write("redis.yaml", &REDIS.replace(".cookie.pw | default", ".resource.pw | default"));
    let skeleton = env.run("resources test-definition redis.yaml --generate").ok().stdout;
    insta::assert_snapshot!(skeleton, @r#"
    cookie: null
    placeholders:
      context.res.id: ""
      resources['config#app'].outputs.region: ""
    resource: {}
    secretRefs:
      token: ""
    "#);
    // As pipelines edit it.
    let inputs = skeleton
        .replace("context.res.id: \"\"", "context.res.id: \"modules.web.externals.db\"")
        .replace("\"\"", "\"test\"")
        .replace("resource: {}", "resource: {pw: made-up-password}");
    env.write("inputs.yaml", &inputs);
    let result = env.run("resources test-definition redis.yaml --inputs inputs.yaml").ok();
    insta::assert_snapshot!(result.stdout, @"
    cookie:
      pw: made-up-password
    init:
      name: cache-web
      pw: made-up-password
    manifests:
      svc:
        data:
          kind: Service
          metadata:
            name: cache-web
        location: namespace
    outputs:
      host: cache-web
      port: 6379
    secrets:
      password: made-up-password
      token: test
    ");
    let json = env.run("resources test-definition redis.yaml --inputs inputs.yaml -o json").ok().json();
    assert_eq!(json["outputs"]["port"], 6379);
    assert!(!env.path("home/.local").exists(), "nothing is stored");
}

#[test]
fn random_values_are_the_same_at_each_run_and_cookies_win() {
    let env = TestEnv::new();
    env.write(
        "redis.yaml",
        &REDIS.replace(
            "{{ .cookie.pw | default (randAlphaNum 16) | quote }}",
            "{{ if .cookie }}{{ .cookie.pw }}{{ else }}{{ randAlphaNum 16 | quote }}{{ end }}",
        ),
    );
    let inputs = "placeholders: {context.res.id: modules.w.externals.r, \"resources['config#app'].outputs.region\": x}\nsecretRefs: {token: t}\n";
    env.write("inputs.yaml", inputs);
    env.write("second.yaml", &format!("{inputs}cookie: {{pw: kept-from-before}}\n"));
    let run =
        |file: &str| env.run(&format!("resources test-definition redis.yaml --inputs {file} -o json")).ok().json();
    let first = run("inputs.yaml");
    assert_eq!(run("inputs.yaml"), first);
    assert_eq!(first["secrets"]["password"].as_str().map(str::len), Some(16));
    assert_eq!(run("second.yaml")["secrets"]["password"], "kept-from-before");
}

#[test]
fn failures_name_file_key_and_line() {
    let env = TestEnv::new();
    env.write("redis.yaml", REDIS);
    env.write("inputs.yaml", "placeholders: {context.res.id: x}\n");
    env.write(
        "full.yaml",
        "placeholders: {context.res.id: x, \"resources['config#app'].outputs.region\": r}\nsecretRefs: {token: t}\n",
    );
    env.write("wrong.yaml", "placeholder: {}\n");
    env.write("terraform.yaml", &REDIS.replace("humanitec/template", "humanitec/terraform"));
    let errors: String = [
        "redis.yaml --inputs inputs.yaml",
        "redis.yaml --inputs full.yaml",
        "redis.yaml --inputs wrong.yaml",
        "redis.yaml --inputs nope.yaml",
        "terraform.yaml --generate",
        "redis.yaml",
    ]
    .iter()
    .map(|words| env.run(&format!("resources test-definition {words}")).fails().stderr)
    .collect();
    insta::assert_snapshot!(errors, @r#"
    Error: redis.yaml: driver_inputs.values.region: placeholder `${resources['config#app'].outputs.region}` has no value
      hint: add `resources['config#app'].outputs.region:` under `placeholders` of the inputs file
    Error: redis.yaml: secretRefs.token: the secret has no value
      hint: add it to the inputs file
    Error: redis.yaml: templates.init:1:16: at <index (splitList "." .driver.values.resId) 1>: error calling index: index out of range: 1
    Error: wrong.yaml: unknown key `placeholder`
      hint: did you mean `placeholders`?
      hint: see what belongs into it with: humctl resources test-definition FILE --generate
    Error: cannot read `nope.yaml`: No such file or directory (os error 2)
    Error: terraform.yaml: Definition `cache` is for the Driver `humanitec/terraform`, which does not run here
      hint: test-definition runs `humanitec/echo` and `humanitec/template`; an HTTP Driver runs with --driver-url URL
    Error: the following required arguments were not provided: --inputs <FILE>
      hint: see: humctl resources test-definition --help
    "#);
}

#[test]
fn what_the_operator_may_read_differently_is_a_warning() {
    let env = TestEnv::new();
    env.write(
        "redis.yaml",
        &REDIS
            .replace("pw: {{ .init.pw | toRawJson }}", "pw: {{ .init.pw }}")
            .replace("(randAlphaNum 16)", "(randNumeric 16)")
            .replace(".cookie.pw", ".resource.pw")
            .replace("port: {{", "tls: yes\n          port: {{"),
    );
    env.write(
        "inputs.yaml",
        "placeholders: {context.res.id: modules.w.externals.r, \"resources['config#app'].outputs.region\": x}\nsecretRefs: {token: t}\n",
    );
    let run = env.run("resources test-definition redis.yaml --inputs inputs.yaml");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("tls: \"yes\""), "{}", run.stdout);
    insta::assert_snapshot!(run.stderr, @r"
    Warning: redis.yaml: templates.outputs: `tls` is the bare word `yes`, which the Operator reads as true
      hint: quote it, or write true
    Warning: redis.yaml: templates.cookie: `pw` gets a random or secret text without quotes, and becomes a number
      hint: quote it in the template, for example with: | toRawJson
    ");
}

/// Inputs with which the examples make sense.
fn plausible(skeleton: &str) -> String {
    skeleton
        .lines()
        .map(|line| {
            let value = match line.trim_start().split_once(": ") {
                Some((name, "\"\"")) if name.starts_with("context.res.id") => "\"modules.web.externals.db\"",
                // A selector gives a list.
                Some((name, "\"\"")) if name.contains('<') && name.contains("port") => "[8080]",
                Some((name, "\"\"")) if name.contains('<') => "[/web]",
                Some((_, "\"\"")) => "\"test\"",
                Some(("resource", "{}")) => {
                    "{id: web, spec: {containers: {main: {image: x, variables: {}}}, service: {ports: {http: {service_port: 80, container_port: 8080}}}}}"
                }
                _ => return format!("{line}\n"),
            };
            let (name, _) = line.split_once(": ").unwrap();
            format!("{name}: {value}\n")
        })
        .collect()
}

/// The Definitions of a file that can be tried, each as a manifest of its own.
fn tried(text: &str) -> Vec<&str> {
    let is_tried = |part: &&str| {
        ["humanitec/template", "humanitec/echo"].iter().any(|driver| part.contains(&format!("driver_type: {driver}")))
    };
    text.split("\n---\n").filter(is_tried).collect()
}

#[test]
fn every_official_template_definition_runs() {
    let Some(library) = library() else { return };
    let env = TestEnv::new();
    let (mut n_run, mut failures) = (0, String::new());
    for (file, text) in yaml_files(&library) {
        for definition in tried(&text) {
            env.write("def.yaml", definition);
            let skeleton = env.run("resources test-definition def.yaml --generate").ok().stdout;
            env.write("inputs.yaml", &plausible(&skeleton));
            let run = env.run("resources test-definition def.yaml --inputs inputs.yaml");
            if run.code != 0 {
                let name = file.strip_prefix(&library).unwrap().display();
                failures.push_str(&format!("{name}: {}", run.fails().stderr));
            }
            n_run += 1;
        }
    }
    assert!(n_run > 40, "{n_run}");
    // Go refuses this one too: its comment ends with `*//}` (spec/drivers.md §7.3).
    insta::assert_snapshot!(failures, @"resource-graph-patterns/propagate-id/def-workload.yaml: Error: def.yaml: templates.outputs:7:5: comment ends before closing delimiter; end it with `*/}}` or `*/ -}}`");
}
