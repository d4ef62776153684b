//! The Deployment and its Pod: what overrides what, labels, volumes, extras.

use super::*;

#[test]
fn a_workload_comes_to_these_objects() {
    for (chapter, text, expected) in [
        ("§7.1 a ConfigMap even when empty", "{}", "ConfigMap shop-configmap-web, Deployment shop"),
        (
            "§7.1 one for each container",
            "containers: {b: {}, a: {}}",
            "ConfigMap shop-configmap-a, ConfigMap shop-configmap-b, Deployment shop",
        ),
        ("§7.1 no ports", "service: {ports: {}}", "ConfigMap shop-configmap-web, Deployment shop"),
        (
            "§7.1 a Service",
            "service: {ports: {www: {service_port: 80}}}",
            "ConfigMap shop-configmap-web, Deployment shop, Service shop",
        ),
        (
            "§7.1 files",
            "containers: {web: {files: {/a: {value: x}}}}",
            "ConfigMap shop-configmap, ConfigMap shop-configmap-web, Deployment shop",
        ),
        (
            "§7.1 extra objects",
            "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]",
            "ConfigMap a, ConfigMap shop-configmap-web, Deployment shop",
        ),
    ] {
        assert_eq!(listing(&ok(MODULE, text)).join(", "), expected, "{chapter}: {text}");
    }
    assert_eq!(at(&ok(MODULE, "{}"), "ConfigMap shop-configmap-web /data"), json!({}));
    assert_eq!(listing(&ok("", "{}")), listing(&ok(MODULE, "{}")), "§6.1: the default profile");
}

#[test]
fn features_of_a_deployment_and_its_pod() {
    let (deployment, pod) = ("Deployment shop ", "Deployment shop /spec/template/spec");
    let place = |base: &str, pointer: &str| format!("{base}{pointer}");
    for (chapter, text, place, expected) in [
        ("§7.2 no replicas unless given", "{}", place(deployment, "/spec/replicas"), "null"),
        ("§10 0 is kept", "deployment: {replicas: 0}", place(deployment, "/spec/replicas"), "0"),
        ("§6.1 a Shared Value is text", "deployment: {replicas: '3'}", place(deployment, "/spec/replicas"), "3"),
        ("§6.1 deprecated", "replicas: 2", place(deployment, "/spec/replicas"), "2"),
        ("§7.2 overridden", "{replicas: 2, deployment: {replicas: 0}}", place(deployment, "/spec/replicas"), "0"),
        ("§6.1 deprecated", "strategy: {type: Recreate}", place(deployment, "/spec/strategy/type"), "Recreate"),
        ("§6.1 deprecated", "minReadySeconds: 5", place(deployment, "/spec/minReadySeconds"), "5"),
        ("§6.1 deprecated", "progressDeadlineSeconds: 5", place(deployment, "/spec/progressDeadlineSeconds"), "5"),
        ("§6.1 paused", "deployment: {paused: true}", place(deployment, "/spec/paused"), "true"),
        ("§7.2 annotations", "deployment: {annotations: {a: b}}", place(deployment, "/metadata/annotations"), "{a: b}"),
        ("§7.2 labels", "deployment: {labels: {a: 1}}", place(deployment, "/metadata/labels/a"), "'1'"),
        (
            "§7.2 not on the Pod",
            "deployment: {labels: {a: b}}",
            place(deployment, "/spec/template/metadata/labels/a"),
            "null",
        ),
        ("§6.1 on the Pod", "labels: {a: b}", place(deployment, "/spec/template/metadata/labels/a"), "b"),
        (
            "§6.1 on the Pod",
            "annotations: {a: true}",
            place(deployment, "/spec/template/metadata/annotations/a"),
            "'true'",
        ),
        (
            "§7.2 pod counts",
            "{labels: {a: b}, pod: {labels: {a: c}}}",
            place(deployment, "/spec/template/metadata/labels/a"),
            "c",
        ),
        (
            "§7.2 empty",
            "{labels: {a: b}, pod: {labels: {a: ''}}}",
            place(deployment, "/spec/template/metadata/labels/a"),
            "''",
        ),
        (
            "§8 Score annotations",
            "pod: {annotations: {team: core}}",
            place(deployment, "/spec/template/metadata/annotations/team"),
            "core",
        ),
        (
            "§7.2 the selector",
            "{}",
            place(deployment, "/spec/selector/matchLabels"),
            "{app.kubernetes.io/instance: shop, app.kubernetes.io/name: shop}",
        ),
        ("§6.1 old key", "hostNetwork: true", place(pod, "/hostNetwork"), "true"),
        ("§7.2 false counts", "{hostNetwork: true, pod: {hostNetwork: false}}", place(pod, "/hostNetwork"), "false"),
        ("§7.2 0 counts", "{priority: 5, pod: {priority: 0}}", place(pod, "/priority"), "0"),
        ("§7.2 empty counts", "{hostname: a, pod: {hostname: ''}}", place(pod, "/hostname"), "''"),
        ("§7.2 null is absent", "{hostname: a, pod: {hostname: null}}", place(pod, "/hostname"), "a"),
        ("§6.1 anything else", "pod: {dnsPolicy: None}", place(pod, "/dnsPolicy"), "None"),
        ("§6.1 tolerations", "pod: {tolerations: [{key: a}]}", place(pod, "/tolerations"), "[{key: a}]"),
        ("§7.2 always there", "{}", place(pod, "/serviceAccountName"), "''"),
        ("§7.2 both names", "serviceAccountName: a", place(pod, "/serviceAccount"), "a"),
        (
            "§7.2 pod counts",
            "{serviceAccountName: a, pod: {serviceAccountName: b}}",
            place(pod, "/serviceAccountName"),
            "b",
        ),
        (
            "§7.2 by its old name",
            "{serviceAccountName: a, pod: {serviceAccount: b}}",
            place(pod, "/serviceAccountName"),
            "b",
        ),
        (
            "§7.2 taken away",
            "{serviceAccountName: a, pod: {serviceAccountName: ''}}",
            place(pod, "/serviceAccount"),
            "''",
        ),
        ("§7.2 always there", "{}", place(pod, "/imagePullSecrets"), "[]"),
        ("§6.1 deprecated", "imagePullSecrets: [{name: a}]", place(pod, "/imagePullSecrets"), "[{name: a}]"),
        (
            "§7.2 pod counts",
            "{imagePullSecrets: [{name: a}], pod: {imagePullSecrets: []}}",
            place(pod, "/imagePullSecrets"),
            "[]",
        ),
        ("§6.1 init containers", "pod: {initContainers: [{name: a}]}", place(pod, "/initContainers"), "[{name: a}]"),
        (
            "§6.1 extra containers last",
            "{containers: {z: {}}, extraContainers: [{name: a}]}",
            place(pod, "/containers/1"),
            "{name: a}",
        ),
        ("§6.1 emptyDir", "volumes: {a: {type: emptyDir}}", place(pod, "/volumes"), "[{name: a, emptyDir: {}}]"),
        (
            "§6.1 emptyDir",
            "volumes: {a: {type: emptyDir, source: {medium: Memory}}}",
            place(pod, "/volumes/0/emptyDir"),
            "{medium: Memory}",
        ),
        ("§6.1 no key is lost", "{}", place(pod, "/volumes"), "null"),
    ] {
        assert_eq!(at(&ok(MODULE, text), &place), yaml(expected), "{chapter}: {text}");
    }
}

