//! From a Deployment Set to what it comes to in Kubernetes.

mod laws;

use humctl_api_types::id::{DeploymentId, SetId};
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use serde_json::{Value, json};

use crate::builtin;
use crate::context::tests::{context, key};
use crate::graph::build::GraphInput;
use crate::graph::{ResourceTypes, SetIndex};
use crate::lowering::Drivers;
use crate::matching::Definitions;
use crate::matching::tests::definition;
use crate::plan::{DeployContext, plan_target};
use crate::provision::{GivenOutputs, Input, Memories, Memory, Nothing, Provisioned, provision};
use crate::render::plan_custom_resources;
use crate::template::Random;

const NOTHING: Nothing<'static> = Nothing { drivers: &Drivers::NONE, store: None };

struct Scene {
    definitions: Vec<(&'static str, &'static str, Value)>,
    set: Value,
    given: Value,
    memories: Memories,
}

impl Scene {
    /// A Workload `web` with one variable, and resources `db` and `files`.
    fn new(variable: &str) -> Self {
        let set = json!({"modules": {"web": {
            "profile": "humanitec/default-module",
            "externals": {"db": {"type": "postgres"}},
            "spec": {"containers": {"main": {"id": "main", "image": "busybox", "variables": {"X": variable}}}},
        }}});
        Self { definitions: Vec::new(), set, given: json!({}), memories: Memories::default() }
    }

    fn with(mut self, id: &'static str, res_type: &'static str, rest: Value) -> Self {
        self.definitions.push((id, res_type, rest));
        self
    }

    fn run(&self) -> Result<Provisioned, Vec<String>> {
        let context = context();
        let types = builtin::resource_types();
        let mut definitions = builtin::definitions(&context.org, &Timestamp::default());
        let target = json!({"driver_type": "humanitec/k8s-cluster-git", "criteria": [{}],
            "driver_inputs": {"values": {"url": "file:///r"}}});
        definitions.push(definition("git-target", "k8s-cluster", &target));
        for (id, res_type, rest) in &self.definitions {
            let mut rest = rest.clone();
            rest["criteria"] = json!([{}]);
            definitions.push(definition(id, res_type, &rest));
        }
        let definitions = Definitions::new(&definitions);
        let types = ResourceTypes::new(&types);
        let set: DeploymentSet = serde_json::from_value(self.set.clone()).unwrap();
        let index = SetIndex::new(&set).unwrap();
        let input = GraphInput::new(&context, &definitions, &types);
        let target = plan_target(input).into_result().unwrap();
        let deploy = DeployContext { deployment: DeploymentId::new("1a").unwrap(), set: SetId::new("s").unwrap() };
        let planned = plan_custom_resources(input, &index, &target, &deploy).into_result();
        let (_, resources) = planned.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let given = GivenOutputs::read(&self.given)?;
        let random = |id: &str| Random::seeded(crate::hash::sha256(id.as_bytes()));
        let input = Input {
            resources: &resources,
            given: &given,
            memories: &self.memories,
            random: &random,
            outside: &NOTHING,
        };
        let made = provision(&input).into_result();
        made.map_err(|errors| errors.iter().map(|error| format!("{}: {error}", error.code())).collect())
    }

    /// The text of the variable, or the errors.
    fn variable(&self) -> String {
        match self.run() {
            Ok(made) => {
                let rendered = &made.workloads[0].rendered;
                let text = |object: &crate::objects::Object| object.0.pointer("/data/X").cloned();
                let plain = rendered.objects.iter().find_map(text);
                let secret = || rendered.secrets.iter().find_map(|secret| secret.keys.get("X"));
                plain.map_or_else(|| format!("{:?}", secret().unwrap()), |text| text.as_str().unwrap().to_owned())
            }
            Err(errors) => errors.join("\n"),
        }
    }
}

fn template(templates: Value) -> Value {
    json!({"driver_type": "humanitec/template", "driver_inputs": {
        "values": {"templates": templates, "name": "${context.app.id}-db"},
        "secret_refs": {"pw": {"store": "vault", "ref": "db/pw"}},
    }})
}

const DB: &str = "postgres.default#modules.web.externals.db";

