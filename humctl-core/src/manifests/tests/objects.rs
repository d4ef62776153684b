//! Objects one by one: what is needed, dropped, added and refused.

use serde_json::json;

use super::*;

#[test]
fn an_object_is_a_file() {
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop-dev", "labels": null},
        "data": {"on": "yes", "text": "a\nb\n"},
    });
    let found = files(object);
    assert_eq!(found.len(), 1);
    let ManifestFile { name, content, kind, object, is_cluster_scoped } = &found[0];
    assert_eq!((name.as_str(), kind.as_str(), object.as_str()), ("configmap-settings.yaml", "ConfigMap", "settings"));
    assert!(!is_cluster_scoped);
    insta::assert_snapshot!(content, @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: settings
    data:
      "on": "yes"
      text: |
        a
        b
    "#);
}

#[test]
fn what_a_server_writes_is_dropped() {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "uid": "1", "resourceVersion": "2", "creationTimestamp": null, "generation": 3,
            "managedFields": [], "selfLink": "/x",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"},
        },
        "spec": {"template": {"metadata": {"creationTimestamp": null}}},
        "status": {"replicas": 1},
    });
    assert_eq!(
        read(&files(object)[0]),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {"a": "b"}},
            "spec": {"template": {"metadata": {"creationTimestamp": null}}},
        })
    );
}

#[test]
fn what_is_no_object_is_refused() {
    let at = "resource `postgres.default#db`, manifest `m`";
    let missing = |field: &str| {
        format!("`{field}` is missing, or no text\n  hint: every object needs `apiVersion`, `kind` and `metadata.name`")
    };
    for (object, expected) in [
        (json!("x"), vec![format!("{at}: a Kubernetes object is expected here, not a text")]),
        (json!(null), vec![format!("{at}: a Kubernetes object is expected here, not nothing")]),
        (
            json!({}),
            vec![
                format!("{at}: {}", missing("apiVersion")),
                format!("{at}: {}", missing("kind")),
                format!("{at}: {}", missing("metadata.name")),
            ],
        ),
        (
            json!({"kind": "ConfigMap", "metadata": {"name": "x"}}),
            vec![format!("{at}: ConfigMap `x`: {}", missing("apiVersion"))],
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "x-"}}),
            vec![format!(
                "{at}: `generateName` stands for a name, so that every sync would make one more object\n  hint: give it a `metadata.name`"
            )],
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "annotations": []}}),
            vec![format!("{at}: Pod `x`: `metadata.annotations` is no mapping")],
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "../Evil"}}),
            vec![format!(
                "{at}: Pod `../Evil`: `../Evil` is no name that Kubernetes takes\n  hint: names have lower-case letters, digits, `-` and `.`, and begin and end with a letter or digit"
            )],
        ),
        (
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"k": "a <no value>"}}),
            vec![format!(
                "{at} at /data/k: ConfigMap `x`: `<no value>` stands here, which a template prints for a key that is not there\n  hint: mend the key, or give it a `default`"
            )],
        ),
        (
            json!({"apiVersion": "v1", "kind": "List", "items": [config_map("a"), 7]}),
            vec![format!("{at} at /items/1: a Kubernetes object is expected here, not a number")],
        ),
    ] {
        let mut found = errors(object);
        found.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn lists_are_split() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        config_map("b"),
        {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]},
    ]});
    assert_eq!(
        files(list).iter().map(|file| file.name.as_str()).collect::<Vec<_>>(),
        ["configmap-a.yaml", "configmap-b.yaml"]
    );
    // A kind of somebody may be called like a list.
    let own = json!({"apiVersion": "acme.example/v1", "kind": "AllowList", "metadata": {"name": "x"}, "items": [1]});
    assert_eq!(files(own)[0].name, "allowlist-x.yaml");
    assert_eq!(files(json!({"apiVersion": "v1", "kind": "List", "items": []})), []);
}

#[test]
fn namespaces_are_the_sync_tools_business() {
    for (namespace, environment, name, n_warnings) in [
        (None, Some("shop-dev"), "configmap-x.yaml", 0),
        (Some("shop-dev"), Some("shop-dev"), "configmap-x.yaml", 0),
        (Some(""), Some("shop-dev"), "configmap-x.yaml", 0),
        (Some("monitoring"), Some("shop-dev"), "configmap-monitoring.x.yaml", 1),
        (Some("shop-dev"), None, "configmap-shop-dev.x.yaml", 1),
    ] {
        let mut object = config_map("x");
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let context = context();
        let options = TargetOptions { namespace: environment, ..open(&context) };
        let found = to_files(&[], &[manifest("m", object)], options).unwrap();
        assert_eq!((found.files[0].name.as_str(), found.warnings.len()), (name, n_warnings), "{namespace:?}");
        assert_eq!(found.files[0].content.contains("namespace:"), n_warnings == 1);
    }
    let mut object = config_map("x");
    object["metadata"]["namespace"] = json!("monitoring");
    assert_eq!(
        texts(&written(&[manifest("m", object)]).unwrap().warnings),
        [
            "resource `postgres.default#db`, manifest `m`: ConfigMap `x` names the namespace `monitoring`: Argo CD must allow it as a destination of the project, and a `targetNamespace` of Flux overrides it"
        ]
    );
}

