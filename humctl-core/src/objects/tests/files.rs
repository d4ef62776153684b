//! Files: what they are in, where they are mounted, and what must not meet.

use super::*;

fn with_files(files: &str) -> String {
    format!("containers: {{web: {{files: {files}}}}}")
}

#[test]
fn each_file_is_mounted_by_itself() {
    let found = ok(MODULE, &with_files("{/app.conf: {value: a}, /etc/shop/b.conf: {value: b, mode: '0600'}}"));
    assert_eq!(
        pod(&found, "/containers/0/volumeMounts"),
        yaml(
            "[{name: files-web, mountPath: /app.conf, subPath: web-app.conf, readOnly: true}, \
             {name: files-web, mountPath: /etc/shop/b.conf, subPath: web-etc-shop-b.conf, readOnly: true}]"
        ),
        "§7.5: no directory of the image is hidden, the root included"
    );
    assert_eq!(
        pod(&found, "/volumes"),
        yaml(
            "[{name: files-web, projected: {sources: [{configMap: {name: shop-configmap, items: [\
             {key: web-app.conf, path: web-app.conf}, {key: web-etc-shop-b.conf, path: web-etc-shop-b.conf, mode: 384}]}}]}}]"
        )
    );
    assert_eq!(at(&found, "ConfigMap shop-configmap /data"), json!({"web-app.conf": "a", "web-etc-shop-b.conf": "b"}));
}

#[test]
fn contents_are_kept_to_the_byte() {
    let data = |file: &str, pointer: &str| {
        at(&ok(MODULE, &with_files(&format!("{{/f: {file}}}"))), &format!("ConfigMap shop-configmap {pointer}"))
    };
    for (chapter, file, expected) in [
        ("§10 a trailing newline", "{value: \"a\\n\"}", json!("a\n")),
        ("§10 none", "{value: a}", json!("a")),
        ("§10 CRLF", "{value: \"a\\r\\nb\"}", json!("a\r\nb")),
        ("§10 unicode", "{value: äö 🔐}", json!("äö 🔐")),
        ("§10 no reference of another tool", "{value: 🔐💬db💬🔐}", json!("🔐💬db💬🔐")),
        ("§10 always text", "{value: 8080}", json!("8080")),
        ("§10 always text", "{value: true}", json!("true")),
        ("§10 empty", "{value: ''}", json!("")),
        ("§7.3 not expanded", "{value: '$(HOME) ${x} $$'}", json!("$(HOME) ${x} $$")),
    ] {
        assert_eq!(data(file, "/data/web-f"), expected, "{chapter}");
    }
    for (chapter, file, expected) in [
        ("§10 NUL bytes", "{binary_value: AAEA}", json!("AAEA")),
        ("§10 line breaks", "{binary_value: \"AA\\nEA\\n\"}", json!("AAEA")),
        ("§10 nothing", "{binary_value: ''}", json!("")),
    ] {
        assert_eq!(data(file, "/binaryData/web-f"), expected, "{chapter}");
    }
}

#[test]
fn modes_are_octal() {
    let mode = |mode: &str| {
        let found = ok(MODULE, &with_files(&format!("{{/f: {{value: x, mode: {mode}}}}}")));
        pod(&found, "/volumes/0/projected/sources/0/configMap/items/0/mode")
    };
    for (chapter, given, expected) in [
        ("§10", "'755'", json!(493)),
        ("§10", "'0755'", json!(493)),
        ("§10", "'0o755'", json!(493)),
        ("§7.5 a number is one", "420", json!(420)),
        ("§6.4 the default of Kubernetes is 0644", "null", Value::Null),
        ("§6.4 as the Deployment Set has none", "''", Value::Null),
    ] {
        assert_eq!(mode(given), expected, "{chapter}: {given}");
    }
    for given in ["'1777'", "'888'", "'+644'", "rw", "1023", "-1", "[]"] {
        let found = errors(MODULE, &with_files(&format!("{{/f: {{value: x, mode: {given}}}}}")));
        assert_eq!(
            found, "/containers/web/files/~1f/mode: it is no octal number such as \"0644\"",
            "§9 row 23: {given}"
        );
    }
}

