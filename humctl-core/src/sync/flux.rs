//! Objects for Flux (spec/gitops.md §6).

use humctl_api_types::custom_resource::{API_VERSION, GROUP};
use serde_json::{Value, json};

use crate::sync::layout::{Environment, Layout};
use crate::sync::{KINDS, Prune, SyncError, SyncObject, SyncOptions, own_files};

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

/// Everything is ignored but our files in the directories of the Environments.
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
    for environment in group {
        let mut directory = String::new();
        for part in environment.path.split('/').filter(|part| !part.is_empty()) {
            directory = format!("{directory}/{}", literal(part));
            add(format!("!{directory}"));
            add(format!("{directory}/*"));
        }
        for files in own_files([*environment]) {
            add(format!("!{directory}/{files}"));
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
    let mut spec = json!({
        "interval": "10m",
        "retryInterval": "1m",
        "timeout": "15m",
        "sourceRef": {"kind": "GitRepository", "name": source},
        "path": format!("./{}", environment.path),
        "targetNamespace": environment.namespace,
        "prune": options.prune != Prune::None,
        "deletionPolicy": "Orphan",
        "wait": true,
    });
    if !environment.holds_objects {
        spec["healthCheckExprs"] = json!(KINDS.map(health));
    }
    let mut comment = Vec::new();
    if options.prune == Prune::All {
        // Flux asks the object in the cluster, so this counts from the next reconciliation on.
        let target = match environment.holds_objects {
            true => json!({"annotationSelector": "kustomize.toolkit.fluxcd.io/prune=disabled"}),
            false => json!({"group": GROUP, "kind": "Resource"}),
        };
        spec["patches"] = json!([{
            "target": target,
            "patch": "- op: remove\n  path: /metadata/annotations/kustomize.toolkit.fluxcd.io~1prune\n",
        }]);
        comment.push(match environment.holds_objects {
            true => "What leaves Git is deleted in the cluster, also what holds data.",
            false => "A Resource that leaves Git is deleted in the cluster, and with it the real resource.",
        });
    }
    SyncObject::new(json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": layout.name(&environment.env), "namespace": options.namespace},
        "spec": spec,
    }))
    .with_comment(comment)
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
