//! The edge cases of spec/score.md §10, one row a case.

use serde_json::{Value, json};

use super::{converted, findings, object, with};
use crate::score::{self, Level, check, extension};
use crate::yaml;

/// Level, location, and a part of the message.
type Expected = (Level, String, &'static str);

const MIB: usize = 1024 * 1024;

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let image = "containers.main.image";
    // Path, value, location and message.
    for (path, value, pointer, message) in [
        (
            image,
            json!("x:${metadata.name}"),
            "image",
            "placeholder ${metadata.name} is not replaced here, and stays as it is",
        ),
        (
            "containers.main.args",
            json!(["a", "${resources.db.host}"]),
            "args/1",
            "placeholder ${resources.db.host} is not replaced here, and stays as it is",
        ),
        ("containers.main.command", json!(["$(HOME) ${HOME} $${resources.db.host}"]), "", ""),
        (
            "containers.main.volumes",
            json!({"/d": {"source": "data"}}),
            "volumes/~1d/source",
            "source 'data' names no resource, and nothing will be mounted",
        ),
        ("containers.main.volumes", json!({"/d": {"source": "volumes.tmp"}}), "", ""),
    ] {
        let expected: Vec<(String, String)> = match message {
            "" => Vec::new(),
            message => vec![(format!("/containers/main/{pointer}"), message.to_owned())],
        };
        assert_eq!(findings(&with(path, value.clone())), expected, "{path} {value}");
    }
}

#[test]
fn where_no_placeholder_is_replaced_it_is_told() {
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": 80}});
    let exec = json!({"exec": {"command": ["curl", "${resources.db.host}"]}});
    let variable = "put it into a variable, and use that: $(VARIABLE)";
    let image = "write the image itself, or give it with --image or --property";
    let written = "write what it stands for";
    // Path, value, location, placeholder and hint; none where all is well.
    for (path, value, pointer, placeholder, hint) in [
        ("containers.main.image", json!("x:${metadata.name}"), "/image", "metadata.name", image),
        ("containers.main.image", json!("x:${values.TAG}"), "/image", "values.TAG", image),
        ("containers.main.args", json!(["-a", "${context.app.id}"]), "/args/1", "context.app.id", variable),
        ("containers.main.command", json!(["${resources.db.host}"]), "/command/0", "resources.db.host", variable),
        ("containers.main.command", json!(["sh", "-c", "${metadata} ${HOME} ${a.b} $${values.A}"]), "", "", ""),
        (
            "containers.main.livenessProbe",
            probe("/${metadata.name}"),
            "/livenessProbe/httpGet/path",
            "metadata.name",
            written,
        ),
        ("containers.main.readinessProbe", exec, "/readinessProbe/exec/command/1", "resources.db.host", written),
        (
            "containers.main.files",
            json!({"/${metadata.name}.conf": {"content": "x"}}),
            "/files/~1${metadata.name}.conf",
            "metadata.name",
            written,
        ),
        (
            "containers.main.files",
            json!({"/f": {"content": "${metadata.name} ${resources.x.y}", "noExpand": true}}),
            "",
            "",
            "",
        ),
        (
            "containers.main.volumes",
            json!({"/d": {"source": "volumes.tmp", "path": "${metadata.name}"}}),
            "/volumes/~1d/path",
            "metadata.name",
            written,
        ),
        ("containers.main.variables", json!({"A": "${metadata.name}"}), "", "", ""),
    ] {
        let found = score::parse(&with(path, value.clone())).unwrap().1;
        let found: Vec<_> =
            found.iter().map(|one| (one.pointer.as_str(), one.message.as_str(), one.hint.as_deref())).collect();
        let (pointer, message) = (
            format!("/containers/main{pointer}"),
            format!("placeholder ${{{placeholder}}} is not replaced here, and stays as it is"),
        );
        let expected = if hint.is_empty() { vec![] } else { vec![(pointer.as_str(), message.as_str(), Some(hint))] };
        assert_eq!(found, expected, "{path} {value}");
    }
    let in_metadata = with("metadata.annotations", json!({"my.note": "of ${metadata.name}, ${context.app.id}"}));
    let found = score::parse(&in_metadata).unwrap().1;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].pointer, "/metadata/annotations/my.note");
}

