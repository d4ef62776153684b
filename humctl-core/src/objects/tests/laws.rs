//! Laws that hold for any module.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const STORED: &str = "stored-in-a-vault";

/// Text of a variable or file; the place of a secret is easy to find again.
fn any_text() -> impl Strategy<Value = Value> {
    let secret = || json!({"$secretRef": {"store": STORED, "ref": format!("{STORED}/x")}});
    prop_oneof![
        "[ -~äé\n]{0,12}".prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(secret()),
        "[a-z$()]{1,8}".prop_map(move |text| json!({"$concat": [text, secret()]})),
        "[a-z$()]{1,8}".prop_map(|text| json!({"$concat": [text, {"$field": {"pod": "status.podIP"}}]})),
    ]
}

/// Text without fields of the Pod, which no file can show.
fn file_text() -> impl Strategy<Value = Value> {
    any_text().prop_filter("no field", |value| !value.to_string().contains("$field"))
}

fn container_name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{2,3}", "[a-z]-configmap-[a-z]", "configmap-[ab]{1,2}", "[a-z]{62}[ab]"]
}

fn any_container(names: Vec<String>) -> impl Strategy<Value = Value> {
    let variables = prop::collection::btree_map("[A-Za-z_ .0-9-]{1,6}", any_text(), 0..4);
    let file = (file_text(), prop_oneof![Just(""), Just("0644"), Just("600")])
        .prop_map(|(value, mode)| json!({"value": value, "mode": mode}));
    let file = prop_oneof![3 => file, 1 => Just(json!({"binary_value": "AP8="}))];
    // Directories and files have different letters, so that no file lies in another.
    let files = prop::collection::btree_map("(/[de-]{1,2}){0,2}/[fg-]{1,3}f", file, 0..4);
    let mounts =
        prop::collection::btree_map("/[vw]{1,2}", prop_oneof![Just("volumes.own"), Just("externals.data")], 0..3);
    let ready = prop_oneof![Just("started"), Just("complete"), Just("healthy")];
    let before = prop::option::of((0..names.len(), ready));
    let env = prop::collection::vec(("[A-C]", any_text()), 0..3);
    (variables, files, mounts, before, env).prop_map(move |(variables, files, mounts, before, env)| {
        let mounts: Map<String, Value> = mounts.into_iter().map(|(path, id)| (path, json!({"id": id}))).collect();
        let env: Vec<Value> = env.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let mut container = json!({
            "image": "img",
            "variables": variables,
            "files": files,
            "volume_mounts": mounts,
            "env": env,
            "readiness_probe": {"type": "http", "port": 80, "headers": {"b": "1", "a": "2"}},
        });
        if let Some((other, ready)) = before {
            container["before"] = json!({ names[other].clone(): {"ready": ready} });
        }
        container
    })
}

fn any_module() -> impl Strategy<Value = Value> {
    let names = prop::collection::btree_set(container_name(), 1..4);
    let containers = names.prop_flat_map(|names| {
        let names: Vec<String> = names.into_iter().collect();
        let containers: Vec<_> = names
            .iter()
            .enumerate()
            // Only earlier ones start before later ones.
            .map(|(number, _)| any_container(names[(number + 1).min(names.len() - 1)..].to_vec()))
            .collect();
        (Just(names), containers)
    });
    let ports = prop::collection::btree_map("[a-z]{2,3}|[a-z]{61}[ab]", 1..u16::MAX, 0..3);
    let schedules =
        prop::collection::btree_map("[a-z]{2,3}|[A-Z_]{2,4}|[a-z]{50}[ab]", Just(json!({"schedule": "@daily"})), 1..3);
    let labels = || prop::collection::btree_map("[a-c]|app.kubernetes.io/name", "[a-z0-9]{0,2}", 0..3);
    // One of them may have the key of a file.
    let variables = prop::collection::btree_map("[a-z]{2}-ff|[A-Z]{1,3}", file_text(), 0..3);
    let rest = (variables, labels(), labels());
    (containers, ports, schedules, rest).prop_map(
        |((names, containers), ports, schedules, (variables, labels, of_pod))| {
            let mut containers: Map<String, Value> = names.iter().cloned().zip(containers).collect();
            // The last one would start before itself.
            if let Some(last) = names.last().and_then(|name| containers.get_mut(name)?.as_object_mut()) {
                last.remove("before");
            }
            let mut numbers = BTreeSet::new();
            let ports: Map<String, Value> = ports
                .into_iter()
                .filter(|(_, number)| numbers.insert(*number))
                .map(|(name, number)| (name, json!({"service_port": number})))
                .collect();
            json!({
                "containers": containers,
                "service": {"ports": ports},
                "schedules": schedules,
                "volumes": {"own": {"type": "emptyDir"}},
                "variables": variables,
                "labels": labels,
                "pod": {"labels": of_pod, "initContainers": [{"name": "z-init", "image": "i"}]},
                "deployment": {"labels": of_pod, "replicas": 0},
            })
        },
    )
}

fn injected() -> Injected {
    Injected {
        containers: vec![json!({"name": "b-proxy", "image": "p"}), json!({"name": "a-proxy", "image": "p"})],
        volumes: vec![json!({"name": "data", "emptyDir": {}}), json!({"name": "more", "emptyDir": {}})],
        volume_names: BTreeMap::from([("externals.data".to_owned(), "data".to_owned())]),
    }
}

fn documents(rendered: &Rendered) -> String {
    let objects = rendered.objects.iter().map(|object| crate::yaml::to_string(&object.0).unwrap());
    format!("{}{:?}{:?}", objects.collect::<String>(), rendered.secrets, rendered.warnings)
}

