//! Secrets and the files of Kubernetes objects: what is secret is fetched in the
//! cluster, or not written at all.

use serde_json::json;

use crate::harness::{HttpGit, TestEnv, git_cluster};
use crate::manifests::{definition, object, objects_shop};
use crate::secrets::{CANARY, contains, holds_canary};

/// A secret of the Git target, which nothing that is deployed may hold.
fn with_password(env: &TestEnv, url: &str, rest: &str) {
    let text = git_cluster(url, "path: x", &format!("      branch: main\n      output: manifests\n{rest}"))
        .replace("  criteria:", &format!("    secrets: {{credentials: {{password: \"{CANARY}\"}}}}\n  criteria:"));
    env.write("secret/cluster.yaml", &text).run("apply -f secret/cluster.yaml").ok();
    env.run("create app shop").ok();
}

#[test]
fn a_password_of_the_target_is_in_no_object() {
    let env = TestEnv::new();
    let remote = env.remote("served/r");
    let server = HttpGit::start(&env.path("served"), "bot", CANARY);
    with_password(&env, &server.url("r.git"), "      username: bot\n");
    let outputs: Vec<String> = ["", " -v9", " --plan"]
        .iter()
        .map(|flags| {
            env.score("web", "    variables: {A: b}\n")
                .run(&format!("score deploy --app shop --env development{flags}"))
        })
        .map(|run| run.stdout + &run.stderr)
        .collect();
    assert!(remote.list("main", "x").contains(&"deployment-web.yaml".to_owned()), "{outputs:?}");
    assert!(!contains(&remote.all_objects()) && !contains(outputs.concat().as_bytes()));
    assert_eq!(holds_canary(env.home()), Vec::<String>::new());
}

#[test]
fn a_known_secret_that_turns_up_in_an_object_stops_the_commit() {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(CANARY);
    let uses = "resources:\n  db: {type: postgres}\n";
    let plain = "    values: {templates: {outputs: \"host: x\"}}\n".to_owned();
    let manifest = |object: &str| {
        format!("    values: {{templates: {{manifests: {{a.yaml: {{location: namespace, data: {object}}}}}}}}}\n")
    };
    // Where; the Score file after its container; what the database is made with.
    let rows: [(&str, String, String); 7] = [
        ("ConfigMap of variables", format!("    variables: {{A: \"{CANARY}\"}}\n{uses}"), plain.clone()),
        ("ConfigMap of files", format!("    files: {{/f: {{content: \"a={CANARY}\"}}}}\n{uses}"), plain.clone()),
        ("encoded file", format!("    files: {{/f: {{binaryContent: \"{encoded}\"}}}}\n{uses}"), plain.clone()),
        ("argument", format!("    args: [\"--password={CANARY}\"]\n{uses}"), plain),
        (
            "ConfigMap of a resource",
            uses.to_owned(),
            manifest(&format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{a: \"{CANARY}\"}}}}")),
        ),
        (
            "Secret of a resource",
            uses.to_owned(),
            manifest(&format!("{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, data: {{a: \"{encoded}\"}}}}")),
        ),
        (
            "output that is a variable",
            format!("    variables: {{A: \"${{resources.db.host}}\"}}\n{uses}"),
            format!("    values: {{templates: {{outputs: \"host: {CANARY}\"}}}}\n"),
        ),
    ];
    for (place, score, inputs) in rows {
        let env = TestEnv::new();
        let remote = env.remote("r");
        with_password(&env, &remote.url(), "");
        env.write("db.yaml", &definition("pg-db", "postgres", "template", &inputs)).run("apply -f db.yaml").ok();
        let failed = env.score("web", &score).run("score deploy --app shop --env development -v8");
        assert_eq!(failed.code, 1, "{place}: {}", failed.stdout);
        assert!(failed.stderr.contains("would hold a secret value"), "{place}: {}", failed.stderr);
        assert!(!contains(failed.stderr.as_bytes()), "{place}: {}", failed.stderr);
        assert!(!contains(&remote.all_objects()), "{place}");
    }
}

#[test]
fn secret_values_of_definitions_and_shared_values_are_refused() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    let inputs = format!("    values: {{host: db}}\n    secrets: {{password: \"{CANARY}\"}}\n");
    env.write("secret/pg.yaml", &definition("pg-literal", "postgres", "echo", &inputs));
    env.run("apply -f secret/pg.yaml").ok();
    env.run_args(&["create", "value", "TOKEN", CANARY, "--app", "shop", "--is-secret"]).ok();
    let uses_value = "    variables: {A: \"x-${resources.env.TOKEN}\"}\nresources:\n  env: {type: environment}\n";
    for score in ["resources:\n  db: {type: postgres}\n", uses_value] {
        let failed = env.score("web", score).run("score deploy --app shop --env development -v9");
        assert!(failed.code == 1 && failed.stderr.contains("PLN-013"), "{}", failed.stderr);
        assert!(!contains(failed.stderr.as_bytes()), "{}", failed.stderr);
    }
    assert_eq!(remote.n_commits("main"), 0);
    // What does not need them is deployed beside them.
    env.score("web", "").deploy().ok();
    assert!(!contains(&remote.all_objects()));
    assert_eq!(holds_canary(&env.home().join(".cache")), Vec::<String>::new());
}