#[test]
fn what_kubernetes_does_not_take_is_found() {
    let two_ports = |protocol: &str| json!({"aa": {"port": 53}, "bb": {"port": 53, "protocol": protocol}});
    let files = |paths: &[&str]| -> Value {
        let file = |path: &&str| ((*path).to_owned(), json!({"content": "x"}));
        Value::Object(paths.iter().map(file).collect())
    };
    let volume = json!({"source": "volumes.tmp"});
    let container = |files: Value, volumes: Value| json!({"containers": {"main": {"image": "x", "files": files, "volumes": volumes}}});
    let main = "/containers/main";
    // Case, path, value, then level, location and part of the message; none where all is well.
    let rows: Vec<(&str, &str, Value, Option<Expected>)> = vec![
        (
            "a port twice",
            "service.ports",
            two_ports("TCP"),
            Some((Level::Error, "/service/ports/bb".into(), "port 53/TCP is that of 'aa' too")),
        ),
        ("two protocols", "service.ports", two_ports("UDP"), None),
        (
            "a digit first, with ports",
            "",
            json!({"metadata": {"name": "1a"}, "service": {"ports": {"www": {"port": 80}}}}),
            Some((Level::Error, "/metadata/name".into(), "starts with a letter")),
        ),
        ("a digit first, without ports", "metadata.name", json!("1a"), None),
        ("a name of 63 characters", "metadata.name", json!("x".repeat(63)), None),
        (
            "a file below a file",
            "",
            container(files(&["/x", "/x/y"]), json!({})),
            Some((Level::Error, format!("{main}/files/~1x~1y"), "\"/x\" is a file, so nothing can be below it")),
        ),
        ("files beside each other", "", container(files(&["/x/a", "/x/b", "/xa", "/root.conf"]), json!({})), None),
        (
            "a file where a volume is",
            "",
            container(files(&["/x"]), json!({"/x/": volume})),
            Some((Level::Error, format!("{main}/files/~1x"), "a volume is mounted at \"/x\" already")),
        ),
        ("a volume in a file's directory", "", container(files(&["/x/a"]), json!({"/x/b": volume})), None),
        (
            "a volume below a file",
            "",
            container(files(&["/x"]), json!({"/x/b": volume})),
            Some((Level::Error, format!("{main}/volumes/~1x~1b"), "\"/x\" is a file")),
        ),
        (
            "a file inside a volume",
            "",
            container(files(&["/x/a/b"]), json!({"/x": volume})),
            Some((Level::Warning, format!("{main}/files/~1x~1a~1b"), "inside the volume at \"/x\"")),
        ),
        (
            "a volume path twice",
            "",
            container(json!({}), json!({"/x": volume, "/x/": volume})),
            Some((Level::Error, format!("{main}/volumes/~1x~1"), "a volume is mounted at \"/x\" already")),
        ),
        ("one volume at two paths", "", container(json!({}), json!({"/x": volume, "/y": volume})), None),
        (
            "a directory as a file",
            "",
            container(files(&["/x/"]), json!({})),
            Some((Level::Error, format!("{main}/files/~1x~1"), "the path of a directory")),
        ),
        (
            "healthy without a probe",
            "containers",
            json!({"aa": {"image": "x", "before": {"bb": {"ready": "healthy"}}}, "bb": {"image": "x"}}),
            Some((
                Level::Error,
                "/containers/aa/before/bb".into(),
                "container \"aa\" requires a readiness or liveness probe to be defined",
            )),
        ),
        (
            "healthy with a probe",
            "containers",
            json!({"aa": {"image": "x", "before": {"bb": {"ready": "healthy"}}, "livenessProbe": {"exec": {"command": ["a"]}}},
                "bb": {"image": "x"}}),
            None,
        ),
        (
            "files over 1 MiB",
            "",
            json!({"containers": {
                "aa": {"image": "x", "files": {"/a": {"content": "x".repeat(MIB / 2)}, "/s": {"content": "x"}}},
                "bb": {"image": "x", "files": {"/b": {"binaryContent": "AAAA".repeat(MIB / 4)}}}}}),
            Some((Level::Error, "/containers".into(), "the largest: bb:/b (786432), aa:/a (524288), aa:/s (1)")),
        ),
        (
            "files over 768 KiB",
            "containers.main.files./a",
            json!({"content": "x".repeat(MIB * 3 / 4)}),
            Some((Level::Warning, "/containers".into(), "the files have 786432 bytes together")),
        ),
        (
            "variables over 1 MiB",
            "containers.main.variables.A",
            json!("x".repeat(MIB)),
            Some((Level::Error, format!("{main}/variables"), "the variables have 1048577 bytes together")),
        ),
        ("files below 768 KiB", "containers.main.files./a", json!({"content": "x".repeat(MIB * 3 / 4 - 1)}), None),
        (
            "base64 with a line break",
            "containers.main.files./a",
            json!({"binaryContent": "aGkh\naGkh"}),
            Some((Level::Error, format!("{main}/files/~1a/binaryContent"), "failed to decode base64")),
        ),
        (
            "URL-safe base64",
            "containers.main.files./a",
            json!({"binaryContent": "_w-_"}),
            Some((Level::Error, format!("{main}/files/~1a/binaryContent"), "failed to decode base64")),
        ),
        ("base64 with NUL bytes", "containers.main.files./a", json!({"binaryContent": "AAAA"}), None),
    ];
    for (case, path, value, expected) in rows {
        let document = with(path, value);
        let (Ok((_, found)) | Err(found)) = score::parse(&document);
        match expected {
            None => assert_eq!(found, [], "{case}"),
            Some((level, location, message)) => assert!(
                found
                    .iter()
                    .any(|found| found.level == level && found.pointer == location && found.message.contains(message)),
                "{case}: {found:#?}"
            ),
        }
    }
}

