//! What holds for any Definitions and any Deployment Set, from what a user
//! wrote to the text of every file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::*;
use crate::driver::template::PlannedById;
use crate::manifests::{SecretObjects, TargetOptions};
use crate::provision::provision_files;
use crate::provision::tests::NOTHING;
use crate::values::{SecretReference, SharedValue, SharedValues};

/// The text of a secret.
const CANARY: &str = "canary-5d1f07a2";

/// Where the text of a secret comes in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Leak {
    /// Nowhere.
    None,
    /// A Driver left it for its next run, which makes a secret output of it.
    CookieToOutput,
    /// The same, in a `Secret`.
    CookieToSecret,
    /// The same, encoded.
    CookieEncoded,
    /// The Definition has it as a secret output.
    Template,
    /// It is an input where a reference should be.
    Input,
}

/// What a user wrote: objects with their keys in an order of their own.
#[derive(Debug, Clone)]
struct World {
    /// Id, type, and the rest.
    definitions: Vec<(String, &'static str, Value)>,
    set: Value,
    leak: Leak,
}

const TYPES: [&str; 4] = ["postgres", "redis", "s3", "mongodb"];

/// What can be said of a resource of any type.
const OUTPUTS: &str = "host: {{ .init.name }}\nport: 5432\n";

fn echo(res_type: &str) -> Value {
    json!({"driver_type": "humanitec/echo", "driver_inputs": {
        "values": {"host": "${context.app.id}.${context.res.id}", "port": 5432, "other": {"b": 1, "a": [2]}},
        "secret_refs": {"password": {"store": "vault", "ref": format!("{res_type}/pw")},
            "username": {"store": "other", "ref": "u", "version": "2"}}}})
}

/// A template with fragments everywhere, and with the text of a secret somewhere.
fn made(res_type: &str, leak: Leak) -> Value {
    let drawn = "{{ .init.password }}";
    let (password, data) = match leak {
        Leak::CookieToOutput => (drawn, "x"),
        Leak::CookieToSecret => ("{{ .driver.secrets.pw }}", drawn),
        Leak::CookieEncoded => ("{{ .driver.secrets.pw }}", "{{ .init.password | b64enc }}"),
        Leak::Template => (CANARY, "x"),
        Leak::Input | Leak::None => ("{{ .driver.secrets.pw }}", "pg://{{ .driver.secrets.pw }}@h"),
    };
    let input = if leak == Leak::Input { json!({"value": CANARY}) } else { json!({"store": "vault", "ref": "a/pw"}) };
    let object = |kind: &str, name: &str, rest: Value| {
        let mut object =
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": format!("{name}-{{{{ .id }}}}")}});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object
    };
    json!({"driver_type": "humanitec/template", "driver_inputs": {
        "values": {"type": res_type, "templates": {
            "init": "name: {{ .driver.values.type }}-{{ trunc 8 .id }}\n\
                password: {{ if .cookie }}{{ .cookie.password }}{{ else }}{{ randAlphaNum 16 }}{{ end }}",
            "outputs": OUTPUTS,
            "secrets": format!("password: {password}\nusername: {{{{ .driver.secrets.pw }}}}"),
            "cookie": "password: {{ .init.password }}",
            "manifests": {
                "volume": {"location": "volumes", "data": "name: v-{{ .id }}\nemptyDir: {}"},
                "sidecar": {"location": "containers", "data": {"name": "c-{{ .id }}", "image": "proxy:1"}},
                "secret": {"location": "namespace", "data": object("Secret", "s", json!({"stringData": {"url": data}}))},
                "config": {"location": "namespace", "data": object("ConfigMap", "c", json!({"data": {"b": "1", "a": "2"}}))},
                "space": {"location": "cluster", "data": object("Namespace", "n", json!({}))},
            },
        }},
        "secret_refs": {"pw": input}}})
}

/// One Definition of each type that matches, and others that do not, or less.
fn any_definitions(leak: Leak) -> impl Strategy<Value = Vec<(String, &'static str, Value)>> {
    let of_type = |res_type: &'static str| {
        (any::<bool>(), 0..3_usize).prop_map(move |(is_made, n_others)| {
            let with = |mut definition: Value, criteria: Value| {
                definition["criteria"] = criteria;
                definition
            };
            let is_made = is_made || (leak != Leak::None && res_type == TYPES[0]);
            let best = if is_made { made(res_type, leak) } else { echo(res_type) };
            let best = with(best, json!([{"env_type": "development"}, {"app_id": "shop"}, {"class": "large"}]));
            let others = [json!([{}]), json!([{"app_id": "other"}, {"class": "small"}]), json!([{"env_type": "x"}])];
            let others = others.into_iter().take(n_others).enumerate().map(move |(number, criteria)| {
                (format!("{res_type}-other-{number}"), res_type, with(echo("other"), criteria))
            });
            std::iter::once((format!("{res_type}-best"), res_type, best)).chain(others).collect::<Vec<_>>()
        })
    };
    TYPES.map(of_type).prop_map(|all| all.concat())
}

