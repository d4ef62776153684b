//! The Pod template of a Workload (spec/score.md §7.2).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::hash;
use crate::json::canonical;
use crate::objects::Object;
use crate::objects::bundle::{MAX_BYTES, SecretKeys};
use crate::objects::container::{Container, container};
use crate::objects::files::Files;
use crate::objects::order::{Order, order};
use crate::objects::report::Report;
use crate::objects::volumes::{VolumeNames, check_unique, module_volumes};
use crate::objects::{Labels, WorkloadInput};
use crate::yaml::escape_pointer;

/// Keys of a Pod's spec that older modules have at their top.
const LEGACY: &[&str] = &[
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

/// A Pod template with the ConfigMaps and Secrets that it uses.
pub(super) struct Pod {
    pub(super) template: Value,
    pub(super) config_maps: Vec<Object>,
    pub(super) secrets: Vec<SecretKeys>,
}

/// Renders the Pod template of a module.
pub(super) fn pod(input: &WorkloadInput<'_>, labels: &Labels, report: &mut Report) -> Pod {
    let module = input.module;
    let none = Map::new();
    let object = |key: &str| module.get(key).and_then(Value::as_object).unwrap_or(&none);
    let (config_name, secret_name) = (format!("{}-configmap", input.name), format!("{}-secrets", input.name));
    let mut files = Files::new(&config_name, &secret_name);

    let own_volumes = module_volumes(object("volumes"), report, &config_name, &secret_name);
    let mut volumes = own_volumes;
    volumes.extend(plain_list(module, "extraVolumes", report));
    volumes.extend(input.injected.volumes.iter().cloned());
    let pod_volumes = plain_list(object("pod"), "volumes", report);
    volumes.extend(pod_volumes);
    let own = volumes.iter().filter_map(|volume| Some(volume.get("name")?.as_str()?.to_owned())).collect();
    let names = VolumeNames { of_resources: &input.injected.volume_names, own };

    let given: BTreeMap<&String, &Value> = object("containers").iter().collect();
    if given.is_empty() {
        report.error("/containers", "there is no container");
    }
    let rendered: BTreeMap<String, Container> = given
        .iter()
        .filter_map(|(name, spec)| {
            let Some(spec) = spec.as_object() else {
                report.error(&format!("/containers/{}", escape_pointer(name)), "it is no object");
                return None;
            };
            Some(((*name).clone(), container(input.name, name, spec, &mut files, &names, report)))
        })
        .collect();
    volumes.append(&mut files.volumes);
    check_unique(&volumes, "volumes", "/volumes", report);

    let (containers, init, config_maps, secrets) =
        sort(input, rendered, files, labels, &order(object("containers"), report), report);
    let mut spec: Map<String, Value> = LEGACY
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), report.plain(module.get(*key)?, &format!("/{key}")))))
        .collect();
    for (key, value) in
        object("pod").iter().filter(|(key, _)| !matches!(key.as_str(), "annotations" | "labels" | "volumes"))
    {
        if key == "containers" {
            report.error(
                "/pod/containers",
                "pod feature does not allow \"containers\" to be set. Use the top level \"containers\" feature.",
            );
        } else {
            spec.insert(key.clone(), report.plain(value, &format!("/pod/{key}")));
        }
    }
    let raw_init = spec.remove("initContainers").and_then(|list| list.as_array().cloned()).unwrap_or_default();
    let init = [raw_init, init].concat();
    let all: Vec<Value> = containers.iter().chain(&init).cloned().collect();
    check_unique(&all, "containers", "/containers", report);
    if !init.is_empty() {
        spec.insert("initContainers".to_owned(), Value::Array(init));
    }
    spec.insert("containers".to_owned(), Value::Array(containers));
    if !volumes.is_empty() {
        spec.insert("volumes".to_owned(), Value::Array(volumes));
    }
    // Both names of it always, so that taking an account away works with server-side apply.
    let account = spec.remove("serviceAccountName").or_else(|| spec.remove("serviceAccount"));
    let account = account
        .or_else(|| module.get("serviceAccountName").cloned())
        .or_else(|| module.get("serviceAccount").cloned())
        .map_or_else(|| json!(""), |account| report.plain(&account, "/serviceAccountName"));
    spec.insert("serviceAccount".to_owned(), account.clone());
    spec.insert("serviceAccountName".to_owned(), account);
    if !spec.contains_key("imagePullSecrets") {
        spec.insert("imagePullSecrets".to_owned(), Value::Array(plain_list(module, "imagePullSecrets", report)));
    }
    let metadata = metadata(input, labels, &config_maps, &secrets, report);
    Pod { template: json!({"metadata": metadata, "spec": spec}), config_maps, secrets }
}