#[test]
fn volumes_of_all_sources_stand_together() {
    let text = "{volumes: {b: {type: emptyDir}, a: {type: emptyDir}}, extraVolumes: [{name: x}], \
                pod: {volumes: [{name: c}]}, containers: {web: {files: {/f: {value: x}}}}}";
    let volumes = pod(&ok(MODULE, text), "/volumes");
    let names: Vec<&Value> = volumes.as_array().unwrap().iter().map(|volume| &volume["name"]).collect();
    assert_eq!(json!(names), json!(["a", "b", "x", "c", "files-web"]), "§7.2: those of `pod` are not replaced");
}

#[test]
fn every_old_key_of_a_pod_is_still_read() {
    for key in super::super::pod::LEGACY {
        let given = match *key {
            "automountServiceAccountToken" | "hostIPC" | "hostNetwork" | "hostPID" => "true",
            "setHostnameAsFQDN" | "shareProcessNamespace" => "false",
            "preemptionPolicy" => "Never",
            "priority" | "terminationGracePeriodSeconds" => "7",
            "restartPolicy" => "Always",
            _ => "given",
        };
        let found = ok(MODULE, &format!("{key}: {given}"));
        assert_eq!(pod(&found, &format!("/{key}")), yaml(given), "§6.1: {key}");
        assert_eq!(found.warnings, [], "§6.1: {key}");
    }
}