#[test]
fn a_shared_value_in_a_store_is_fetched_from_there() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    env.run("create value TOKEN api/token --is-secret-ref --secret-store team-vault --app shop").ok();
    let score = "    variables: {HEADER: \"Bearer ${resources.env.TOKEN}\"}\nresources:\n  env: {type: environment}\n";
    env.score("web", score).deploy().ok();
    insta::assert_snapshot!(remote.show("main", "shop/development/externalsecret-web-secrets-main.yaml"), @"
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      labels:
        app.kubernetes.io/managed-by: humctl
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: web
      name: web-secrets-main
    spec:
      data:
      - remoteRef:
          key: api/token
        secretKey: s1
      secretStoreRef:
        kind: ClusterSecretStore
        name: team-vault
      target:
        creationPolicy: Owner
        name: web-secrets-main
        template:
          data:
            HEADER: Bearer {{ .s1 }}
          engineVersion: v2
          metadata:
            labels:
              app.kubernetes.io/managed-by: humctl
              humanitec.io/app: shop
              humanitec.io/env: development
              humanitec.io/workload: web
    ");
    let deployment = object(&remote, "main", "shop/development/deployment-web.yaml");
    assert_eq!(
        deployment["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{"name": "HEADER", "valueFrom": {"secretKeyRef": {"name": "web-secrets-main", "key": "HEADER"}}}])
    );
}

#[test]
fn a_password_that_a_template_makes_up_has_no_place_in_git() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    let inputs = "    values:
      templates:
        init: |
          {{- if .cookie }}
          password: {{ .cookie.password | toRawJson }}
          {{- else }}
          password: {{ randAlphaNum 16 | quote }}
          {{- end }}
        cookie: 'password: {{ .init.password | toRawJson }}'
        outputs: 'host: db'
        secrets: 'password: {{ .init.password | toRawJson }}'
";
    env.write("pg.yaml", &definition("pg-random", "postgres", "template", inputs)).run("apply -f pg.yaml").ok();
    env.score("web", "    variables: {P: \"${resources.db.password}\"}\nresources:\n  db: {type: postgres}\n");
    insta::assert_snapshot!(env.deploy().fails().errors(), @"
    Error: deployment [ID] failed
    PRV-006 Secret values cannot be written to Git (resource postgres.default#modules.web.externals.db): Definition `pg-random`, matched for `postgres.default#modules.web.externals.db`, makes secrets that exist only as values, and values are never written to Git: `password`
      hint: register a Vault with a token as primary secret store, and they are kept there (kind SecretStore); or name them in a secret store, as secret_refs with `store` and `ref`, and hand them on: {{ .driver.secrets.NAME }}; or give the outputs with --outputs FILE
    ");
    assert_eq!(remote.n_commits("main"), 0);
    assert_eq!(remote.all_objects(), b"");
    let plan = env.run("score deploy --app shop --env development --plan");
    assert!(plan.code == 1 && plan.stderr.contains("PRV-006"), "{}", plan.stderr);
}

#[test]
fn a_made_up_password_is_not_written_as_a_secret_of_kubernetes() {
    const SECRET: &str = "{apiVersion: v1, kind: Secret, metadata: {name: {{ .init.name }}}, ";
    for (data, is_refused) in [
        ("stringData: {url: \"pg://u:{{ .init.password }}@{{ .init.name }}\"}}", true),
        ("data: {password: {{ .init.password | b64enc }}}}", true),
        // A name is no secret.
        ("stringData: {host: {{ .init.name }}}}", false),
    ] {
        let env = TestEnv::new();
        let remote = objects_shop(&env, "");
        let inputs = format!(
            "    values:
      templates:
        init: |
          name: db-{{{{ randAlphaNum 8 | lower }}}}
          password: {{{{ randAlphaNum 16 | quote }}}}
        outputs: 'host: {{{{ .init.name }}}}'
        manifests: |
          s.yaml:
            location: namespace
            data: {SECRET}{data}
"
        );
        env.write("pg.yaml", &definition("pg-random", "postgres", "template", &inputs)).run("apply -f pg.yaml").ok();
        let deployed = env.score("web", "resources:\n  db: {type: postgres}\n").deploy();
        match is_refused {
            true => {
                let told = deployed.fails().stderr;
                assert!(told.contains("PRV-006") && told.contains("`manifest s.yaml`"), "{told}");
                assert_eq!(remote.all_objects(), b"", "{data}");
            }
            false => drop(deployed.ok()),
        }
    }
}

#[test]
fn a_secret_may_be_encoded_where_kubernetes_wants_base64() {
    let inputs = r#"    values:
      templates:
        init: |
          config:
            auths:
              registry.example.com:
                auth: {{ printf "%s:" .driver.values.user | b64enc }}
                password: {{ .driver.secrets.password | toRawJson }}
        outputs: 'host: db'
        secrets: 'header: Basic {{ .driver.secrets.password | b64enc }}'
        manifests: |
          s.yaml:
            location: namespace
            data:
              apiVersion: v1
              kind: Secret
              metadata: {name: pull}
              type: kubernetes.io/dockerconfigjson
              data:
                .dockerconfigjson: {{ .init.config | toRawJson | b64enc }}
      user: bot
    secret_refs: {password: {store: team-vault, ref: registry}}
"#;
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    env.write("pg.yaml", &definition("pg-made", "postgres", "template", inputs)).run("apply -f pg.yaml").ok();
    env.score("web", "    variables: {H: \"${resources.db.header}\"}\nresources:\n  db: {type: postgres}\n")
        .deploy()
        .ok();
    let template = |file: &str| {
        let secret = object(&remote, "main", &format!("shop/development/externalsecret-{file}.yaml"));
        secret["spec"]["target"]["template"]["data"].clone()
    };
    assert_eq!(
        template("pull")[".dockerconfigjson"],
        r#"{"auths":{"registry.example.com":{"auth":"Ym90Og==","password":"{{ .s1 }}"}}}"#
    );
    assert_eq!(template("web-secrets-main")["H"], "Basic {{ .s1 | b64enc }}");
}
