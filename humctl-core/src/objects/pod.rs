//! The Pod template of a Workload (spec/score.md §7.2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::hash;
use crate::json::canonical;
use crate::objects::bundle::{SecretKeys, check_size};
use crate::objects::container::{Around, Container, container};
use crate::objects::fields::{self, POD};
use crate::objects::files::Files;
use crate::objects::labels::Labels;
use crate::objects::names::of_part;
use crate::objects::order::{Runs, order, start_before};
use crate::objects::report::{Report, inside};
use crate::objects::unique::{Named, check_names};
use crate::objects::volumes::{VolumeNames, check_raw_mounts, module_volumes};
use crate::objects::{Object, WorkloadInput};

/// Keys of a Pod's spec that older modules have at their top.
pub(super) const LEGACY: &[&str] = &[
    "affinity",
    "automountServiceAccountToken",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
];

const VOLUMES: Named = Named { one: "volume", many: "volumes" };
const CONTAINERS: Named = Named { one: "container", many: "containers" };

/// A Pod template with the `ConfigMaps` and Secrets that it uses.
pub(super) struct Pod {
    pub(super) template: Value,
    pub(super) config_maps: Vec<Object>,
    pub(super) secrets: Vec<SecretKeys>,
}

/// Renders the Pod template of a module.
pub(super) fn pod(input: &WorkloadInput<'_>, labels: &Labels, report: &mut Report) -> Pod {
    let (module, none) = (input.module, Map::new());
    let object = |key: &str| module.get(key).and_then(Value::as_object).unwrap_or(&none);
    let config_name = of_part(input.name, "configmap", None);
    let secret_name = of_part(input.name, "secrets", None);
    let mut files = Files::new(&config_name, &secret_name);
    files.variables(module, report);

    let mut volumes = module_volumes(module, &files, report);
    volumes.extend(report.list(module, "extraVolumes", ""));
    volumes.extend(injected(&input.injected.volumes, "/extraVolumes", report));
    volumes.extend(report.list(object("pod"), "volumes", "/pod"));
    let mut raw = report.list(module, "extraContainers", "");
    raw.extend(injected(&input.injected.containers, "/extraContainers", report));
    let raw_init = report.list(object("pod"), "initContainers", "/pod");
    let given = report.entries(module, "containers", "");
    if given.is_empty() {
        report.error("/containers", "there is no container");
    }
    let of_raw = raw.iter().chain(&raw_init).filter_map(|raw| raw.get("name")?.as_str());
    let around = Around {
        workload: input.name,
        containers: of_raw.chain(given.keys().copied()).map(ToOwned::to_owned).collect(),
        volumes: VolumeNames { of_resources: &input.injected.volume_names, own: names(&volumes) },
    };
    let mut rendered: BTreeMap<&str, Container> = BTreeMap::new();
    for (name, (pointer, spec)) in given {
        match spec.as_object() {
            Some(spec) => {
                drop(rendered.insert(name, container(name, spec, &pointer, &around, &mut files, report)));
            }
            None => report.error(&pointer, "it is no mapping"),
        }
    }
    volumes.append(&mut files.volumes);
    check_names(&volumes, VOLUMES, "/volumes", report);
    check_raw_mounts(&raw, &names(&volumes), "/extraContainers", report);
    check_raw_mounts(&raw_init, &names(&volumes), "/pod/initContainers", report);

    let (config_maps, secrets) = bundles(&mut rendered, files, labels, report);
    let (containers, init) = sort(rendered, &order(object("containers"), report), report);
    let (containers, init) = ([containers, raw].concat(), [raw_init, init].concat());
    check_names(containers.iter().chain(&init), CONTAINERS, "/containers", report);

    let mut spec = fields(module, report);
    spec.insert("containers".to_owned(), Value::Array(containers));
    for (key, items) in [("initContainers", init), ("volumes", volumes)] {
        if !items.is_empty() {
            spec.insert(key.to_owned(), Value::Array(items));
        }
    }
    let metadata = metadata(module, labels, &config_maps, &secrets, report);
    Pod { template: json!({"metadata": metadata, "spec": spec}), config_maps, secrets }
}

/// What resources put in, in an order of its own; two resources may put in the same.
fn injected(items: &[Value], pointer: &str, report: &mut Report) -> Vec<Value> {
    let name = |item: &Value| item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let sorted: BTreeMap<(String, String), &Value> =
        items.iter().map(|item| ((name(item), canonical(item)), item)).collect();
    sorted.into_values().map(|item| report.plain(item, pointer)).collect()
}

fn names(items: &[Value]) -> BTreeSet<String> {
    items.iter().filter_map(|item| Some(item.get("name")?.as_str()?.to_owned())).collect()
}

