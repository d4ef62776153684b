//! Objects for Flux (spec/gitops.md §6).

use humctl_api_types::custom_resource::{API_VERSION, GROUP};
use serde_json::{Value, json};

use crate::sync::layout::{Environment, Layout};
use crate::sync::{GONE, KINDS, OWN_OBJECTS, Prune, SyncError, SyncObject, SyncOptions, own_files};

/// Makes the objects.
///
/// # Errors
/// [`SyncError`] for Environments whose branch is not known: Flux takes
/// `master` where none is named.
pub fn objects(layout: &Layout, options: &SyncOptions<'_>) -> Result<Vec<SyncObject>, Vec<SyncError>> {
    let unknown = layout.environments.iter().filter(|one| one.branch.is_none());
    let errors: Vec<SyncError> = unknown.map(|one| SyncError::NoBranch { env: one.env.clone() }).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let secrets = layout.groups(|one| one.address.clone());
    let mut objects = Vec::new();
    for (name, group) in layout.groups(|one| (one.address.clone(), one.branch.clone())) {
        let Some(first) = group.first() else { continue };
        let secret = secrets.iter().find(|(_, users)| users.contains(first));
        let secret = format!("git-{}", secret.map_or(&name, |(name, _)| name));
        objects.push(repository(options, &name, &secret, first, &group));
        for environment in group.into_iter().filter(|one| layout.wanted().any(|wanted| wanted == *one)) {
            objects.push(namespace(environment));
            objects.extend(cluster_kustomization(layout, options, &name, environment));
            objects.push(kustomization(layout, options, &name, environment));
        }
    }
    Ok(objects)
}

fn repository(
    options: &SyncOptions<'_>,
    name: &str,
    secret: &str,
    first: &Environment,
    group: &[&Environment],
) -> SyncObject {
    let url = first.address.flux();
    let credential = match first.address.is_ssh() {
        true => "--private-key-file=FILE".to_owned(),
        false => format!("--username={} --password=TOKEN", first.address.username),
    };
    SyncObject::new(json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": name, "namespace": options.namespace},
        "spec": {
            "interval": "1m",
            "url": url,
            // Never left out: without it, Flux takes `master`.
            "ref": {"branch": first.branch},
            "secretRef": {"name": secret},
            "ignore": ignored(group),
        },
    }))
    .with_comment([
        "The Secret holds a credential of the cluster's own that may only read:".to_owned(),
        format!("  flux create secret git {secret} --namespace={} --url={url} {credential}", options.namespace),
    ])
    .with_comment(first.address.advice())
}

/// Everything is ignored but our files in the directories of the Environments
/// and those of their objects without a namespace.
///
/// A pattern cannot bring back what lies in a directory that is ignored, so
/// each directory on the way is brought back, and what lies beside it ignored.
fn ignored(group: &[&Environment]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |line: String| {
        if !lines.contains(&line) {
            lines.push(line);
        }
    };
    add("/*".to_owned());
    let own = group.iter().map(|one| (one.path.as_str(), own_files([*one])));
    let of_cluster = group.iter().filter_map(|one| Some((one.cluster_path.as_deref()?, &OWN_OBJECTS[..])));
    for (path, files) in own.chain(of_cluster) {
        let mut directory = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            directory = format!("{directory}/{}", literal(part));
            add(format!("!{directory}"));
            add(format!("{directory}/*"));
        }
        for pattern in files {
            add(format!("!{directory}/{pattern}"));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A name as a pattern that means it alone.
fn literal(part: &str) -> String {
    let mut pattern = String::new();
    for c in part.chars() {
        if matches!(c, '*' | '?' | '[' | ' ') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// Flux makes no namespace.
fn namespace(environment: &Environment) -> SyncObject {
    SyncObject::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": environment.namespace}}))
}

fn kustomization(layout: &Layout, options: &SyncOptions<'_>, source: &str, environment: &Environment) -> SyncObject {
    let mut spec = spec(options, source, &environment.path, environment.holds_objects);
    spec["targetNamespace"] = json!(environment.namespace);
    if environment.cluster_path.is_some() {
        // Its kinds and roles have to be there first.
        spec["dependsOn"] = json!([{"name": layout.cluster_name(&environment.env)}]);
    }
    if !environment.holds_objects {
        spec["healthCheckExprs"] = json!(KINDS.map(health));
    }
    object(options, &layout.name(&environment.env), &spec)
        .with_comment(what_is_deleted(options, environment.holds_objects))
}

/// What brings in the objects of an Environment that belong to no namespace.
fn cluster_kustomization(
    layout: &Layout,
    options: &SyncOptions<'_>,
    source: &str,
    environment: &Environment,
) -> Option<SyncObject> {
    let spec = spec(options, source, environment.cluster_path.as_deref()?, true);
    let object = object(options, &layout.cluster_name(&environment.env), &spec);
    let comment = ["Objects that belong to no namespace. The Environment's own wait for them."];
    Some(object.with_comment(comment).with_comment(GONE).with_comment(what_is_deleted(options, true)))
}

fn object(options: &SyncOptions<'_>, name: &str, spec: &Value) -> SyncObject {
    SyncObject::new(json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": options.namespace},
        "spec": spec,
    }))
}

/// What all Kustomizations have in common.
fn spec(options: &SyncOptions<'_>, source: &str, path: &str, holds_objects: bool) -> Value {
    let mut spec = json!({
        "interval": "10m",
        "retryInterval": "1m",
        "timeout": "15m",
        "sourceRef": {"kind": "GitRepository", "name": source},
        "path": format!("./{path}"),
        "prune": options.prune != Prune::None,
        "deletionPolicy": "Orphan",
        "wait": true,
    });
    if options.prune == Prune::All {
        // Flux asks the object in the cluster, so this counts from the next reconciliation on.
        let target = match holds_objects {
            true => json!({"annotationSelector": "kustomize.toolkit.fluxcd.io/prune=disabled"}),
            false => json!({"group": GROUP, "kind": "Resource"}),
        };
        spec["patches"] = json!([{
            "target": target,
            "patch": "- op: remove\n  path: /metadata/annotations/kustomize.toolkit.fluxcd.io~1prune\n",
        }]);
    }
    spec
}

/// A warning where the real things go with their files.
fn what_is_deleted(options: &SyncOptions<'_>, holds_objects: bool) -> Option<&'static str> {
    (options.prune == Prune::All).then_some(match holds_objects {
        true => "What leaves Git is deleted in the cluster, also what holds data.",
        false => "A Resource that leaves Git is deleted in the cluster, and with it the real resource.",
    })
}

fn health(kind: &str) -> Value {
    let has = |condition: &str| {
        format!("has(status.conditions) && status.conditions.exists(c, c.type == '{condition}' && c.status == 'True')")
    };
    json!({
        "apiVersion": API_VERSION,
        "kind": kind,
        "inProgress": "!has(status.conditions) || status.observedGeneration != metadata.generation",
        "failed": has("Stalled"),
        "current": has("Ready"),
    })
}