#[test]
fn what_an_extension_file_cannot_do_is_found() {
    // Spec of the extension, then level, pointer and part of the message; none where all is well.
    for (spec, expected) in [
        (
            json!({"containers": {"side": {"args": ["a"]}}}),
            Some((Level::Error, "/spec/containers/side", "not in the Score file and has no image")),
        ),
        (json!({"containers": {"side": {"image": "x"}, "main": {"args": ["a"]}, "gone": null}}), None),
        (
            json!({"extraContainers": [{"name": "other"}, {"name": "main"}]}),
            Some((Level::Error, "/spec/extraContainers/1/name", "another container is called 'main'")),
        ),
        (
            json!({"extraContainers": [{"name": "other"}], "pod": {"initContainers": [{"name": "other"}]}}),
            Some((Level::Error, "/spec/pod/initContainers/0/name", "another container is called 'other'")),
        ),
        (json!({"pod": {"initContainers": [{"name": "setup", "image": "x"}]}}), None),
        (
            json!({"pod": {"labels": {"app.kubernetes.io/name": "x"}}}),
            Some((Level::Warning, "/spec/pod/labels/app.kubernetes.io~1name", "has no effect")),
        ),
        (
            json!({"labels": {"app.kubernetes.io/instance": "x"}}),
            Some((Level::Warning, "/spec/labels/app.kubernetes.io~1instance", "has no effect")),
        ),
        (
            json!({"containers": {"main": {"args": ["${metadata.name} ${values.A}"]}}}),
            Some((Level::Warning, "/spec/containers/main/args/0", "placeholder ${values.A} is not replaced here")),
        ),
        (json!({"containers": {"main": {"args": ["${metadata.name} $${values.A}"]}}}), None),
        (
            json!({"pod": {"containers": []}}),
            Some((Level::Error, "/spec/pod/containers", "pod feature does not allow \"containers\" to be set")),
        ),
        (
            json!({"deployment": {"selector": {}}}),
            Some((
                Level::Error,
                "/spec/deployment/selector",
                "deployment feature does not allow \"selector\" to be set",
            )),
        ),
        (
            json!({"schedules": {"nightly": {"schedule": "0 0 * * *", "containers": {"nope": {}}}}}),
            Some((Level::Error, "/spec/schedules/nightly/containers/nope", "there is no container 'nope'")),
        ),
        (json!({"schedules": {"nightly": {"schedule": "0 0 * * *", "containers": {"main": {"args": []}}}}}), None),
    ] {
        let document = object(json!({"apiVersion": "humanitec.org/v1b1", "spec": spec}));
        let (extension, mut found) = extension::read(&document);
        found.extend(check::check_extension(&super::base(), &extension));
        match expected {
            None => assert_eq!(found, [], "{spec}"),
            Some((level, pointer, message)) => {
                let is_expected = |found: &score::Finding| {
                    found.level == level && found.pointer == pointer && found.message.contains(message)
                };
                assert!(found.iter().any(is_expected), "{spec}: {found:#?}");
            }
        }
    }
}