#[test]
fn labels_that_tell_what_belongs_together_stay() {
    let labels = "{app.kubernetes.io/name: mine, app.kubernetes.io/instance: shop, humanitec.io/env: mine}";
    for (at_key, place) in [
        ("pod", "Deployment shop /spec/template/metadata/labels"),
        ("deployment", "Deployment shop /metadata/labels"),
        ("service", "Service shop /metadata/labels"),
    ] {
        let ports = if at_key == "service" { "ports: {www: {service_port: 80}}, " } else { "" };
        let found = ok(MODULE, &format!("{at_key}: {{{ports}labels: {labels}}}"));
        let mut stayed = at(&found, place);
        assert_eq!(stayed["app.kubernetes.io/name"], json!("shop"), "§10: {at_key}");
        assert_eq!(stayed["humanitec.io/env"], json!("development"), "§7.1: {at_key}");
        let manager = stayed.as_object_mut().unwrap().remove("app.kubernetes.io/managed-by");
        assert_eq!(manager.is_some(), at_key != "pod", "§7.1: {at_key}");
        let warned: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            warned,
            [("app.kubernetes.io~1name", "shop"), ("humanitec.io~1env", "development")].map(|(key, value)| format!(
                "workload `shop` at /{at_key}/labels/{key}: this label tells what an object belongs to, and stays \
                 \"{value}\"\n  hint: use another name for it"
            )),
            "§10"
        );
    }
    let at_the_top = ok(MODULE, "labels: {app.kubernetes.io/name: mine}").warnings;
    assert_eq!(
        at_the_top.iter().map(|one| one.pointer.as_str()).collect::<Vec<_>>(),
        ["/labels/app.kubernetes.io~1name"]
    );
    let own = "pod: {labels: {app.kubernetes.io/managed-by: me}}";
    let place = "Deployment shop /spec/template/metadata/labels/app.kubernetes.io~1managed-by";
    check(MODULE, &[("§7.1 in no selector", own, place, "me")]);
}

#[test]
fn what_resources_put_in_stands_beside_what_the_module_has() {
    let volume = |name: &str| json!({"name": name, "emptyDir": {}});
    let injected = |volumes: Vec<Value>| Injected {
        containers: vec![json!({"name": "proxy", "image": "p"}), json!({"name": "agent", "image": "a"})],
        volumes,
        volume_names: BTreeMap::from([("externals.data".to_owned(), "v1".to_owned())]),
    };
    let text = "{containers: {web: {volume_mounts: {/a: {id: externals.data}, /b: {id: externals.data, sub_path: s}}}, \
                log: {volume_mounts: {/a: {id: externals.data, read_only: true}}}}, pod: {volumes: [{name: own}]}}";
    let found = rendered(MODULE, &module(text), &injected(vec![volume("v2"), volume("v1"), volume("v1")])).unwrap();
    let names = |key: &str| -> Vec<Value> {
        pod(&found, key).as_array().unwrap().iter().map(|item| item["name"].clone()).collect()
    };
    assert_eq!(json!(names("/volumes")), json!(["v1", "v2", "own"]), "§7.2, §10: one volume, however often it is used");
    assert_eq!(json!(names("/containers")), json!(["log", "web", "agent", "proxy"]), "§7.2");
    assert_eq!(
        pod(&found, "/containers/1/volumeMounts"),
        json!([{"name": "v1", "mountPath": "/a"}, {"name": "v1", "mountPath": "/b", "subPath": "s"}]),
        "§10: two mounts of one volume"
    );
    assert_eq!(pod(&found, "/containers/0/volumeMounts/0/readOnly"), json!(true));

    for (chapter, volumes, expected) in [
        ("§8 an impossible combination", vec![], "/containers/web/volume_mounts/~1a: `externals.data` gives no volume"),
        (
            "§8 unique names",
            vec![volume("v1"), json!({"name": "v1", "hostPath": {"path": "/"}})],
            "/volumes: two volumes of the Pod have the name `v1`",
        ),
    ] {
        let text = "containers: {web: {volume_mounts: {/a: {id: externals.data}}}}";
        let errors = rendered(MODULE, &module(text), &injected(volumes)).unwrap_err();
        assert!(format!("{}: {}", errors[0].pointer, errors[0].message).starts_with(expected), "{chapter}: {errors:?}");
    }
    let clash = rendered(MODULE, &module("containers: {proxy: {}}"), &injected(vec![volume("v1")])).unwrap_err();
    assert_eq!(clash[0].message, "two containers of the Pod have the name `proxy`", "§10");
}