/// Containers that run, those that run before, and what both use.
fn sort(
    input: &WorkloadInput<'_>,
    mut rendered: BTreeMap<String, Container>,
    files: Files<'_>,
    labels: &Labels,
    order: &Order,
    report: &mut Report,
) -> (Vec<Value>, Vec<Value>, Vec<Object>, Vec<SecretKeys>) {
    let (mut config_maps, mut secrets) = (Vec::new(), Vec::new());
    for (name, one) in &mut rendered {
        let config = std::mem::take(&mut one.config);
        check_size(config.n_bytes(), &format!("/containers/{}/variables", escape_pointer(name)), report);
        config_maps.push(config.into_object(&one.config_name, labels.of_object()));
        if !one.secret.is_empty() {
            secrets.push(SecretKeys { name: one.secret_name.clone(), keys: std::mem::take(&mut one.secret) });
        }
    }
    let Files { config_name, secret_name, config, secret, .. } = files;
    if !config.data.is_empty() || !config.binary.is_empty() {
        check_size(config.n_bytes(), "/containers", report);
        config_maps.push(config.into_object(config_name, labels.of_object()));
    }
    if !secret.is_empty() {
        secrets.push(SecretKeys { name: secret_name.to_owned(), keys: secret });
    }
    let mut init = Vec::new();
    for (name, restart) in &order.before {
        if let Some(mut one) = rendered.remove(name) {
            if let Some(policy) = restart.policy() {
                one.container["restartPolicy"] = json!(policy);
            }
            if restart.waits_for_health() {
                match one.container.get("readinessProbe").or_else(|| one.container.get("livenessProbe")).cloned() {
                    Some(probe) if one.container.get("startupProbe").is_none() => one.container["startupProbe"] = probe,
                    Some(_) => {}
                    None => report.error(
                        &format!("/containers/{}/before", escape_pointer(name)),
                        "others wait until it is healthy, and it has no probe that would tell",
                    ),
                }
            }
            init.push(one.container);
        }
    }
    let mut containers: Vec<Value> = rendered.into_values().map(|one| one.container).collect();
    containers.extend(plain_list(input.module, "extraContainers", report));
    containers.extend(input.injected.containers.iter().cloned());
    (containers, init, config_maps, secrets)
}

fn check_size(n_bytes: usize, pointer: &str, report: &mut Report) {
    if n_bytes > MAX_BYTES {
        report.error(pointer, format!("these are {n_bytes} bytes, and one ConfigMap holds {MAX_BYTES}\n  hint: move large files into the image or a volume"));
    }
}

fn metadata(
    input: &WorkloadInput<'_>,
    labels: &Labels,
    config_maps: &[Object],
    secrets: &[SecretKeys],
    report: &mut Report,
) -> Value {
    let given = |pointer: &str, report: &mut Report| -> Map<String, Value> {
        let value = find(input.module, pointer);
        let plain = value.map(|value| report.plain(value, pointer));
        plain.as_ref().and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut annotations = given("/annotations", report);
    annotations.extend(given("/pod/annotations", report));
    // Pods are replaced when what they read changes, secrets by reference included.
    let sum: Vec<Value> = config_maps.iter().map(|object| object.0.clone()).collect();
    let sums = format!("{}{:?}", canonical(&Value::Array(sum)), secrets);
    annotations.insert("checksum/config".to_owned(), json!(hash::sha256_hex(sums.as_bytes())));
    let mut all = given("/labels", report);
    all.extend(given("/pod/labels", report));
    all.extend(labels.of_pod());
    json!({"annotations": annotations, "labels": all})
}

fn find<'v>(module: &'v Map<String, Value>, pointer: &str) -> Option<&'v Value> {
    let mut parts = pointer.split('/').skip(1);
    let first = module.get(parts.next()?)?;
    parts.try_fold(first, |value, key| value.get(key))
}

fn plain_list(object: &Map<String, Value>, key: &str, report: &mut Report) -> Vec<Value> {
    match object.get(key).map(|value| report.plain(value, &format!("/{key}"))) {
        Some(Value::Array(items)) => items,
        None | Some(Value::Null) => Vec::new(),
        Some(_) => {
            report.error(&format!("/{key}"), "it is no list");
            Vec::new()
        }
    }
}
