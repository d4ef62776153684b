//! Objects for Argo CD (spec/gitops.md §5).

use humctl_api_types::custom_resource::GROUP;
use serde_json::{Map, Value, json};

use crate::sync::address::Address;
use crate::sync::layout::{Environment, Layout};
use crate::sync::{GONE, KINDS, OWN_OBJECTS, Prune, SyncError, SyncObject, SyncOptions, own_files};

/// The cluster that Argo CD itself runs in.
const SERVER: &str = "https://kubernetes.default.svc";

/// Health of our kinds, of which Argo CD knows nothing: what the Operator says about the
/// present generation.
const HEALTH: &str = r#"local hs = {status = "Progressing", message = "waiting for the operator"}
if obj.status == nil then return hs end
if obj.status.observedGeneration ~= obj.metadata.generation then return hs end
for _, c in ipairs(obj.status.conditions or {}) do
  if c.type == "Stalled" and c.status == "True" then
    return {status = "Degraded", message = c.message or c.reason}
  end
  if c.type == "Ready" and c.status == "True" then
    hs = {status = "Healthy", message = c.message or ""}
  end
  if c.type == "Ready" and c.status == "False" then
    hs.message = (c.reason or "") .. ": " .. (c.message or "")
  end
end
return hs
"#;

/// Makes the objects, an `ApplicationSet` in place of the Applications where that is wanted.
///
/// # Errors
/// [`SyncError`] when Argo CD cannot do what is wanted.
pub fn objects(
    layout: &Layout,
    options: &SyncOptions<'_>,
    is_application_set: bool,
) -> Result<Vec<SyncObject>, Vec<SyncError>> {
    if options.prune == Prune::All {
        return Err(vec![SyncError::PruneAll]);
    }
    let directories = if is_application_set { Directories::of(layout) } else { None };
    let mut objects = Vec::new();
    if layout.wanted().any(|one| !one.holds_objects) {
        objects.push(health(options));
    }
    for (name, group) in layout.groups(|one| one.address.clone()) {
        objects.extend(
            group.first().map(|one| repository(options, &format!("repo-{name}"), &one.address, layout.app.as_str())),
        );
    }
    objects.push(project(layout, options, directories.as_ref()));
    objects.extend(cluster_access(layout, options));
    if is_application_set {
        objects.push(application_set(layout, options, directories.as_ref()));
    } else {
        objects.extend(layout.wanted().map(|one| application(layout, options, one)));
    }
    objects.extend(layout.wanted().filter_map(|one| cluster_application(layout, options, one)));
    Ok(objects)
}

/// One key for each kind: the wildcard of one key for all is allowed only where
/// everybody else's settings stand, too.
fn health(options: &SyncOptions<'_>) -> SyncObject {
    let data: Map<String, Value> = KINDS
        .iter()
        .map(|kind| (format!("resource.customizations.health.{GROUP}_{kind}"), Value::from(HEALTH)))
        .collect();
    SyncObject::new(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "argocd-cm",
            "namespace": options.namespace,
            "labels": {"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"},
        },
        "data": data,
    }))
    .with_comment([
        "Argo CD has a ConfigMap of this name: these keys go beside its own. They do with",
        "  kubectl apply --server-side --field-manager=humctl",
        "Objects are tracked by annotation, as Argo CD does since version 3; before, it has to be told:",
        "  application.resourceTrackingMethod: annotation",
    ])
}

fn repository(options: &SyncOptions<'_>, name: &str, address: &Address, project: &str) -> SyncObject {
    let url = address.argocd();
    let mut data = json!({"type": "git", "url": url, "project": project});
    if address.is_ssh() {
        data["sshPrivateKey"] = json!(format!("<private SSH key that may read {url}>"));
    } else {
        data["username"] = json!(address.username);
        data["password"] = json!(format!("<token that may read {url}>"));
    }
    SyncObject::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": options.namespace,
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "stringData": data,
    }))
    .with_comment(["Fill in a credential of the cluster's own that may only read, and keep it out of Git."])
    .with_comment(address.advice())
}

