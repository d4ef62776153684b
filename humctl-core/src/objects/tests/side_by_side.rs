//! spec/score.md §8, column "ours should": what another open tool does
//! otherwise, or wrong, and what has to come out here.

use super::*;

#[test]
fn every_topic_of_the_comparison_comes_out_as_it_should() {
    let secret = "{$secretRef: {store: s, ref: r}}";
    let web = |fields: &str| format!("containers: {{web: {{{fields}}}}}");
    let first = "Deployment shop /spec/template/spec/containers/0";
    let place = |pointer: &str| format!("{first}{pointer}");
    for (topic, text, place, expected) in [
        (
            "labels: deterministic",
            "{}".to_owned(),
            "Deployment shop /metadata/labels/app.kubernetes.io~1instance".to_owned(),
            "shop",
        ),
        (
            "selector: both labels",
            "{}".to_owned(),
            "Deployment shop /spec/selector/matchLabels".to_owned(),
            "{app.kubernetes.io/instance: shop, app.kubernetes.io/name: shop}",
        ),
        (
            "annotations: those of Score are on the Pod",
            "pod: {annotations: {k8s.score.dev/x: a, team: b}}".to_owned(),
            "Deployment shop /spec/template/metadata/annotations/team".to_owned(),
            "b",
        ),
        (
            "env plain: a ConfigMap",
            web("variables: {B: '1', A: '2'}"),
            "ConfigMap shop-configmap-web /data".to_owned(),
            "{A: '2', B: '1'}",
        ),
        ("env plain: no env", web("variables: {B: '1'}"), place("/env"), "null"),
        (
            "env with one secret",
            web(&format!("variables: {{A: {secret}}}")),
            place("/env"),
            "[{name: A, valueFrom: {secretKeyRef: {name: shop-secrets-web, key: A}}}]",
        ),
        (
            "env mixing text and secrets: one key, no helpers",
            web(&format!("variables: {{A: {{$concat: [a, {secret}]}}}}")),
            place("/env"),
            "[{name: A, valueFrom: {secretKeyRef: {name: shop-secrets-web, key: A}}}]",
        ),
        ("$(X): literal", web("variables: {A: $(X)}"), "ConfigMap shop-configmap-web /data/A".to_owned(), "$(X)"),
        ("command/args: verbatim", web("command: [$(X), '']"), place("/command"), "[$(X), '']"),
        (
            "resources: default of the profile",
            "{}".to_owned(),
            place("/resources/limits"),
            "{cpu: 250m, memory: 256Mi}",
        ),
        (
            "files: no hidden directory",
            web("files: {/root.md: {value: a}}"),
            place("/volumeMounts"),
            "[{name: files-web, mountPath: /root.md, subPath: web-root.md, readOnly: true}]",
        ),
        (
            "binary files",
            web("files: {/b: {binary_value: AP8=}}"),
            "ConfigMap shop-configmap /binaryData".to_owned(),
            "{web-b: AP8=}",
        ),
        (
            "noExpand: raw at the end",
            web("files: {/b: {value: '${x}'}}"),
            "ConfigMap shop-configmap /data/web-b".to_owned(),
            "'${x}'",
        ),
        ("empty env: kept", web("variables: {A: ''}"), "ConfigMap shop-configmap-web /data/A".to_owned(), "''"),
        (
            "service ports: sorted, with their prefix",
            "service: {ports: {b: {service_port: 2}, a: {service_port: 1}}}".to_owned(),
            "Service shop /spec/ports".to_owned(),
            "[{name: port-a, port: 1, protocol: TCP}, {name: port-b, port: 2, protocol: TCP}]",
        ),
        (
            "probes: with thresholds",
            web("startup_probe: {type: tcp, port: 1, failureThreshold: 9}"),
            place("/startupProbe/failureThreshold"),
            "9",
        ),
        (
            "before: containers wait",
            "containers: {a: {before: {web: {ready: complete}}}, web: {}}".to_owned(),
            "Deployment shop /spec/template/spec/initContainers/0/name".to_owned(),
            "a",
        ),
    ] {
        assert_eq!(at(&ok(MODULE, &text), &place), yaml(expected), "{topic}: {text}");
    }
}

#[test]
fn a_kind_that_is_not_known_is_an_error() {
    for profile in ["humanitec/stateful", "my-org/rollouts"] {
        let name = profile.strip_prefix("humanitec/").unwrap_or(profile);
        assert_eq!(
            errors(profile, "{}"),
            format!(
                "/profile: the Workload Profile `{name}` cannot be rendered here\n  hint: humanitec/default-module, -job and -cronjob can"
            ),
            "the Workload must not vanish"
        );
    }
}

#[test]
fn files_at_one_path_in_two_containers_have_volumes_of_their_own() {
    let files = "files: {/d/a: {value: x}, /d/b: {value: y}}";
    let found = ok(MODULE, &format!("containers: {{aa: {{{files}}}, bb: {{{files}}}}}"));
    let names: Vec<Value> = (0..2).map(|number| pod(&found, &format!("/volumes/{number}/name"))).collect();
    assert_eq!(json!(names), json!(["files-aa", "files-bb"]));
    assert_eq!(at(&found, "ConfigMap shop-configmap /data").as_object().unwrap().len(), 4, "no file replaces another");
}

#[test]
fn a_workload_with_a_volume_that_nothing_gives_does_not_vanish() {
    let found = errors(MODULE, "containers: {web: {volume_mounts: {/data: {id: externals.data}}}}");
    assert!(found.starts_with("/containers/web/volume_mounts/~1data: `externals.data` gives no volume"), "{found}");
}

#[test]
fn all_errors_are_told_at_once_and_sorted() {
    let text = "{containers: {b: {image: ''}, a: {liveness_probe: {}}}, service: {ports: {x: {}}}, pod: []}";
    let found = errors(MODULE, text);
    let pointers: Vec<&str> = found.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(pointers, ["/containers/a/liveness_probe", "/containers/b", "/pod", "/service/ports/x/service_port"]);
}
