//! What `resources test-definition` makes of Definitions and inputs.

use super::*;

fn definition(driver_type: &str, driver_inputs: &Value) -> CreateDefinition {
    serde_json::from_value(json!({
        "id": "def", "name": "def", "type": "redis", "driver_type": driver_type, "driver_inputs": driver_inputs,
    }))
    .unwrap()
}

#[test]
fn a_skeleton_has_a_line_for_each_placeholder_and_secret() {
    let inputs = json!({
        "values": {
            "id": "${context.res.id}",
            "text": "a ${resources['config#app'].outputs.region} b ${context.res.id} $\\{not.this}",
            "templates": {"outputs": "x: ${resources.dns<route.outputs.path}\ny: ${[\"shared\"].x}"},
        },
        "secret_refs": {
            "password": {"store": "vault", "ref": "p"},
            "nested": {"user": {"store": "vault", "ref": "u"}},
            "token": {"value": "${resources.other.outputs.token}"},
        },
    });
    insta::assert_snapshot!(skeleton(&definition("humanitec/template", &inputs), false).unwrap(), @r#"
    cookie: null
    placeholders:
      '["shared"].x': ""
      context.res.id: ""
      resources.dns<route.outputs.path: ""
      resources.other.outputs.token: ""
      resources['config#app'].outputs.region: ""
    resource: {}
    secretRefs:
      nested:
        user: ""
      password: ""
    "#);
    let plain = skeleton(&definition("acme/any", &json!({"values": {"a": 1}})), true).unwrap();
    assert_eq!(plain, "cookie: null\nplaceholders: {}\nresource: {}\nsecretRefs: {}\n");
}

fn run_with(definition: &CreateDefinition, inputs: &str) -> Result<Value, String> {
    read_inputs(inputs)
        .and_then(|inputs| run(definition, &inputs))
        .map(|trial| trial.result)
        .map_err(|error| error.to_string())
}

#[test]
fn an_echo_definition_gives_back_its_inputs() {
    let inputs = json!({
        "values": {"region": "${resources['config#app'].outputs.region}", "list": ["${context.app.id}-x"], "n": 1},
        "secrets": {"key": "k-${context.app.id}", "literal": "l"},
    });
    let text = "placeholders:\n  context.app.id: shop\n  resources[\"config#app\"].outputs.region: {a: 1}\n";
    assert_eq!(
        run_with(&definition("humanitec/echo", &inputs), text),
        Ok(json!({
            "values": {"region": {"a": 1}, "list": ["shop-x"], "n": 1},
            "secrets": {"key": "k-shop", "literal": "l"},
        }))
    );
}

#[test]
fn a_template_definition_gives_what_its_templates_make() {
    let inputs = json!({
        "values": {"resId": "${context.res.id}", "templates": {
            "init": "{{- if .cookie }}\npw: {{ .cookie.pw | toRawJson }}\n{{- else }}\npw: {{ randAlphaNum 16 | quote }}\n{{- end }}\nname: cache-{{ index (splitList \".\" .driver.values.resId) 1 }}",
            "manifests": {"svc": {"location": "namespace", "data": "kind: Service\nname: {{ .init.name }}"}},
            "outputs": "host: {{ .init.name }}\nport: {{ .resource.port | default 6379 }}\nid: {{ .id }}",
            "secrets": "password: {{ .init.pw }}\ntoken: {{ .driver.secrets.token }}\nurl: redis://{{ .outputs.values.host }}",
            "cookie": "pw: {{ .init.pw | toRawJson }}",
        }},
        "secret_refs": {"token": {"store": "vault", "ref": "t"}},
    });
    let definition = definition("humanitec/template", &inputs);
    let text =
        "placeholders: {context.res.id: modules.web.externals.db}\nresource: {port: 1}\nsecretRefs: {token: t1}\n";
    let first = run_with(&definition, text).unwrap();
    assert_eq!(run_with(&definition, text).unwrap(), first);
    assert_eq!(first["outputs"], json!({"host": "cache-web", "port": 1, "id": first["outputs"]["id"]}));
    assert_eq!(first["manifests"]["svc"]["data"], json!({"kind": "Service", "name": "cache-web"}));
    assert_eq!(first["secrets"]["token"], json!("t1"));
    assert_eq!(first["secrets"]["url"], json!("redis://cache-web"));
    // With its cookie, the second run keeps what the first one made up.
    let cookie = format!("{text}cookie: {}\n", first["cookie"]);
    assert_eq!(run_with(&definition, &cookie).unwrap(), first);
    let other = format!("{text}cookie: {{pw: other}}\n");
    assert_eq!(run_with(&definition, &other).unwrap()["secrets"]["password"], json!("other"));
}

#[test]
fn what_is_missing_or_wrong_is_told_at_once() {
    let inputs = json!({
        "values": {"a": "${context.res.id}", "b": ["${values.X}"], "templates": {"outputs": "a: {{ fail \"no\" }}"}},
        "secret_refs": {"p": {"store": "vault", "ref": "p"}},
    });
    let definition = definition("humanitec/template", &inputs);
    let full = "placeholders: {context.res.id: x, values.X: y}\nsecretRefs: {p: canary-secret}\n";
    let errors = [
        run_with(&definition, "").unwrap_err(),
        run_with(&definition, full).unwrap_err(),
        run_with(&definition, "placeholder: {}\nx: 1").unwrap_err(),
        run_with(&definition, "placeholders: {a b: 1}").unwrap_err(),
        run_with(&definition, "secretRefs: canary-secret").unwrap_err(),
        run_with(&definition, "- a").unwrap_err(),
        skeleton(&self::definition("humanitec/terraform", &json!({})), false).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(errors.join("\n\n"), @"
    driver_inputs.values.a: placeholder `${context.res.id}` has no value
      hint: add `context.res.id:` under `placeholders` of the inputs file
    Error: driver_inputs.values.b.0: placeholder `${values.X}` has no value
      hint: add `values.X:` under `placeholders` of the inputs file
    Error: secretRefs.p: the secret has no value
      hint: add it to the inputs file

    templates.outputs:1:7: no

    unknown key `placeholder`
      hint: did you mean `placeholders`?
    Error: unknown key `x`
      hint: known are cookie, placeholders, resource, secretRefs

    placeholders: `a b` is no placeholder: placeholder `${a b}`: a part of its path has a character that needs brackets and quotes

    `secretRefs` is no mapping

    an inputs file is a mapping

    Definition `def` is for the Driver `humanitec/terraform`, which does not run here
      hint: test-definition runs `humanitec/echo` and `humanitec/template`; an HTTP Driver runs with --driver-url URL
    ");
}

#[test]
fn what_the_operator_may_read_differently_is_a_warning() {
    let warnings = |templates: Value, inputs: &str| {
        let inputs_of = json!({
            "values": {"templates": templates},
            "secret_refs": {"pin": {"store": "vault", "ref": "p"}},
        });
        let inputs = read_inputs(&format!("secretRefs: {{pin: \"471100\"}}\n{inputs}")).unwrap();
        run(&definition("humanitec/template", &inputs_of), &inputs).unwrap().warnings
    };
    for (templates, inputs, expected) in [
        (json!({"outputs": "a: \"yes\"\nb: {{ .id | quote }}"}), "", &[][..]),
        (json!({"outputs": "a: no"}), "", &["templates.outputs: `a` is the bare word `no`"]),
        (json!({"outputs": {"a": "yes"}}), "", &["templates.outputs.a: its text is the bare word `yes`"]),
        (
            json!({"manifests": {"m": {"location": "namespace", "data": "spec: {on: 1}"}}}),
            "",
            &["templates.manifests.m.data: a key is the bare word `on`"],
        ),
        (
            json!({"manifests": "m:\n  location: namespace\n  data: |\n    spec: {a: off}\n"}),
            "",
            &["templates.manifests.m.data: `spec.a` is the bare word `off`"],
        ),
        (json!({"init": "pw: {{ randNumeric 12 | quote }}"}), "", &[]),
        (
            json!({"init": "pw: {{ randNumeric 12 | quote }}", "cookie": "pw: {{ .init.pw }}"}),
            "",
            &["templates.cookie: `pw` gets a random or secret text"],
        ),
        (json!({"init": "pw: {{ randNumeric 12 }}"}), "", &["templates.init: `pw` gets a random"]),
        (
            json!({"cookie": "pw: {{ .cookie.pw }}"}),
            "cookie: {pw: \"12e3\"}",
            &["templates.cookie: `pw` gets a random or secret text without quotes, and becomes a number"],
        ),
        (json!({"secrets": "pin: {{ .driver.secrets.pin }}"}), "", &["templates.secrets: `pin` gets"]),
        (
            json!({"outputs": "a: ${values.A}"}),
            "placeholders: {values.A: \"{{ 1 }}\"}",
            &["driver_inputs.values.templates.outputs: the value of placeholder `${values.A}` holds `{{`"],
        ),
    ] {
        let found = warnings(templates.clone(), inputs);
        assert_eq!(found.len(), expected.len(), "{templates}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{templates}: {found}");
            assert!(!found.contains("471100"), "{found}");
        }
    }
}

#[test]
fn template_text_in_a_placeholder_is_named_as_the_cause() {
    let inputs = json!({"values": {"templates": {"outputs": "a: ${values.A}"}}});
    let error = run_with(&definition("humanitec/template", &inputs), "placeholders: {values.A: \"{{ canary\"}");
    let error = error.unwrap_err();
    assert!(error.contains("\n  caused by: driver_inputs.values.templates.outputs: the value of"), "{error}");
}

#[test]
fn errors_show_no_secret() {
    for template in [
        "a: [{{ .driver.secrets.p }}\nb: 1",
        "{{ fail .driver.secrets.p }}",
        "{{ .driver.secrets.p | b64enc | fail }}",
        "{{ printf \"the password %s is too short\" .driver.secrets.p | fail }}",
        "{{ range $k, $v := .driver.secrets.p }}{{ end }}",
    ] {
        let inputs = json!({
            "values": {"templates": {"outputs": template}}, "secret_refs": {"p": {"store": "vault", "ref": "p"}},
        });
        let error = run_with(&definition("humanitec/template", &inputs), "secretRefs: {p: canary-secret}");
        let error = error.unwrap_err();
        let shows = ["canary", "Y2FuYXJ5"].iter().any(|form| error.contains(form));
        assert!(error.contains("templates.outputs") && !shows, "{template}: {error}");
    }
}
