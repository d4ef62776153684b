//! Templates → outputs, while planning.

use serde_json::json;

use super::*;
use crate::driver::in_process;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn call(values: &Value, secret_refs: &Value) -> DriverCall<'static> {
    DriverCall {
        values: object(values),
        secret_refs: object(secret_refs),
        guresid: "abc".to_owned(),
        resource: TemplateValue::map([
            ("host", TemplateValue::text("h")),
            ("password", TemplateValue::Hidden("unknown".into())),
        ]),
        ..DriverCall::default()
    }
}

fn provision(values: &Value, secret_refs: &Value) -> Result<Outputs, DriverError> {
    in_process(DRIVER_TYPE).unwrap().provision(call(values, secret_refs))
}

/// The outputs of one template for `outputs`.
fn outputs(template: &Value) -> Result<Value, DriverError> {
    let values = json!({"templates": {"outputs": template}, "n": 5432, "list": ["a"], "e": ""});
    let secrets = json!({"password": {"store": "vault", "ref": "db/password"}});
    provision(&values, &secrets).map(|outputs| Value::Object(outputs.values))
}

#[test]
fn outputs_are_rendered_and_read_as_yaml() {
    for (template, expected) in [
        (json!("a: 1\nb: 1.5\nc: yes\nd: \"1\"\n"), json!({"a": 1, "b": 1.5, "c": "yes", "d": "1"})),
        (json!("id: {{ .id }}\nn: {{ .driver.values.n }}"), json!({"id": "abc", "n": 5432})),
        (json!("host: {{ .resource.host }}"), json!({"host": "h"})),
        (json!("x: {{ .cookie | toRawJson }}"), json!({"x": null})),
        (json!({"a": "{{ .id }}", "b": true, "c": ["{{ 1 }}"]}), json!({"a": "abc", "b": true, "c": [1]})),
        (json!(""), json!({})),
        (json!("{{- /* nothing */ -}}\n# nothing\n"), json!({})),
        (json!(null), json!({})),
        (json!("{{ if .driver.values.e }}a: 1{{ end }}"), json!({})),
        (json!("t: {{ hasKey .driver.values \"templates\" }}"), json!({"t": true})),
        // A secret that is not looked at does not matter.
        (json!("x: {{ hasKey .driver.secrets \"password\" }}"), json!({"x": true})),
    ] {
        assert_eq!(outputs(&template), Ok(expected), "{template}");
    }
}

#[test]
fn templates_are_rendered_in_order() {
    let values = json!({"templates": {
        "init": "name: x-{{ .id }}",
        "manifests": "m: {location: namespace, data: {name: {{ .init.name }}}}",
        "outputs": "name: {{ .init.name }}",
        "secrets": {},
        "cookie": "{{ .init | toRawJson }}",
    }});
    let inputs = TemplateInputs {
        templates: values.get("templates"),
        values: TemplateValue::from_json(&values),
        secrets: TemplateValue::map([]),
        secret_templates: None,
        resource: TemplateValue::Missing,
        guresid: "1",
        cookie: TemplateValue::Nil,
        markers: None,
        scanner: SecretScanner::default(),
        random: None,
    };
    let rendered = render(inputs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rendered.init, Ok(json!({"name": "x-1"})));
    assert_eq!(
        rendered.manifests.map(Value::Object),
        Ok(json!({"m": {"location": "namespace", "data": {"name": "x-1"}}}))
    );
    assert_eq!(rendered.outputs.map(Value::Object), Ok(json!({"name": "x-1"})));
    assert_eq!(rendered.cookie, Ok(json!({"name": "x-1"})));
}

#[test]
fn what_depends_on_secrets_or_chance_is_unknown() {
    for template in [
        "x: {{ .driver.secrets.password }}",
        "x: {{ .driver | toRawJson }}",
        "{{ if .driver.secrets.password }}x: 1{{ end }}",
        "x: {{ .resource.password }}",
        "x: {{ randAlpha 5 }}",
    ] {
        let error = outputs(&json!(template)).unwrap_err();
        assert!(matches!(error, DriverError::Unknown(_)), "{template}: {error}");
        assert!(!error.to_string().contains("humctl-reference"), "{error}");
    }
    // An unknown `init` makes unknown what looks at it, and nothing else.
    let with_init = |outputs: &str| {
        provision(&json!({"templates": {"init": "{{ randAlpha 5 }}", "outputs": outputs}}), &json!({}))
            .map(|outputs| Value::Object(outputs.values))
    };
    assert_eq!(with_init("x: {{ .id }}"), Ok(json!({"x": "abc"})));
    assert!(matches!(with_init("x: {{ .init }}"), Err(DriverError::Unknown(_))));
}

#[test]
fn secrets_are_passed_on_as_references() {
    let reference = json!({"store": "vault", "ref": "db/password"});
    let refs = json!({"password": reference, "user": {"store": "vault", "ref": "db/user"}});
    let secrets = |template: &Value| {
        provision(&json!({"templates": {"outputs": "a: 1", "secrets": template}}), &refs)
            .map(|outputs| Value::Object(outputs.secret_refs))
    };
    for template in [
        json!("credentials:\n  password: {{ .driver.secrets.password }}"),
        json!("credentials: {password: {{ .driver.secrets.password | toRawJson }}}"),
        json!({"credentials": {"password": "{{ .driver.secrets.password | quote }}"}}),
    ] {
        assert_eq!(secrets(&template), Ok(json!({"credentials": {"password": reference}})), "{template}");
    }
    assert_eq!(secrets(&json!("{{ .driver.secrets | toRawJson }}")), Ok(refs.clone()));
    for template in [
        "x: {{ .driver.secrets.user }}:{{ .driver.secrets.password }}",
        "x: {{ .driver.secrets.password | b64enc }}",
        "x: literal",
        "x: {{ .resource.password }}",
        "x: {{ randAlpha 10 }}",
    ] {
        let error = secrets(&json!(template)).unwrap_err();
        assert!(matches!(error, DriverError::Unknown(_)), "{template}: {error}");
    }
    let old = json!({"templates": {"outputs": {"store": "vault", "ref": "t"}}});
    assert!(matches!(provision(&json!({"templates": {}}), &old), Err(DriverError::Unknown(_))));
}