#[test]
fn a_file_with_a_secret_is_a_secret() {
    let secret = "{$secretRef: {store: vault, ref: db/pw}}";
    let text = with_files(&format!("{{/a: {{value: {{$concat: [pw=, {secret}]}}, mode: '600'}}, /b: {{value: x}}}}"));
    let found = ok(MODULE, &text);
    assert_eq!(
        pod(&found, "/volumes/0/projected/sources"),
        yaml(
            "[{configMap: {name: shop-configmap, items: [{key: web-b, path: web-b}]}}, \
             {secret: {name: shop-secrets, items: [{key: web-a, path: web-a, mode: 384}]}}]"
        ),
        "§7.5: both in one volume"
    );
    assert_eq!(found.secrets.len(), 1);
    assert_eq!(found.secrets[0].name, "shop-secrets", "§8: text and secrets may be mixed");
    assert_eq!(
        found.secrets[0].keys["web-a"],
        [text::Part::Plain("pw=".to_owned()), text::Part::Secret(json!({"store": "vault", "ref": "db/pw"}))]
    );
}

#[test]
fn paths_that_flatten_alike_stay_apart() {
    let text = "containers: {a: {files: {/b-c: {value: '1'}, /b/c: {value: '2'}}}, a-b: {files: {/c: {value: '3'}}}}";
    let found = ok(MODULE, text);
    let data = at(&found, "ConfigMap shop-configmap /data");
    let mut values: Vec<&str> = data.as_object().unwrap().values().map(|value| value.as_str().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, ["1", "2", "3"], "§7.5");
    for (container, n_files) in [(0, 2), (1, 1)] {
        for file in 0..n_files {
            let mount = pod(&found, &format!("/containers/{container}/volumeMounts/{file}"));
            let key = mount["subPath"].as_str().unwrap();
            let expected = match mount["mountPath"].as_str().unwrap() {
                "/b-c" => "1",
                "/b/c" => "2",
                _ => "3",
            };
            assert_eq!(data[key], json!(expected));
        }
    }
}

#[test]
fn a_volume_of_files_takes_no_name_that_is_there() {
    let text = "{containers: {web: {files: {/f: {value: x}}}}, pod: {volumes: [{name: files-web}]}}";
    let found = ok(MODULE, text);
    let name = pod(&found, "/volumes/1/name");
    assert_ne!(name, json!("files-web"), "§8: unique names");
    assert_eq!(pod(&found, "/containers/0/volumeMounts/0/name"), name);
    let long = format!(
        "containers: {{{0}a: {{files: {{/f: {{value: x}}}}}}, {0}b: {{files: {{/f: {{value: x}}}}}}}}",
        "c".repeat(62)
    );
    let found = ok(MODULE, &long);
    assert_ne!(pod(&found, "/volumes/0/name"), pod(&found, "/volumes/1/name"));
    assert!(pod(&found, "/volumes/0/name").as_str().unwrap().len() <= 63);
}

#[test]
fn files_and_volumes_that_meet_are_refused() {
    let web = |files: &str, mounts: &str| {
        format!(
            "{{volumes: {{v: {{type: emptyDir}}}}, containers: {{web: {{files: {files}, volume_mounts: {mounts}, \
             volumeMounts: [{{name: v, mountPath: /raw}}]}}}}}}"
        )
    };
    let (one, two) = ("{/x: {value: a}}", "{/x: {value: a}, /x/y: {value: b}}");
    for (chapter, files, mounts, expected) in [
        ("§10 a file in a file", two, "{}", "`/x` is a file, and `/x/y` would lie in it"),
        ("§7.6 a volume at a file", one, "{/x: {id: v}}", "two volumes or files are mounted at `/x`"),
        ("§7.6 however it is written", one, "{/./x/: {id: v}}", "two volumes or files are mounted at `/./x/`"),
        ("§7.6 a volume twice", "{}", "{/v: {id: v}, /v/: {id: v}}", "two volumes or files are mounted at `/v/`"),
        ("§7.6 a raw mount", "{}", "{/raw: {id: v}}", "two volumes or files are mounted at `/raw`"),
        ("§7.6 a volume in a file", one, "{/x/v: {id: v}}", "`/x` is a file, and `/x/v` would lie in it"),
        (
            "§6.2 a file in a volume",
            "{/v/a/x: {value: a}}",
            "{/v: {id: v}}",
            "the file `/v/a/x` lies in the volume at `/v`\n  hint: mount the volume elsewhere",
        ),
    ] {
        assert_eq!(errors(MODULE, &web(files, mounts)), format!("/containers/web: {expected}"), "{chapter}");
    }
    for (chapter, files, mounts) in [
        ("§10 a volume in the directory of a file", "{/d/x: {value: a}}", "{/d/v: {id: v}}"),
        ("§10 names that only start alike", "{/x: {value: a}, /xy: {value: b}}", "{/x-v: {id: v}}"),
        ("§10 a volume in a volume", "{}", "{/v: {id: v}, /v/w: {id: v}}"),
        ("§10 one volume at two paths", "{}", "{/a: {id: v}, /b: {id: v}}"),
    ] {
        assert!(rendered(MODULE, &module(&web(files, mounts)), &Injected::default()).is_ok(), "{chapter}");
    }
}