/// Text of a variable, with references to what a Workload asks for.
fn any_text() -> impl Strategy<Value = String> {
    let name = || prop_oneof![Just("externals.r0"), Just("externals.r1"), Just("shared.s")];
    let part = prop_oneof![
        "[a-z:/@ ]{0,5}",
        (name(), "(host|port|password|username)").prop_map(|(name, output)| format!("${{{name}.{output}}}")),
        "(PLAIN|HIDDEN)".prop_map(|key| format!("${{values.{key}}}")),
        Just("${context.app.id}".to_owned()),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

fn any_container() -> impl Strategy<Value = Value> {
    let variables = prop::collection::btree_map("[A-Z]{1,3}", any_text(), 0..5);
    let files = prop::collection::btree_map("/[a-e]{1,2}/f", any_text(), 0..3);
    (variables, files).prop_map(|(variables, files)| {
        let files: Value =
            files.into_iter().map(|(path, text)| (path, json!({"value": text, "mode": "0644"}))).collect();
        json!({"image": "busybox", "variables": variables, "files": files,
            "readiness_probe": {"type": "http", "port": 80, "path": "/"}})
    })
}

fn any_module() -> impl Strategy<Value = Value> {
    let externals = [0..TYPES.len(), 0..TYPES.len()];
    let containers = prop::collection::btree_map("[a-d]", any_container(), 1..4);
    let deploy =
        prop_oneof![Just(Value::Null), Just(json!("before")), Just(json!("after"))].prop_map(|when| match when {
            Value::Null => when,
            when => json!({"when": when, "success": "deploy", "timeout": 0}),
        });
    (externals, containers, any::<bool>(), prop_oneof![Just("module"), Just("job")], deploy).prop_map(
        |([first, second], containers, is_large, profile, deploy)| {
            let class = if is_large { "large" } else { "default" };
            json!({
                "profile": format!("humanitec/default-{profile}"),
                "externals": {"r1": {"type": TYPES[second]}, "r0": {"type": TYPES[first], "class": class}},
                "spec": {"containers": containers},
                "deploy": deploy,
            })
        },
    )
}

fn any_world(leak: impl Strategy<Value = Leak>) -> impl Strategy<Value = World> {
    leak.prop_flat_map(|leak| {
        let modules = prop::collection::btree_map("(web|api|zoo)", any_module(), 1..4);
        (any_definitions(leak), modules, Just(leak)).prop_map(|(definitions, mut modules, leak)| {
            if leak != Leak::None {
                // Somebody asks for it.
                for module in modules.values_mut() {
                    module["externals"]["r0"]["type"] = json!(TYPES[0]);
                }
            }
            let set = json!({"modules": modules, "shared": {"s": {"type": "redis"}, "q": {"type": "s3"}}});
            World { definitions, set, leak }
        })
    })
}

/// JSON with the keys of every object moved on, and those of every other run
/// backwards. Lists stay: their order means something.
fn text(value: &Value, turn: usize) -> String {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> =
                object.iter().map(|(key, item)| format!("{}:{}", json!(key), text(item, turn))).collect();
            if !entries.is_empty() {
                let by = turn % entries.len();
                entries.rotate_left(by);
            }
            if turn % 2 == 1 {
                entries.reverse();
            }
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(|item| text(item, turn)).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Everything that is written, or everything that is wrong; and all that is said.
#[derive(Debug, PartialEq)]
struct Written {
    files: Result<Vec<(String, String)>, Vec<String>>,
    warnings: Vec<String>,
    next: Memories,
}

impl World {
    fn write(&self, turn: usize, memories: &Memories) -> Written {
        let context = context();
        let read = |value: &Value| serde_json::from_str::<Value>(&text(value, turn)).unwrap();
        let mut definitions = builtin::definitions(&context.org, &Timestamp::default());
        let target = json!({"driver_type": "humanitec/k8s-cluster-git", "criteria": [{}],
            "driver_inputs": {"values": {"url": "file:///r"}}});
        definitions.push(definition("git-target", "k8s-cluster", &target));
        definitions.extend(self.definitions.iter().map(|(id, res_type, rest)| definition(id, res_type, &read(rest))));
        let (definitions, types) = (Definitions::new(&definitions), builtin::resource_types());
        let types = ResourceTypes::new(&types);
        let set: DeploymentSet = serde_json::from_str(&text(&self.set, turn)).unwrap();
        let index = SetIndex::new(&set).unwrap();
        let secret = SecretReference { store: "vault".to_owned(), reference: "shared".to_owned(), version: None };
        let values = [
            ("PLAIN".to_owned(), SharedValue::Plain("plain".to_owned())),
            ("HIDDEN".to_owned(), SharedValue::Reference(secret)),
        ];
        let values: SharedValues = values.into_iter().collect();
        let input = GraphInput { values: &values, ..GraphInput::new(&context, &definitions, &types) };
        let target = plan_target(input).into_result().unwrap();
        let deploy = DeployContext { deployment: DeploymentId::new("1a").unwrap(), set: SetId::new("s").unwrap() };
        let told =
            |errors: Vec<crate::graph::PlanError>| -> Vec<String> { errors.iter().map(ToString::to_string).collect() };
        let (_, mut resources) = match plan_custom_resources(input, &index, &target, &deploy).into_result() {
            Ok(planned) => planned,
            Err(errors) => return Written { files: Err(told(errors)), warnings: Vec::new(), next: Memories::new() },
        };
        // Whether what was planned is made use of or made again is all the same.
        if turn % 2 == 1 {
            resources.planned = PlannedById::default();
        }
        let random = |id: &str| Random::seeded(crate::hash::sha256(id.as_bytes()));
        let given = GivenOutputs::default();
        let input = Input { resources: &resources, given: &given, memories, random: &random, outside: &NOTHING };
        let options = TargetOptions {
            context: &context,
            namespace: Some("shop-development"),
            secrets: SecretObjects::default(),
            allows_cluster_scoped: true,
        };
        let made = provision_files(&input, options, &types);
        let (warnings, next) = (made.result.warnings.clone(), made.result.provisioned.memories.clone());
        let files = made.into_result().map_err(told).map(|made| {
            made.files.into_iter().chain(made.cluster_files).map(|file| (file.name, file.content)).collect()
        });
        Written { files, warnings, next }
    }

    /// What every resource remembers of an earlier run.
    fn memories(&self) -> Memories {
        let is_known = matches!(self.leak, Leak::CookieToOutput | Leak::CookieToSecret | Leak::CookieEncoded);
        let memory = Memory { cookie: json!({"password": CANARY}), drawn: [CANARY.to_owned()].into() };
        let modules = self.set["modules"].as_object().unwrap();
        let ids = modules.iter().flat_map(|(name, module)| {
            let externals = module["externals"].as_object().unwrap();
            externals.iter().map(move |(external, resource)| {
                let class = resource["class"].as_str().unwrap_or("default");
                format!("{}.{class}#modules.{name}.externals.{external}", resource["type"].as_str().unwrap())
            })
        });
        ids.filter(|_| is_known).map(|id| (key(&id).guresid(&context()).to_string(), memory.clone())).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_order_in_which_a_user_writes_changes_no_byte(
        (world, shuffled) in any_world(Just(Leak::None)).prop_flat_map(|world| {
            let definitions = Just(world.definitions.clone()).prop_shuffle();
            (Just(world), definitions)
        }),
        turn in 0..6_usize,
    ) {
        let written = world.write(0, &Memories::new());
        let names: Vec<&String> = written.files.as_ref().unwrap().iter().map(|(name, _)| name).collect();
        prop_assert!(names.len() >= 2 * world.set["modules"].as_object().unwrap().len(), "{names:?}");
        prop_assert_eq!(&world.write(0, &Memories::new()), &written, "the same again");
        let turned = World { definitions: shuffled, ..world.clone() };
        prop_assert_eq!(&turned.write(turn, &Memories::new()), &written);
        for (name, content) in written.files.as_ref().unwrap() {
            let drawn = written.next.values().flat_map(|memory| &memory.drawn).find(|drawn| content.contains(*drawn));
            prop_assert!(drawn.is_none(), "a password that was drawn is in {name}: {content}");
            prop_assert!(!content.contains("$secretRef"), "{name}: {content}");
        }
        // What resources remember makes the next run no other.
        prop_assert_eq!(&turned.write(turn, &written.next).files, &written.files);
    }

    #[test]
    fn the_text_of_a_secret_is_in_no_file_and_in_nothing_that_is_said(
        world in any_world(prop_oneof![
            Just(Leak::CookieToOutput), Just(Leak::CookieToSecret), Just(Leak::CookieEncoded), Just(Leak::Template), Just(Leak::Input)
        ]),
        turn in 0..6_usize,
    ) {
        let written = world.write(turn, &world.memories());
        let all = format!("{written:?}");
        prop_assert!(!all.contains(CANARY), "{:?}: {all}", world.leak);
        prop_assert!(!all.contains(&BASE64_STANDARD.encode(CANARY)), "{:?}: {all}", world.leak);
        prop_assert!(written.files.is_err(), "{:?}: {all}", world.leak);
    }
}