#[test]
fn objects_of_the_whole_cluster_need_a_place() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r", "namespace": "x"}});
    let own = json!({"apiVersion": "acme.example/v1", "kind": "Fleet", "metadata": {"name": "f"}});
    let context = context();
    let closed = TargetOptions { allows_cluster_scoped: false, ..open(&context) };
    let in_cluster = |object: &Value| ResourceManifest { location: Location::Cluster, ..manifest("m", object.clone()) };
    let workload = |object: &Value| WorkloadObjects {
        workload: "web".to_owned(),
        objects: vec![Object(object.clone())],
        ..WorkloadObjects::default()
    };
    for (manifest, is_cluster_scoped) in [
        (in_cluster(&role), true),
        (manifest("m", role.clone()), true),
        (in_cluster(&own), true),
        (manifest("m", own.clone()), false),
        (in_cluster(&config_map("x")), false),
    ] {
        let found = written(std::slice::from_ref(&manifest)).unwrap();
        assert_eq!(found.files[0].is_cluster_scoped, is_cluster_scoped, "{manifest:?}");
        assert!(found.warnings.is_empty() && !found.files[0].content.contains("namespace"));
        assert_eq!(to_files(&[], &[manifest], closed).is_err(), is_cluster_scoped);
    }
    let hint = "it belongs to the whole cluster, and this target takes only what lies in the Environment's namespace\n  hint: the input `cluster_path` of the cluster's Definition names the directory for such objects";
    assert_eq!(
        texts(&to_files(&[workload(&role)], &[in_cluster(&own)], closed).unwrap_err()),
        [
            format!("resource `postgres.default#db`, manifest `m`: Fleet `f`: {hint}"),
            format!("workload `web`: ClusterRole `r`: {hint}"),
        ]
    );
}

#[test]
fn the_same_object_twice_is_one_unless_it_differs() {
    let same = written(&[manifest("a", config_map("x")), manifest("b", config_map("x"))]).unwrap();
    assert_eq!(same.files.len(), 1);
    let mut other = config_map("x");
    other["data"] = json!({"a": "b"});
    assert_eq!(
        texts(&written(&[manifest("b", config_map("x")), manifest("a", other)]).unwrap_err()),
        [
            "resource `postgres.default#db`, manifest `a`: ConfigMap `x`: a different object of that kind and name comes from resource `postgres.default#db`, manifest `b`\n  hint: rename one of them"
        ]
    );
    // Another version of the group is no other object; another group is.
    let service = |version: &str| json!({"apiVersion": version, "kind": "Service", "metadata": {"name": "web"}});
    assert!(written(&[manifest("a", service("v1")), manifest("b", service("v2"))]).is_err());
    let found = written(&[manifest("a", service("v1")), manifest("b", service("serving.knative.dev/v1"))]).unwrap();
    assert!(found.files.iter().all(|file| file.name.starts_with("service-web-")), "both have a mark");
    // Data is lost with it if it is lost with any of them.
    let stateful = ResourceManifest { is_stateful: true, ..manifest("b", config_map("x")) };
    let found = written(&[manifest("a", config_map("x")), stateful]).unwrap();
    assert!(found.files[0].content.contains("Prune=false"));
}

#[test]
fn what_holds_data_stays_when_its_file_goes() {
    for (version, kind, is_stateful, is_kept) in [
        ("v1", "ConfigMap", false, false),
        ("v1", "ConfigMap", true, true),
        ("v1", "PersistentVolumeClaim", false, true),
        ("v1", "PersistentVolume", false, true),
        ("apps/v1", "StatefulSet", false, true),
        ("apps/v1", "Deployment", false, false),
        ("acme.example/v1", "StatefulSet", false, false),
    ] {
        let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}});
        let found = written(&[ResourceManifest { is_stateful, ..manifest("m", object) }]).unwrap();
        let expected = json!({
            "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
            "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
            "kustomize.toolkit.fluxcd.io/prune": "disabled",
        });
        let annotations = read(&found.files[0]).pointer("/metadata/annotations").cloned();
        assert_eq!(annotations, is_kept.then_some(expected), "{kind}");
    }
}

#[test]
fn an_object_that_no_cluster_takes_is_refused() {
    let mut object = config_map("x");
    object["data"] = json!({"a": "x".repeat(file::MAX_BYTES)});
    let found = errors(object);
    assert!(found[0].contains("`configmap-x.yaml` has 524"), "{found:?}");
    assert!(found[0].ends_with("hint: move large files into the image or a volume"));
}

#[test]
fn references_may_stand_in_secrets_only() {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"a": secret_ref("s", "r"), "b": {"$concat": ["x", {"$field": {"pod": "status.podIP"}}]}, "c": {"$ref": {"res": "r"}}},
    });
    let at = |key: &str| format!("resource `postgres.default#db`, manifest `m` at /spec/{key}: Deployment `web`: ");
    assert_eq!(
        errors(object),
        [
            at("a")
                + "a secret cannot stand here: this file goes to Git\n  hint: put it under `stringData` of a manifest of kind Secret, and name that Secret here (`secretKeyRef`, `secretName`)",
            at("b")
                + "what only the Pod knows cannot stand here\n  hint: use `fieldRef` or `resourceFieldRef` in the `env` of a container",
            at("c")
                + "it refers to an output of a resource that is not known before the cluster makes it\n  hint: let the Definition of that resource use a driver that runs here, or write custom resources to this target",
        ]
    );
}
