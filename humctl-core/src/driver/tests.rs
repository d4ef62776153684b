//! Items 3, 4, 5 and 10 of the test list of spec/drivers.md §19. Items 1 and 2
//! are `template/tests.rs`, `template/vectors.rs` and the official examples;
//! 6 is `lowering/tests.rs`; 7 is black-box; 8 is `plan/update.rs`; 9 is the
//! client of HTTP Drivers.

use humctl_api_types::definition::CreateDefinition;
use serde_json::{Map, Value, json};

use super::trial::{self, TrialInputs};
use super::*;
use crate::git::GitTarget;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn provision(driver_type: &str, values: &Value, secret_refs: &Value) -> Outputs {
    let call = DriverCall { values: object(values), secret_refs: object(secret_refs), ..DriverCall::default() };
    in_process(driver_type).unwrap().provision(call).unwrap()
}

#[test]
fn an_in_cluster_pack_keeps_its_names_and_passwords() {
    // Item 3, in the manner of §15: names by kind of resource, everything generated kept in the cookie.
    let init = "{{- if .cookie }}\n{{ .cookie | toRawJson }}\n{{- else }}\nuser: {{ randAlpha 8 | lower | quote }}\n\
                pw: {{ randAlphaNum 16 | quote }}\n\
                {{- if regexMatch \"modules\\\\.[a-z0-9-]+\\\\.externals\" .driver.values.resId }}\n\
                name: pg-{{ index (splitList \".\" .driver.values.resId) 1 | substr 0 19 }}-{{ index (splitList \".\" .driver.values.resId) 3 | substr 0 19 }}\n\
                {{- else }}\nname: pg-{{ index (splitList \".\" .driver.values.resId) 1 | substr 0 38 }}\n{{- end }}\n{{- end }}\n";
    let definition: CreateDefinition = serde_json::from_value(json!({
        "id": "pg-pack", "name": "pg-pack", "type": "postgres", "driver_type": "humanitec/template",
        "driver_inputs": {"values": {"resId": "${context.res.id}", "templates": {
            "init": init, "cookie": "{{ .init | toRawJson }}",
            "outputs": "host: {{ .init.name }}\nport: 5432\nname: app\n",
            "secrets": "username: {{ .init.user | toRawJson }}\npassword: {{ .init.pw | toRawJson }}\n",
        }}},
    }))
    .unwrap();
    // Id of the resource, host.
    for (id, host) in [
        ("shared.db", "pg-db"),
        ("modules.web.externals.db", "pg-web-db"),
        (
            "modules.a-very-long-name-of-a-workload.externals.a-very-long-name-of-a-database",
            "pg-a-very-long-name-of-a-very-long-name-of",
        ),
    ] {
        let run = |cookie: &Value| {
            let inputs = json!({"cookie": cookie, "placeholders": {"context.res.id": id}});
            let inputs: TrialInputs = serde_json::from_value(inputs).unwrap();
            trial::run(&definition, &inputs).unwrap().result
        };
        let first = run(&Value::Null);
        assert_eq!(first["outputs"]["host"].as_str().unwrap().trim_end_matches('-'), host.trim_end_matches('-'));
        assert_eq!(first["secrets"]["password"].as_str().unwrap().len(), 16);
        assert_eq!(run(&first["cookie"]), first, "{id}");
    }
}

#[test]
fn echo_repeats_what_it_gets() {
    // Item 4.
    let values = json!({"job": {"image": "x", "args": [1, true, null, {"a": []}]}, "n": 2.5, "empty": {}});
    let secret_refs =
        json!({"a": {"b": {"store": "vault", "ref": "p", "version": "1"}}, "c": {"value": "${resources.x.outputs.y}"}});
    for driver_type in ["humanitec/echo", "humanitec/static"] {
        let outputs = provision(driver_type, &values, &secret_refs);
        assert_eq!((&outputs.values, &outputs.secret_refs), (&object(&values), &object(&secret_refs)));
        assert!(outputs.manifests.is_empty());
    }
}

#[test]
fn a_git_target_is_the_same_however_it_is_made() {
    // Item 5.
    let secrets = json!({"credentials": {"password": {"store": "humanitec", "ref": "p", "version": "1"}}});
    let target = |outputs: &Outputs| format!("{:?}", GitTarget::from_outputs(outputs).unwrap());
    let values =
        json!({"url": "https://git.example.net/deploy.git", "path": "shop/dev", "username": "bot", "branch": ""});
    let mut with_type = values.clone();
    with_type["cluster_type"] = json!("git");
    let templates = json!({"templates": {
        "outputs": "cluster_type: git\nurl: https://git.example.net/deploy.git\nbranch: \"\"\npath: shop/dev\nusername: bot\nloadbalancer: \"\"\n",
        "secrets": "credentials: {password: {{ .driver.secrets.credentials.password | toRawJson }}}",
    }});
    let expected = target(&provision("humanitec/k8s-cluster-git", &values, &secrets));
    assert_eq!(target(&provision("humanitec/echo", &with_type, &secrets)), expected);
    assert_eq!(target(&provision("humanitec/template", &templates, &secrets)), expected);
    let other =
        json!({"url": "https://git.example.net/deploy.git", "path": "shop/dev", "username": "bot", "branch": "main"});
    assert_ne!(target(&provision("humanitec/k8s-cluster-git", &other, &secrets)), expected);
}

#[test]
fn secrets_may_read_the_outputs() {
    // Item 10.
    let templates = json!({"templates": {
        "outputs": "host: h\n", "secrets": "token: {{ if eq .outputs.values.host \"h\" }}{{ .driver.secrets.t }}{{ end }}",
    }});
    let secret = json!({"t": {"store": "vault", "ref": "t"}});
    assert_eq!(provision("humanitec/template", &templates, &secret).secret_refs["token"], secret["t"]);
}