#[test]
fn mounts_name_their_volume() {
    let mount = |mount: &str| {
        format!(
            "{{volumes: {{My_Vol: {{type: emptyDir}}, v: {{type: emptyDir}}}}, extraVolumes: [{{name: x}}], containers: {{web: {{volume_mounts: {{/m: {mount}}}}}}}}}"
        )
    };
    for (chapter, text, expected) in [
        ("§7.6", "{id: volumes.v}", "{name: v, mountPath: /m}"),
        ("§7.6", "{id: v, sub_path: '', read_only: false}", "{name: v, mountPath: /m}"),
        ("§7.6", "{id: volumes.x}", "{name: x, mountPath: /m}"),
    ] {
        assert_eq!(pod(&ok(MODULE, &mount(text)), "/containers/0/volumeMounts/0"), yaml(expected), "{chapter}: {text}");
    }
    let found = ok(MODULE, &mount("{id: volumes.My_Vol}"));
    assert_eq!(pod(&found, "/containers/0/volumeMounts/0/name"), pod(&found, "/volumes/0/name"));
    let of = "/containers/web/volume_mounts/~1m";
    for (text, expected) in [
        (
            "{id: volumes.y}",
            format!(
                "{of}: there is no volume `volumes.y`\n  hint: name one of `volumes`, or a resource of type `volume`"
            ),
        ),
        (
            "{id: shared.y}",
            format!(
                "{of}: `shared.y` gives no volume\n  hint: its Resource Definition makes one with a manifest at the location `volumes`"
            ),
        ),
        ("{id: v, sub_path: ../a}", format!("{of}/sub_path: it is no path inside of the volume")),
        ("{id: v, sub_path: /a}", format!("{of}/sub_path: it is no path inside of the volume")),
        ("{id: v, read_only: yes}", format!("{of}/read_only: it is neither true nor false")),
    ] {
        assert_eq!(errors(MODULE, &mount(text)), expected, "§7.6: {text}");
    }
    check_errors(
        MODULE,
        &[
            (
                "§7.6 a raw mount",
                "containers: {web: {volumeMounts: [{name: v, mountPath: /m}]}}",
                "/containers/web/volumeMounts: container `web` mounts the volume `v`, which the Pod does not have",
            ),
            (
                "§7.6 a raw container",
                "extraContainers: [{name: a, volumeMounts: [{name: v}]}]",
                "/extraContainers: container `a` mounts the volume `v`, which the Pod does not have",
            ),
            (
                "§6.1",
                "volumes: {v: {type: hostPath}}",
                "/volumes/v: its `type` is neither emptyDir nor projected\n  hint: others go below `pod.volumes` as they are",
            ),
            (
                "§6.1",
                "pod: {volumes: [{name: A}]}",
                "/volumes: a volume cannot be named `A`\n  hint: lower-case letters, digits and -, 63 at most",
            ),
        ],
    );
}

#[test]
fn what_a_feature_does_not_take_is_refused() {
    check_errors(
        MODULE,
        &[
            (
                "§7.2",
                "deployment: {selector: {}, template: {}}",
                "/deployment/selector: Workload Profile deployment feature does not allow \"selector\" to be set.\n/deployment/template: Workload Profile deployment feature does not allow \"template\" to be set.",
            ),
            (
                "§7.2",
                "pod: {containers: []}",
                "/pod/containers: pod feature does not allow \"containers\" to be set. Use the top level \"containers\" feature.",
            ),
            ("§6.1", "pod: []", "/pod: it is no mapping"),
            ("§6.1", "deployment: 2", "/deployment: it is no mapping"),
            ("§6.1", "pod: {labels: {a: [b]}}", "/pod/labels/a: it is no text"),
            ("§6.1", "pod: {initContainers: a}", "/pod/initContainers: it is no list"),
            ("§6.1", "imagePullSecrets: a", "/imagePullSecrets: it is no list"),
            (
                "§7.1",
                "extraObjects: [{kind: ConfigMap, metadata: {name: a}}]",
                "/extraObjects/0: a Kubernetes object has `apiVersion`, `kind` and `metadata.name`",
            ),
            (
                "§8 duplicates",
                "extraObjects: [{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: shop}}]",
                "/extraObjects: two objects are the Deployment `shop`",
            ),
        ],
    );
    let found = named("1_a", MODULE, &module("{}"), &Injected::default()).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "workload `1_a` at : a Workload is named with lower-case letters, digits and -, 63 at most"
    );
}

#[test]
fn no_key_of_a_module_vanishes_without_a_word() {
    check_warnings(
        MODULE,
        &[
            (
                "§6.1",
                "ingress: {rules: {}}",
                "/ingress: no Ingress is made of it any more\n  hint: declare a resource of type `route` for each of its paths",
            ),
            (
                "§6.1",
                "deploymnt: {replicas: 2}",
                "/deploymnt: the profile humanitec/default-module makes nothing of it\n  hint: did you mean `deployment`?",
            ),
            (
                "§6.1",
                "schedules: {}",
                "/schedules: the profile humanitec/default-module makes nothing of it\n  hint: is it below `pod`, perhaps?",
            ),
            (
                "§7.4",
                "service: {type: LoadBalancer}",
                "/service/type: a service has `ports`, `labels` and `annotations`, and nothing is made of this",
            ),
        ],
    );
    check_warnings(
        JOB,
        &[
            (
                "§7.7",
                "service: {ports: {www: {service_port: 80}}}",
                "/service: a Workload of the profile humanitec/default-job has no Service\n  hint: take it out",
            ),
            (
                "§6.1",
                "replicas: 2",
                "/replicas: the profile humanitec/default-job makes nothing of it\n  hint: is it below `pod`, perhaps?",
            ),
        ],
    );
}