/// The same value with every mapping filled in the other order.
fn turned(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect(),
        Value::Array(items) => items.iter().map(turned).collect(),
        plain => plain.clone(),
    }
}

/// Values of a key, wherever they stand.
fn all_of<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if name == key {
                    found.push(value);
                }
                all_of(value, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all_of(item, key, found)),
        _ => {}
    }
}

fn names_of(rendered: &Rendered) -> Vec<(String, String)> {
    let objects = rendered.objects.iter().map(|object| (object.kind().to_owned(), object.name().to_owned()));
    objects.chain(rendered.secrets.iter().map(|secret| ("Secret".to_owned(), secret.name.clone()))).collect()
}

/// What a reference reads: name and keys, if it names some.
fn reads(reference: &Value) -> (String, Vec<String>) {
    let name = reference["name"].as_str().unwrap().to_owned();
    let key = reference.get("key").and_then(Value::as_str).map(ToOwned::to_owned);
    let items = reference.get("items").and_then(Value::as_array).into_iter().flatten();
    (name, key.into_iter().chain(items.map(|item| item["key"].as_str().unwrap().to_owned())).collect())
}

fn profiles() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(MODULE), Just(JOB), Just(CRONJOB)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn rendering_depends_on_no_order(profile in profiles(), module in any_module()) {
        let first = rendered(profile, &module, &injected()).unwrap();
        let again = rendered(profile, &module, &injected()).unwrap();
        prop_assert_eq!(documents(&first), documents(&again));
        let mut other = injected();
        other.containers.reverse();
        other.volumes.reverse();
        let other = rendered(profile, &turned(&module), &other).unwrap();
        prop_assert_eq!(documents(&first), documents(&other));
    }

    #[test]
    fn names_are_valid_and_there_once(profile in profiles(), module in any_module(), other in any_module()) {
        let mut taken = BTreeSet::new();
        // Two Workloads whose names make it hard, in one namespace.
        for (workload, module) in [("a-configmap", &module), ("a", &other)] {
            let found = named(workload, profile, module, &injected()).unwrap();
            for (kind, name) in names_of(&found) {
                let max = match kind.as_str() {
                    "CronJob" => 52,
                    "ConfigMap" | "Secret" => 253,
                    _ => 63,
                };
                prop_assert!(name.len() <= max && names::is_key(&name), "{} {}", kind, name);
                prop_assert!(taken.insert((kind.clone(), name.clone())), "twice: {} {}", kind, name);
            }
            for object in &found.objects {
                let mut named = Vec::new();
                for key in ["containers", "initContainers", "volumes", "ports"] {
                    let mut lists = Vec::new();
                    all_of(&object.0, key, &mut lists);
                    named.extend(lists.into_iter().map(|list| (key, list)));
                }
                for (_, list) in named {
                    let mut names_of_list = BTreeSet::new();
                    for item in list.as_array().into_iter().flatten() {
                        let name = item["name"].as_str().unwrap();
                        prop_assert!(names::is_label(name), "{}", name);
                        prop_assert!(names_of_list.insert(name), "twice: {}", name);
                    }
                }
            }
        }
    }

    #[test]
    fn whatever_is_referred_to_is_there(profile in profiles(), module in any_module()) {
        let found = rendered(profile, &module, &injected()).unwrap();
        let mut templates = Vec::new();
        for object in &found.objects {
            all_of(&object.0, "template", &mut templates);
        }
        prop_assert!(!templates.is_empty());
        let config_keys = |name: &str| -> Option<BTreeSet<String>> {
            let map = found.objects.iter().find(|object| object.kind() == "ConfigMap" && object.name() == name)?;
            let keys = |part: &str| map.0.get(part).and_then(Value::as_object).cloned().unwrap_or_default();
            Some(keys("data").into_iter().chain(keys("binaryData")).map(|(key, _)| key).collect())
        };
        let secret_keys = |name: &str| -> Option<BTreeSet<String>> {
            Some(found.secrets.iter().find(|secret| secret.name == name)?.keys.keys().cloned().collect())
        };
        for template in templates {
            let volumes: BTreeSet<&str> = template["spec"]["volumes"]
                .as_array().into_iter().flatten().filter_map(|volume| volume["name"].as_str()).collect();
            let mut mounts = Vec::new();
            all_of(template, "volumeMounts", &mut mounts);
            for mount in mounts.iter().flat_map(|list| list.as_array().unwrap()) {
                prop_assert!(volumes.contains(mount["name"].as_str().unwrap()), "{}", mount);
            }
            for (keys, references) in [
                (&config_keys as &dyn Fn(&str) -> Option<BTreeSet<String>>, ["configMapRef", "configMap"]),
                (&secret_keys, ["secretKeyRef", "secret"]),
            ] {
                for kind in references {
                    let mut all = Vec::new();
                    all_of(template, kind, &mut all);
                    for reference in all {
                        let (name, read) = reads(reference);
                        let there = keys(&name);
                        prop_assert!(there.is_some(), "nobody makes {}", name);
                        for key in read {
                            prop_assert!(there.as_ref().unwrap().contains(&key), "{} has no {}", name, key);
                            prop_assert!(names::is_key(&key), "{}", key);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn no_secret_leaves_a_trace(profile in profiles(), module in any_module()) {
        let found = rendered(profile, &module, &injected()).unwrap();
        for object in &found.objects {
            prop_assert!(!object.0.to_string().contains(STORED), "{}", object.0);
        }
        let warnings: String = found.warnings.iter().map(ToString::to_string).collect();
        prop_assert!(!warnings.contains(STORED), "{}", warnings);
    }
}