/// `ConfigMaps` and Secrets of the containers, and those of all files.
fn bundles(
    rendered: &mut BTreeMap<&str, Container>,
    files: Files<'_>,
    labels: &Labels,
    report: &mut Report,
) -> (Vec<Object>, Vec<SecretKeys>) {
    let (mut config_maps, mut secrets) = (Vec::new(), Vec::new());
    for (name, one) in rendered {
        let (config, pointer) = (std::mem::take(&mut one.config), inside(&inside("/containers", name), "variables"));
        check_size("ConfigMap", config.sizes(), &BTreeMap::new(), &pointer, report);
        config_maps.push(config.into_object(&one.config_name, labels.of_object()));
        if let Some(secret) = one.secret.take() {
            check_size("Secret", secret.sizes(), &BTreeMap::new(), &pointer, report);
            secrets.push(secret);
        }
    }
    let Files { config_name, secret_name, config, secret, shown, .. } = files;
    if !config.is_empty() {
        check_size("ConfigMap", config.sizes(), &shown, "/containers", report);
        config_maps.push(config.into_object(config_name, labels.of_object()));
    }
    if !secret.is_empty() {
        let secret = SecretKeys { name: secret_name.to_owned(), keys: secret };
        check_size("Secret", secret.sizes(), &shown, "/containers", report);
        secrets.push(secret);
    }
    secrets.sort_by(|a, b| a.name.cmp(&b.name));
    (config_maps, secrets)
}

/// Containers that run, and those that start before them.
fn sort(
    mut rendered: BTreeMap<&str, Container>,
    order: &[(String, Runs)],
    report: &mut Report,
) -> (Vec<Value>, Vec<Value>) {
    let mut init = Vec::new();
    for (name, runs) in order {
        if let Some(mut one) = rendered.remove(name.as_str()) {
            start_before(&mut one.fields, *runs, &inside("/containers", name), report);
            init.push(Value::Object(one.fields));
        }
    }
    (rendered.into_values().map(|one| Value::Object(one.fields)).collect(), init)
}

/// Fields of a Pod's spec: those of `pod` count before those at the top.
fn fields(module: &Map<String, Value>, report: &mut Report) -> Map<String, Value> {
    let mut spec = Map::new();
    for key in LEGACY {
        if let Some(value) = module.get(*key).filter(|value| !value.is_null()) {
            let pointer = inside("", key);
            let value = report.plain(value, &pointer);
            spec.insert((*key).to_owned(), fields::field(POD, key, value, &pointer, report));
        }
    }
    spec.insert("imagePullSecrets".to_owned(), Value::Array(report.list(module, "imagePullSecrets", "")));
    let pod = report.entries(module, "pod", "");
    for (key, (pointer, value)) in &pod {
        match *key {
            "annotations" | "labels" | "volumes" | "initContainers" => {}
            "containers" => report.error(
                pointer,
                "pod feature does not allow \"containers\" to be set. Use the top level \"containers\" feature.",
            ),
            key => {
                let value = report.plain(value, pointer);
                spec.insert(key.to_owned(), fields::field(POD, key, value, pointer, report));
            }
        }
    }
    // Both names of it always, so that taking an account away works with server-side apply.
    let keys = ["serviceAccountName", "serviceAccount"];
    let of_pod = keys.iter().find_map(|key| pod.get(*key).map(|(_, account)| *account));
    let of_top = || keys.iter().find_map(|key| module.get(*key).filter(|account| !account.is_null()));
    let account =
        of_pod.or_else(of_top).map_or_else(|| json!(""), |account| report.plain(account, "/serviceAccountName"));
    spec.extend(keys.map(|key| (key.to_owned(), account.clone())));
    spec
}

fn metadata(
    module: &Map<String, Value>,
    labels: &Labels,
    config_maps: &[Object],
    secrets: &[SecretKeys],
    report: &mut Report,
) -> Value {
    let none = Map::new();
    let pod = module.get("pod").and_then(Value::as_object).unwrap_or(&none);
    let mut annotations = report.strings(module, "annotations", "");
    annotations.extend(report.strings(pod, "annotations", "/pod"));
    let mut all = report.strings(module, "labels", "");
    labels.put_on_pod(&mut all, "/labels", report);
    let mut of_pod = report.strings(pod, "labels", "/pod");
    labels.put_on_pod(&mut of_pod, "/pod/labels", report);
    all.extend(of_pod);
    // Pods are replaced when what they read changes, secrets by reference included.
    let config_maps: Vec<&Value> = config_maps.iter().map(|object| &object.0).collect();
    let secrets: Vec<Value> = secrets.iter().map(SecretKeys::as_data).collect();
    let checksum = hash::sha256_hex(canonical(&json!([config_maps, secrets])).as_bytes());
    annotations.insert("checksum/config".to_owned(), json!(checksum));
    json!({"annotations": annotations, "labels": all})
}