fn project(layout: &Layout, options: &SyncOptions<'_>, directories: Option<&Directories>) -> SyncObject {
    let destination = |namespace: &str| json!({"server": SERVER, "namespace": namespace});
    let destinations: Vec<Value> = match directories {
        // Environments that are yet to come have to be allowed, too.
        Some(directories) => vec![destination(&directories.namespaces.replace("{env}", "*"))],
        None => layout.environments.iter().map(|one| destination(&one.namespace)).collect(),
    };
    let holds_objects = layout.environments.iter().any(|one| one.holds_objects);
    let (kinds, comment): (Vec<Value>, [&str; 2]) = if holds_objects {
        let comment = [
            "Whatever kinds of objects the Workloads and Resource Definitions have may come from Git, into the namespaces",
            "above; of those that belong to no namespace, only Namespace.",
        ];
        (vec![json!({"group": "*", "kind": "*"})], comment)
    } else {
        let comment = [
            "Nothing but custom resources comes from Git. To see in Argo CD what the Operator makes of them, list",
            "those kinds, too: Deployment and ReplicaSet (group apps), Pod, Service, ConfigMap, Secret (group \"\").",
        ];
        (KINDS.iter().map(|kind| json!({"group": GROUP, "kind": kind})).collect(), comment)
    };
    SyncObject::new(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": layout.app, "namespace": options.namespace},
        "spec": {
            "sourceRepos": addresses(&layout.environments),
            "destinations": destinations,
            "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
            "namespaceResourceWhitelist": kinds,
        },
    }))
    .with_comment(comment)
}

fn addresses<'e>(environments: impl IntoIterator<Item = &'e Environment>) -> Vec<&'e str> {
    let mut addresses: Vec<&str> = environments.into_iter().map(|one| one.address.argocd()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// What Applications for objects without a namespace need besides: an
/// `AppProject` that allows them, and those alone, and credentials once more,
/// since Argo CD keeps those of one project from another.
fn cluster_access(layout: &Layout, options: &SyncOptions<'_>) -> Vec<SyncObject> {
    let has_objects = |one: &&Environment| one.cluster_path.is_some();
    if layout.wanted().find(has_objects).is_none() {
        return Vec::new();
    }
    // No id has a dot, so that no Application's own project is called that.
    let project = cluster_project_name(layout);
    let groups = layout.groups(|one| one.address.clone()).into_iter();
    let read = groups.filter_map(|(name, group)| Some((name, group.into_iter().find(has_objects)?)));
    let mut objects: Vec<SyncObject> =
        read.map(|(name, one)| repository(options, &format!("cluster-repo-{name}"), &one.address, &project)).collect();
    let project = SyncObject::new(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": project, "namespace": options.namespace},
        "spec": {
            "sourceRepos": addresses(layout.environments.iter().filter(has_objects)),
            "destinations": [{"server": SERVER}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            "namespaceResourceBlacklist": [{"group": "*", "kind": "*"}],
        },
    }))
    .with_comment([
        "Objects that belong to no namespace, and no others. Whoever may write to their directories may do everything",
        "in the cluster: to allow less, list the kinds that the Resource Definitions have.",
    ]);
    objects.push(project);
    objects
}

fn cluster_project_name(layout: &Layout) -> String {
    format!("{}.cluster", layout.app)
}

/// What brings in the objects of an Environment that belong to no namespace.
fn cluster_application(layout: &Layout, options: &SyncOptions<'_>, environment: &Environment) -> Option<SyncObject> {
    let path = path(environment.cluster_path.as_deref()?);
    let source = source(environment.address.argocd(), &revision(environment), &path, &OWN_OBJECTS);
    let object = SyncObject::new(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": layout.cluster_name(&environment.env),
            "namespace": options.namespace,
            "annotations": annotations(),
        },
        "spec": spec(&cluster_project_name(layout), options, &source, None),
    }));
    let comment = [
        "Objects that belong to no namespace. Argo CD does not let the Environment's own wait for them, but tries again",
        "what failed without them.",
    ];
    Some(object.with_comment(comment).with_comment(GONE))
}

fn application(layout: &Layout, options: &SyncOptions<'_>, environment: &Environment) -> SyncObject {
    let files = own_files([environment]);
    let source = source(environment.address.argocd(), &revision(environment), &path(&environment.path), files);
    SyncObject::new(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": layout.name(&environment.env),
            "namespace": options.namespace,
            "annotations": annotations(),
        },
        "spec": spec(layout.app.as_str(), options, &source, Some(&environment.namespace)),
    }))
    .with_comment(["No finalizer: deleting this object leaves everything in the cluster."])
}

/// A commit elsewhere in a shared repository is no reason to look again.
fn annotations() -> Value {
    json!({"argocd.argoproj.io/manifest-generate-paths": "."})
}