#[test]
fn outputs_reach_the_workload_whoever_makes_them() {
    let echo = json!({"driver_type": "humanitec/echo", "driver_inputs": {
        "values": {"host": "h-${context.env.id}", "port": 5432},
        "secret_refs": {"password": {"store": "vault", "ref": "db/pw"}},
    }});
    let made = template(json!({
        "init": "host: {{ .driver.values.name }}",
        "outputs": "host: {{ .init.host }}\nport: 5432\n",
        "secrets": "password: {{ .driver.secrets.pw }}\nurl: \"pg://u:{{ .driver.secrets.pw }}@h\"",
    }));
    let host = "${modules.web.externals.db.host}:${modules.web.externals.db.port}";
    let password = "${modules.web.externals.db.password}";
    let is_secret = |text: String| text.contains("Secret(") && text.contains("db/pw");
    assert_eq!(Scene::new(host).with("pg-echo", "postgres", echo.clone()).variable(), "h-development:5432");
    assert_eq!(Scene::new(host).with("pg-made", "postgres", made.clone()).variable(), "shop-db:5432");
    assert!(is_secret(Scene::new(password).with("pg-echo", "postgres", echo).variable()));
    assert!(is_secret(Scene::new(password).with("pg-made", "postgres", made).variable()));
}

#[test]
fn what_nothing_here_makes_is_given_or_an_error() {
    let terraform = json!({"driver_type": "humanitec/terraform", "driver_inputs": {"values": {"script": "x"}}});
    let mut scene = Scene::new("${modules.web.externals.db.host}").with("pg-tf", "postgres", terraform);
    let error = scene.variable();
    for part in ["PRV-005", DB, "humanitec/terraform", "pg-tf", "--outputs FILE", "humanitec/template"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    scene.given = json!({DB: {"values": {"host": "db.corp"}, "secret_refs": {"password": {"store": "v", "ref": "r"}}}});
    assert_eq!(scene.variable(), "db.corp");
    scene.given = json!({"postgres#modules.web.externals.db": {"values": {"host": "short"}}, "s3#other": {}});
    assert_eq!(scene.variable(), "short");
    assert_eq!(
        scene.run().unwrap().warnings,
        ["outputs are given for `s3.default#other`, which this Deployment does not have"]
    );
}

#[test]
fn an_output_that_is_not_made_is_told_with_names() {
    let empty = json!({"driver_type": "humanitec/terraform", "driver_inputs": {"values": {}}});
    let mut scene = Scene::new("${modules.web.externals.db.host}").with("pg-tf", "postgres", empty);
    scene.given = json!({DB: {"values": {"port": 5432}}});
    let error = scene.variable();
    assert!(error.contains("workload `web` at /spec/containers/main/variables/X"), "{error}");
    assert!(error.contains(&format!("resource `{DB}` (Definition `pg-tf`) has no output `host`")), "{error}");
}

#[test]
fn a_file_of_outputs_holds_no_secret_values_and_no_nonsense() {
    for (document, expected) in [
        (json!([]), "no mapping"),
        (json!({"postgres": {}}), "`postgres`: it is no `type.class#id`"),
        (json!({DB: {"secrets": {"password": "canary"}}}), "secret values have no place"),
        (json!({DB: {"secret_refs": {"password": "canary"}}}), "`secret_refs.password` is no `{store, ref, version?}`"),
        (
            json!({DB: {"secret_refs": {"password": {"store": "v", "value": "canary"}}}}),
            "is no `{store, ref, version?}`",
        ),
        (json!({DB: {"vlaues": {}}}), "there is no `vlaues`"),
        (json!({DB: {"values": 7}}), "`values` is no mapping"),
    ] {
        let errors = GivenOutputs::read(&document).unwrap_err().join("\n");
        assert!(errors.contains(expected) && !errors.contains("canary"), "{document}: {errors}");
    }
}

#[test]
fn a_secret_that_exists_only_as_a_value_ends_it() {
    let made = template(json!({
        "init": "pw: {{ randAlphaNum 16 }}",
        "outputs": "host: h",
        "secrets": "password: {{ .init.pw }}\nusername: \"\"\nnested: {a: {{ .driver.secrets.pw }}, b: literal-canary}",
    }));
    let error = Scene::new("${modules.web.externals.db.host}").with("pg-made", "postgres", made).variable();
    assert!(error.starts_with("PRV-006") && error.contains("`nested.b`, `password`"), "{error}");
    assert!(!error.contains("username") && !error.contains("canary"), "{error}");
}

#[test]
fn a_password_that_was_drawn_is_in_no_manifest() {
    let made = |text: &str| {
        let templates = json!({
            "init": "{{ if .cookie }}pw: {{ .cookie.pw }}{{ else }}pw: {{ randAlphaNum 16 }}{{ end }}",
            "manifests": {"x": {"location": "namespace", "data": {"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "x"}, "stringData": {"pw": text}}}},
            "outputs": "host: h",
            "cookie": "pw: {{ .init.pw }}",
        });
        Scene::new("x").with("pg-made", "postgres", template(templates))
    };
    for text in ["{{ .init.pw }}", "pg://u:{{ .init.pw }}@h", "{{ .init.pw | b64enc }}"] {
        let error = made(text).variable();
        assert!(error.starts_with("PRV-006") && error.contains("`manifest x`"), "{text}: {error}");
    }
    assert!(made("plain").run().is_ok());
    // The next run draws nothing, and knows all the same.
    let mut again = made("{{ .init.pw }}");
    let memory = Memory { cookie: json!({"pw": "abcdefghijklmnop"}), drawn: ["abcdefghijklmnop".to_owned()].into() };
    again.memories.insert(key(DB).guresid(&context()).to_string(), memory);
    assert!(again.variable().starts_with("PRV-006"));
}

#[test]
fn cookies_go_from_one_run_to_the_next() {
    let made = template(json!({
        "init": "{{ if .cookie }}name: {{ .cookie.name }}{{ else }}name: {{ randAlpha 12 }}{{ end }}",
        "outputs": "host: {{ .init.name }}",
        "cookie": "name: {{ .init.name }}\nkept: {{ .driver.secrets.pw }}",
    }));
    let mut scene = Scene::new("${modules.web.externals.db.host}").with("pg-made", "postgres", made);
    let first = scene.run().unwrap();
    assert_eq!(scene.run().unwrap(), first, "random values are those of the resource");
    let id = key(DB).guresid(&context()).to_string();
    assert_eq!(first.memories[&id].cookie["kept"], json!({"$secretRef": {"store": "vault", "ref": "db/pw"}}));
    scene.memories = first.memories.clone();
    assert_eq!(scene.run().unwrap().memories, first.memories);
    let cookie = json!({"name": "kept-name", "kept": ""});
    scene.memories.insert(id, Memory { cookie, ..Memory::default() });
    assert_eq!(scene.variable(), "kept-name");
}

#[test]
fn fragments_go_to_the_pod_or_beside_it() {
    let made = template(json!({
        "manifests": {
            "vol": {"location": "volumes", "data": "name: vol-{{ .id }}\nemptyDir: {}"},
            "side": {"location": "containers", "data": {"name": "proxy", "image": "proxy:1"}},
            "cm": {"location": "namespace", "data": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"},
                "stringData": {"url": "pg://{{ .driver.secrets.pw }}@h"}}},
            "ns": {"location": "cluster", "data": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}},
        },
        "outputs": "host: h",
    }));
    let made = Scene::new("x").with("pg-made", "postgres", made).run().unwrap();
    let deployment = made.workloads[0].rendered.objects.iter().find(|object| object.kind() == "Deployment").unwrap();
    let pod = &deployment.0["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][1]["name"], "proxy");
    let id = key(DB).guresid(&context());
    assert_eq!(pod["volumes"][0], json!({"name": format!("vol-{id}"), "emptyDir": {}}));
    let told: Vec<_> = made.objects.iter().map(|object| (object.name.as_str(), object.is_for_cluster)).collect();
    assert_eq!(told, [("cm", false), ("ns", true)]);
    assert_eq!(
        made.objects[0].object["stringData"]["url"],
        json!({"$concat": ["pg://", {"$secretRef": {"store": "vault", "ref": "db/pw"}}, "@h"]})
    );
}

#[test]
fn a_workload_is_changed_by_its_own_resource() {
    let update = |operations: &str| {
        json!({"driver_type": "humanitec/template", "driver_inputs": {"values": {"templates": {"outputs":
            format!("update: {operations}")}}}})
    };
    let echo = json!({"driver_type": "humanitec/echo", "driver_inputs": {"values": {"host": "h"}}});
    let scene = |operations: &str| {
        Scene::new("x").with("pg-echo", "postgres", echo.clone()).with("own-workload", "workload", update(operations))
    };
    let made = scene("[{op: add, path: /spec/deployment/replicas, value: 3}]").run().unwrap();
    let deployment = made.workloads[0].rendered.objects.iter().find(|object| object.kind() == "Deployment").unwrap();
    assert_eq!(deployment.0["spec"]["replicas"], 3);
}

#[test]
fn nobody_gets_a_secret_by_writing_what_a_reference_looks_like() {
    let made = template(json!({"outputs": "host: {{ .resource.extensions.x | toRawJson }}"}));
    let mut scene = Scene::new("${modules.web.externals.db.host}").with("pg-made", "postgres", made);
    scene.set["modules"]["web"]["externals"]["db"]["params"] =
        json!({"extensions": {"x": {"$secretRef": {"store": "vault", "ref": "root"}}}});
    let text = scene.variable();
    assert_eq!(text, r#"{"$secretRef":{"ref":"root","store":"vault"}}"#);
}