#[test]
fn paths_and_contents_that_cannot_be_are_refused() {
    let file = "/containers/web/files/";
    for (chapter, files, expected) in [
        ("§9 row 64", "{x: {value: a}}", format!("{file}x: it is no absolute path")),
        ("§6.2", "{/x/: {value: a}}", format!("{file}~1x~1: it is the path of a directory\n  hint: a file has a name")),
        ("§6.2", "{/: {value: a}}", format!("{file}~1: it is the path of a directory\n  hint: a file has a name")),
        ("§6.2", "{/a/../b: {value: a}}", format!("{file}~1a~1..~1b: a path has no `:` and no `..` in it")),
        ("§6.2", "{'/a:b': {value: a}}", format!("{file}~1a:b: a path has no `:` and no `..` in it")),
        ("§9 row 20", "{/x: {}}", format!("{file}~1x: it has to have one of `value` and `binary_value`")),
        (
            "§9 row 21",
            "{/x: {value: a, binary_value: AAEA}}",
            format!("{file}~1x: it has to have one of `value` and `binary_value`"),
        ),
        ("§10 URL-safe", "{/x: {binary_value: _-8=}}", format!("{file}~1x/binary_value: it is no standard base64")),
        ("§9 row 29", "{/x: {binary_value: '%'}}", format!("{file}~1x/binary_value: it is no standard base64")),
        (
            "§3.6 a field of the Pod",
            "{/x: {value: {$field: {pod: metadata.name}}}}",
            format!("{file}~1x: a file cannot show what only the Pod knows\n  hint: use a variable of a container"),
        ),
    ] {
        assert_eq!(errors(MODULE, &with_files(files)), expected, "{chapter}: {files}");
    }
    assert_eq!(
        errors(MODULE, "{volumes: {v: {type: emptyDir}}, containers: {web: {volume_mounts: {m: {id: v}}}}}"),
        "/containers/web/volume_mounts/m: it is no absolute path",
        "§7.6"
    );
}

#[test]
fn variables_at_the_top_carry_texts_of_files() {
    let text = "{variables: {web-app.conf: mine, n: 1, pw: {$secretRef: {store: s, ref: r}}}, \
                volumes: {p: {type: projected, configMap: {items: [{key: n, path: x}]}, secret: {}}}, \
                containers: {web: {files: {/app.conf: {value: theirs}}}}}";
    let found = ok(MODULE, text);
    let data = at(&found, "ConfigMap shop-configmap /data");
    assert_eq!((&data["web-app.conf"], &data["n"]), (&json!("mine"), &json!("1")), "§6.1");
    assert_eq!(data.as_object().unwrap().len(), 3, "§6.1: no file takes the key of another");
    assert_eq!(found.secrets[0].name, "shop-secrets");
    assert_eq!(
        pod(&found, "/volumes/0"),
        yaml(
            "{name: p, projected: {sources: [{configMap: {name: shop-configmap, items: [{key: n, path: x}]}}, \
             {secret: {name: shop-secrets}}]}}"
        ),
        "§6.1 projected"
    );
    check_errors(
        MODULE,
        &[
            (
                "§6.1",
                "variables: {a b: c}",
                "/variables/a b: it cannot be a key of a ConfigMap\n  hint: letters, digits, -, _ and . can",
            ),
            (
                "§6.1",
                "volumes: {p: {type: projected, secret: {}}}",
                "/volumes/p/secret: the `variables` at the top of the module have no secret one that it could show",
            ),
            (
                "§6.1",
                "{variables: {a: b}, volumes: {p: {type: projected, configMap: {items: [{key: c, path: x}]}}}}",
                "/volumes/p/configMap: the `variables` at the top of the module have no plain `c`",
            ),
        ],
    );
}