fn source(url: &str, revision: &str, path: &str, files: &[&str]) -> Value {
    json!({
        "repoURL": url,
        "targetRevision": revision,
        "path": path,
        "directory": {"include": format!("{{{}}}", files.join(","))},
    })
}

fn spec(project: &str, options: &SyncOptions<'_>, source: &Value, namespace: Option<&str>) -> Value {
    let mut sync_options: Vec<&str> = namespace.iter().map(|_| "CreateNamespace=true").collect();
    let mut sync_policy = match options.prune {
        // The least there is: what left Git stays, and what was changed by hand does, too.
        Prune::None => json!({"automated": {}}),
        Prune::Workloads | Prune::All => {
            sync_options.extend(["ServerSideApply=true", "PruneLast=true"]);
            json!({
                "automated": {"prune": true, "selfHeal": true},
                "retry": {"limit": 10, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
            })
        }
    };
    if !sync_options.is_empty() {
        sync_policy["syncOptions"] = json!(sync_options);
    }
    let mut destination = json!({"server": SERVER});
    if let Some(namespace) = namespace {
        destination["namespace"] = json!(namespace);
    }
    json!({"project": project, "source": source, "destination": destination, "syncPolicy": sync_policy})
}

fn revision(environment: &Environment) -> String {
    environment.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"))
}

fn path(directory: &str) -> String {
    if directory.is_empty() { ".".to_owned() } else { directory.to_owned() }
}

/// A layout in which every Environment is a directory of its name beside the
/// others, so that new ones can be found.
struct Directories {
    address: Address,
    branch: Option<String>,
    /// The directory above, with a slash behind it unless it is the root.
    above: String,
    /// The pattern of the namespaces.
    namespaces: String,
}

impl Directories {
    fn of(layout: &Layout) -> Option<Self> {
        let namespaces = layout.namespaces.clone()?;
        let first = layout.environments.first()?;
        let above = first.path.strip_suffix(first.env.as_str())?;
        // What a generator would read as a pattern cannot be named.
        if above.contains(['*', '?', '[', '\\']) || !(above.is_empty() || above.ends_with('/')) {
            return None;
        }
        let is_beside = |one: &Environment| {
            one.address == first.address
                && one.branch == first.branch
                && one.path == format!("{above}{}", one.env)
                // The generator would take the directory of other objects for an Environment, too.
                && !one.cluster_path.as_ref().is_some_and(|path| path.starts_with(above))
        };
        layout.environments.iter().all(is_beside).then(|| Self {
            address: first.address.clone(),
            branch: first.branch.clone(),
            above: above.to_owned(),
            namespaces,
        })
    }
}

fn application_set(layout: &Layout, options: &SyncOptions<'_>, directories: Option<&Directories>) -> SyncObject {
    let files = own_files(&layout.environments);
    let (generator, env, source, namespace) = match directories {
        Some(directories) => {
            let env = "{{ .path.basenameNormalized }}";
            let url = directories.address.argocd();
            let branch = directories.branch.as_deref();
            let generator = json!({"git": {
                "repoURL": url,
                "revision": branch.unwrap_or("HEAD"),
                "directories": [{"path": format!("{}*", directories.above)}],
            }});
            let revision = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
            let namespace = directories.namespaces.replace("{env}", env);
            (generator, env, source(url, &revision, "{{ .path.path }}", files), namespace)
        }
        None => {
            let elements: Vec<Value> = layout
                .environments
                .iter()
                .map(|one| {
                    json!({
                        "env": one.env,
                        "repoURL": one.address.argocd(),
                        "revision": revision(one),
                        "path": path(&one.path),
                        "namespace": one.namespace,
                    })
                })
                .collect();
            let source = source("{{ .repoURL }}", "{{ .revision }}", "{{ .path }}", files);
            (json!({"list": {"elements": elements}}), "{{ .env }}", source, "{{ .namespace }}".to_owned())
        }
    };
    SyncObject::new(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": layout.app, "namespace": options.namespace},
        "spec": {
            "goTemplate": true,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [generator],
            "template": {
                "metadata": {"name": format!("{}-{env}", layout.app), "annotations": annotations()},
                "spec": spec(layout.app.as_str(), options, &source, Some(&namespace)),
            },
            "syncPolicy": {"preserveResourcesOnDeletion": true, "applicationsSync": "create-update"},
        },
    }))
    .with_comment([
        "A directory that vanishes takes no Application with it, and an Application nothing from the cluster.",
    ])
}