#[test]
fn unusual_texts_are_read_as_they_are_meant() {
    let file = "apiVersion: score.dev/v1b1\nmetadata: {name: demo}\ncontainers: {main: {image: x}}\n";
    let anchored = "apiVersion: score.dev/v1b1\nmetadata:\n  name: demo\n  common: &common {A: b}\n\
                    containers: {main: {image: x, variables: {<<: *common}}}\n";
    for (case, text) in [
        ("comments and a marker", format!("# a\n---\n# b\n{file}")),
        ("an empty second document", format!("{file}---\n# nothing\n")),
        ("JSON", super::base().to_string()),
        ("CRLF", file.replace('\n', "\r\n")),
        ("a byte order mark", format!("\u{feff}{file}")),
        ("anchors and merge keys", anchored.to_owned()),
    ] {
        let document = score::read::read(&text).unwrap_or_else(|error| panic!("{case}: {error:?}"));
        assert_eq!(findings(&document.value), [], "{case}");
    }
}

#[test]
fn unusual_values_are_converted_as_they_are_meant() {
    let main = "/modules/demo/spec/containers/main";
    let demo = |container: &str, resources: &str| {
        format!(
            "metadata: {{name: demo}}\ncontainers:\n  main:\n    image: x\n{container}\nresources: {{{resources}}}\n"
        )
    };
    // Container, resources, extension, pointer into the set, what stands there.
    let rows: Vec<(&str, &str, &str, String, Value)> = vec![
        ("    files: {/f: {content: \"a\\nb\\n\"}}", "", "", format!("{main}/files/~1f/value"), json!("a\nb\n")),
        (
            "    files:\n      /f:\n        content: |\n          a\n",
            "",
            "",
            format!("{main}/files/~1f/value"),
            json!("a\n"),
        ),
        (
            "    files:\n      /f:\n        content: |-\n          a\n",
            "",
            "",
            format!("{main}/files/~1f/value"),
            json!("a"),
        ),
        (
            "    files: {/f: {content: h\u{e9} \u{1f510}}}",
            "",
            "",
            format!("{main}/files/~1f/value"),
            json!("h\u{e9} \u{1f510}"),
        ),
        ("    files: {/f: {content: x, mode: \"0755\"}}", "", "", format!("{main}/files/~1f/mode"), json!("0755")),
        ("    files: {/f: {binaryContent: AAAA}}", "", "", format!("{main}/files/~1f/binary_value"), json!("AAAA")),
        // Another tool takes this text for a secret.
        (
            "    variables: {V: \"\u{1f510}\u{1f4ac}a_b\u{1f4ac}\u{1f510}\"}",
            "",
            "",
            format!("{main}/variables/V"),
            json!("\u{1f510}\u{1f4ac}a_b\u{1f4ac}\u{1f510}"),
        ),
        ("    variables: {V: $(OTHER)}", "", "", format!("{main}/variables/V"), json!("$(OTHER)")),
        ("    variables: {V: $$(X)}", "", "", format!("{main}/variables/V"), json!("$(X)")),
        ("    variables: {V: \"$${X}\"}", "", "", format!("{main}/variables/V"), json!("${X}")),
        ("    variables: {V: \"$$$${X}\"}", "", "", format!("{main}/variables/V"), json!("$${X}")),
        ("    variables: {V: \"\"}", "", "", format!("{main}/variables/V"), json!("")),
        ("    variables: {\"a.b-c d\u{e9}\": v}", "", "", format!("{main}/variables/a.b-c d\u{e9}"), json!("v")),
        (
            "    variables: {V: \"true\", W: \"012\"}",
            "",
            "",
            format!("{main}/variables"),
            json!({"V": "true", "W": "012"}),
        ),
        ("    resources: {}", "", "", format!("{main}/resources"), Value::Null),
        ("    resources: {requests: {}}", "", "", format!("{main}/resources"), Value::Null),
        (
            "    volumes: {/a: {source: \"${resources.vol}\"}, /b: {source: \"${resources.vol}\"}}",
            "vol: {type: volume}",
            "",
            format!("{main}/volume_mounts"),
            json!({"/a": {"id": "externals.vol", "sub_path": "", "read_only": false},
                "/b": {"id": "externals.vol", "sub_path": "", "read_only": false}}),
        ),
        (
            "    variables: {V: \"${resources.metadata.x} ${resources.resources.y} ${resources.main.z} ${resources.demo.a}\"}",
            "metadata: {type: s3}, resources: {type: s3}, main: {type: s3}, demo: {type: s3}",
            "",
            format!("{main}/variables/V"),
            json!("${externals.metadata.x} ${externals.resources.y} ${externals.main.z} ${externals.demo.a}"),
        ),
        (
            "    variables: {V: \"${resources.demo.name}\"}",
            "demo: {type: service}",
            "",
            format!("{main}/variables/V"),
            json!("${modules.demo.service.name}"),
        ),
        (
            "",
            "dns: {type: dns}",
            "{pod: {tolerations: [{key: \"${resources.dns.host}\"}], initContainers: [{name: init, args: [\"${metadata.name}\"]}]}}",
            "/modules/demo/spec/pod".to_owned(),
            json!({"tolerations": [{"key": "${externals.dns.host}"}], "initContainers": [{"name": "init", "args": ["demo"]}]}),
        ),
        ("", "", "{deployment: {replicas: 0}}", "/modules/demo/spec/deployment/replicas".to_owned(), json!(0)),
    ];
    for (container, resources, spec, pointer, expected) in rows {
        let set = converted(&demo(container, resources), |request| {
            if !spec.is_empty() {
                let text = format!("apiVersion: humanitec.org/v1b1\nspec: {spec}\n");
                request.extensions = Some(object(yaml::parse_documents(&text).unwrap().remove(0)));
            }
        });
        assert_eq!(set.pointer(&pointer).cloned().unwrap_or_default(), expected, "{container} {spec}: {set}");
    }
}

#[test]
fn a_type_alias_reaches_a_type_that_score_cannot_spell() {
    let score = "metadata: {name: demo}\ncontainers: {main: {image: x}}\nresources: {aa: {type: s3}, bb: {type: s3, id: bb}, cc: {type: dns}}\n";
    let set = converted(score, |request| {
        request.resource_type_aliases = Some([("s3".to_owned(), "my-org/s3".to_owned())].into());
    });
    let res_type = |pointer: &str| set.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(res_type("/modules/demo/externals/aa/type"), "my-org/s3");
    assert_eq!(res_type("/shared/bb/type"), "my-org/s3");
    assert_eq!(res_type("/modules/demo/externals/cc/type"), "dns");
}