#[test]
fn what_is_wrong_is_told_with_key_and_line() {
    let failed = |values: Value| match provision(&values, &json!({})) {
        Err(DriverError::Failed(reason)) => reason,
        other => panic!("{values}: {other:?}"),
    };
    let all = [
        json!({}),
        json!({"templates": "x"}),
        json!({"templates": {"output": "a: 1"}}),
        json!({"templates": {"outputs": "a: 1\nb: {{ .id | uper }}"}}),
        json!({"templates": {"outputs": "a: 1\nb: {{ index .driver.values.list 3 }}", "x": 1}, "list": []}),
        json!({"templates": {"outputs": "a: 1\nb: {{ index .driver.values.list 3 }}"}, "list": []}),
        json!({"templates": {"outputs": {"host": "{{ fail \"no host\" }}"}}}),
        json!({"templates": {"outputs": "one: 1\ntwo: [1\nthree: 3"}}),
        json!({"templates": {"outputs": "- a"}}),
        json!({"templates": {"outputs": "x: {{ now }}"}}),
        json!({"templates": {"outputs": "{{ range until 100000000 }}x{{ end }}"}}),
        json!({"templates": {"outputs": "{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}"}}),
        json!({"templates": {"init": "{{ .cookie.a }}"}}),
        json!({"templates": {"secrets": "text"}}),
        json!({"templates": {"manifests": "m: {data: {}}"}}),
        json!({"templates": {"manifests": "m: {location: nowhere, data: {}}"}}),
        json!({"templates": {"manifests": "m: {location: cluster, data: []}"}}),
        json!({"templates": {"manifests": {"m": {"location": "volumes"}}}}),
        json!({"templates": {"manifests": {"m": {"location": "volume", "data": {}}}}}),
        json!({"templates": {"manifests": "a: {location: volumes, data: {name: v}}\nb: {location: volumes, data: \"name: v\"}"}}),
        json!({"templates": {"manifests": "{{- /* x *//}}"}}),
        json!({"templates": {"cookie": "a: 1\n---\nb: 2"}}),
    ]
    .map(failed);
    insta::assert_snapshot!(all.join("\n"), @r#"
    the value `templates` is missing
    the value `templates` is no mapping
    `templates` has no key `output`; did you mean `outputs`?
      hint: known are init, manifests, outputs, secrets, cookie
    templates.outputs:2:13: function "uper" not defined; did you mean "upper"?
    `templates` has no key `x`
      hint: known are init, manifests, outputs, secrets, cookie
    templates.outputs:2:7: at <index .driver.values.list 3>: error calling index: index out of range: 3
    templates.outputs.host:1:4: no host
    templates.outputs: the rendered text is no YAML: 3:6: illegal placement of ':' indicator
         1 | one: 1
         2 | two: [1
         3 | three: 3
    templates.outputs makes a list, and has to make a mapping
    templates.outputs:1:7: function "now" is not available: it reads the clock, and the same inputs have to give the same output
    templates.outputs:1:10: at <until 100000000>: the template takes more than 1000000 steps
    templates.outputs:1:20: at <template "a">: blocks, templates and parentheses nest deeper than 100 levels
    templates.init:1:4: at <.cookie.a>: nil pointer evaluating interface {}.a
    templates.secrets makes text, and has to make a mapping
    templates.manifests.m: it has no `location`
      hint: known are cluster, containers, namespace, volumes
    templates.manifests.m: there is no location `nowhere`
      hint: known are cluster, containers, namespace, volumes
    templates.manifests.m: its `data` is a list, and has to be a mapping
    templates.manifests.m: it has no `data`
    templates.manifests.m: there is no location `volume`
      hint: did you mean `volumes`?
    templates.manifests: `a` and `b` both make a volume named `v`
      hint: names are unique in a pod; ${context.res.guresid} with a suffix makes good ones
    templates.manifests:1:12: comment ends before closing delimiter; end it with `*/}}` or `*/ -}}`
    templates.cookie: the rendered text is no YAML: it has 2 documents
    "#);
}

#[test]
fn manifests_come_to_one_form() {
    let expected = json!({"location": "volumes", "data": {"name": "v"}});
    for (value, key) in [
        (json!({"a": {"location": "volumes", "data": {"name": "v"}}}), "a"),
        (json!({"a": {"location": "volumes", "data": "name: v"}}), "a"),
        (json!([{"location": "volumes", "manifest": {"name": "v"}}]), "0"),
    ] {
        let found = manifests(value.clone()).unwrap();
        assert_eq!(found.get(key), Some(&expected), "{value}");
    }
    assert_eq!(manifests(Value::Null), Ok(Map::new()));
}

#[test]
fn what_was_made_does_not_show_in_debug_text() {
    let tree = |text: &str| Map::from_iter([("x".to_owned(), json!(text))]);
    let made = Made {
        values: tree("hidden-1"),
        secrets: tree("hidden-2"),
        manifests: tree("hidden-3"),
        cookie: json!("hidden-4"),
    };
    for shown in [format!("{made:?}"), format!("{:#?}", Ok::<_, ()>(&made))] {
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
