//! The invalid inputs of spec/score.md §9, one row a case. Rows 28, 30 and 68
//! need files and are tested with the command, and so is what a deployment says
//! to row 73.

use serde_json::{Value, json};

use super::{base, findings, object, with};
use crate::score::{self, Level, check, extension};
use crate::yaml;

#[test]
fn invalid_inputs_get_their_message() {
    const CPU: &str = "does not match pattern '^\\d+(?:m|\\.\\d+)?$'";
    const MEMORY: &str = "does not match pattern '^(0\\.\\d+|[1-9]\\d*(\\.\\d+)?)(K|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$'";
    const LABEL: &str = "does not match pattern '^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$'";
    let file = "containers.main.files./a";
    // Row of the table, path, value, location, message.
    let rows: Vec<(&str, &str, Value, &str, &str)> = vec![
        ("1", "apiVersion", Value::Null, "", "missing properties: 'apiVersion'"),
        ("2", "apiVersion", json!("score.sh/v1b1"), "/apiVersion", "does not match pattern '^score\\.dev/v1b1$'"),
        ("3", "metadata", json!({}), "/metadata", "missing properties: 'name'"),
        ("4", "", json!({"metadata": null}), "/metadata", "expected object, but got null"),
        ("5", "metadata.name", json!("a"), "/metadata/name", "length must be >= 2, but got 1"),
        ("6", "metadata.name", json!("my_app"), "/metadata/name", LABEL),
        ("7", "metadata.name", json!("x".repeat(64)), "/metadata/name", "length must be <= 63, but got 64"),
        ("8", "metadata.name", json!(123), "/metadata/name", "expected string, but got number"),
        (
            "9",
            "metadata.annotations",
            json!({"my.key/thing": true}),
            "/metadata/annotations/my.key~1thing",
            "expected string, but got boolean",
        ),
        ("11a", "containers", json!({}), "/containers", "minimum 1 properties allowed, but found 0 properties"),
        ("11b", "containers", json!([]), "/containers", "expected object, but got array"),
        ("12", "containers.Main_1", json!({"image": "x"}), "/containers/Main_1", LABEL),
        ("13", "containers.main", json!({}), "/containers/main", "missing properties: 'image'"),
        ("14", "containers.main.image", json!(""), "/containers/main/image", "length must be >= 1, but got 0"),
        ("15", "invalid", json!(1), "", "additionalProperties 'invalid' not allowed"),
        ("16", "containers.main.ports", json!([]), "/containers/main", "additionalProperties 'ports' not allowed"),
        ("17", "containers.main.command", json!("sh -c"), "/containers/main/command", "expected array, but got string"),
        (
            "18",
            "containers.main.variables.PORT",
            json!(8080),
            "/containers/main/variables/PORT",
            "expected string, but got number",
        ),
        (
            "19",
            "containers.main.variables.A=B",
            json!("x"),
            "/containers/main/variables/A=B",
            "does not match pattern '^[^=]+$'",
        ),
        (
            "20",
            file,
            json!({}),
            "/containers/main/files/~1a",
            "exactly one of content, binaryContent, source is required",
        ),
        (
            "21",
            file,
            json!({"content": "x", "source": "y"}),
            "/containers/main/files/~1a",
            "exactly one of content, binaryContent, source is required",
        ),
        (
            "22",
            file,
            json!({"content": "x", "mode": 420}),
            "/containers/main/files/~1a/mode",
            "expected string, but got number",
        ),
        (
            "23",
            file,
            json!({"content": "x", "mode": "1777"}),
            "/containers/main/files/~1a/mode",
            "does not match pattern '^0?[0-7]{3}$'",
        ),
        (
            "24",
            file,
            json!({"content": "x", "target": "/a"}),
            "/containers/main/files/~1a",
            "additionalProperties 'target' not allowed",
        ),
        (
            "25",
            "containers.main.files",
            json!([{"content": "x"}]),
            "/containers/main/files/0",
            "containers.main.files.0.target: is missing or is not a string",
        ),
        ("26", file, json!({"content": ["x"]}), "/containers/main/files/~1a/content", "expected string, but got array"),
        ("27", file, json!({"source": ""}), "/containers/main/files/~1a/source", "length must be >= 1, but got 0"),
        (
            "29",
            file,
            json!({"binaryContent": "%%"}),
            "/containers/main/files/~1a/binaryContent",
            "failed to decode base64",
        ),
        ("31", "containers.main.volumes./v", json!({}), "/containers/main/volumes/~1v", "missing properties: 'source'"),
        (
            "33",
            "containers.main.volumes./v",
            json!({"source": "x", "readOnly": "yes"}),
            "/containers/main/volumes/~1v/readOnly",
            "expected boolean, but got string",
        ),
        (
            "34",
            "containers.main.resources.limits.cpu",
            json!("0.5m"),
            "/containers/main/resources/limits/cpu",
            "does not match pattern '^\\d+(?:m|\\.\\d+)?$'",
        ),
        (
            "35",
            "containers.main.resources.limits.cpu",
            json!(0.5),
            "/containers/main/resources/limits/cpu",
            "expected string, but got number",
        ),
        (
            "37",
            "containers.main.resources.limits.gpu",
            json!("1"),
            "/containers/main/resources/limits",
            "additionalProperties 'gpu' not allowed",
        ),
        (
            "38",
            "containers.main.livenessProbe",
            json!({}),
            "/containers/main/livenessProbe",
            "missing properties: 'httpGet' or 'exec'",
        ),
        (
            "39a",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/"}),
            "/containers/main/livenessProbe/httpGet",
            "missing properties: 'port'",
        ),
        (
            "39b",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": "http"}),
            "/containers/main/livenessProbe/httpGet/port",
            "expected integer, but got string",
        ),
        (
            "39c",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": 70000}),
            "/containers/main/livenessProbe/httpGet/port",
            "must be <= 65535 but found 70000",
        ),
        (
            "40",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": 1, "scheme": "https"}),
            "/containers/main/livenessProbe/httpGet/scheme",
            "value must be one of \"HTTP\", \"HTTPS\"",
        ),
        (
            "41",
            "containers.main.livenessProbe.exec",
            json!({}),
            "/containers/main/livenessProbe/exec",
            "missing properties: 'command'",
        ),
        (
            "43",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": 1, "httpHeaders": [{"name": "X"}]}),
            "/containers/main/livenessProbe/httpGet/httpHeaders/0",
            "missing properties: 'value'",
        ),
        ("44", "service.ports.www", json!({"port": 0}), "/service/ports/www/port", "must be >= 1 but found 0"),
        (
            "45",
            "service.ports.www",
            json!({"port": 1, "protocol": "tcp"}),
            "/service/ports/www/protocol",
            "value must be one of \"TCP\", \"UDP\"",
        ),
        ("46", "service.ports.WWW", json!({"port": 1}), "/service/ports/WWW", LABEL),
        ("47", "service.type", json!("x"), "/service", "additionalProperties 'type' not allowed"),
        ("49", "resources.db", json!({}), "/resources/db", "missing properties: 'type'"),
        ("50", "resources.my_db", json!({"type": "postgres"}), "/resources/my_db", LABEL),
        (
            "51",
            "resources.db.type",
            json!("my-org/s3"),
            "/resources/db/type",
            "does not match pattern '^[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$'",
        ),
        (
            "52",
            "resources.db",
            json!({"type": "s3", "id": "Main"}),
            "/resources/db/id",
            "does not match pattern '^[a-z0-9]+(?:-+[a-z0-9]+)*(?:\\.[a-z0-9]+(?:-+[a-z0-9]+)*)*$'",
        ),
        (
            "53",
            "resources.db",
            json!({"type": "s3", "class": ""}),
            "/resources/db/class",
            "length must be >= 2, but got 0",
        ),
        (
            "54",
            "resources.db",
            json!({"type": "s3", "properties": {}}),
            "/resources/db",
            "additionalProperties 'properties' not allowed",
        ),
        (
            "55",
            "resources.db",
            json!({"type": "s3", "params": []}),
            "/resources/db/params",
            "expected object, but got array",
        ),
        (
            "56",
            "containers.main.before",
            json!({"other": {"ready": "done"}}),
            "/containers/main/before/other/ready",
            "value must be one of \"started\", \"healthy\", \"complete\"",
        ),
        (
            "57",
            "containers.main.before",
            json!({"other": {"ready": "started"}}),
            "/containers/main/before/other",
            "container \"main\" before refers to unknown container \"other\"",
        ),
        (
            "58",
            "containers.main.before",
            json!({"main": {"ready": "started"}}),
            "/containers/main/before/main",
            "container \"main\" has a self-referencing before entry",
        ),
        (
            "61",
            "containers.main.variables.A",
            json!("${cheese.x.y}"),
            "/containers/main/variables/A",
            "placeholder ${cheese.x.y} has unsupported first element of \"cheese\"",
        ),
        (
            "unclosed",
            "containers.main.variables.A",
            json!("${resources.db"),
            "/containers/main/variables/A",
            "a `${` has no closing `}`",
        ),
        (
            "metadata",
            "containers.main.variables.A",
            json!("${metadata.nmae}"),
            "/containers/main/variables/A",
            "invalid ref 'metadata.nmae': key 'nmae' not found",
        ),
        (
            "62",
            "containers.main.variables.A",
            json!("${resources.nope.x}"),
            "/containers/main/variables/A",
            "placeholder ${resources.nope.x} does not resolve to a resource, no resource with name \"nope\"",
        ),
        (
            "63",
            "",
            json!({"containers": {"main": {"image": "x", "volumes": {"/v": {"source": "${resources.db}"}}}}, "resources": {"db": {"type": "postgres"}}}),
            "/containers/main/volumes/~1v/source",
            "placeholder ${resources.db} in source is not of type volume, got postgres",
        ),
        (
            "64",
            "containers.main.files.x",
            json!({"content": "y"}),
            "/containers/main/files/x",
            "\"x\" is not an absolute path",
        ),
        (
            "69",
            "containers.main.variables",
            json!({"A": "${cheese.x.y}", "B": "${resources.no.x}"}),
            "/containers/main/variables/B",
            "placeholder ${resources.no.x} does not resolve to a resource, no resource with name \"no\"",
        ),
        ("70", "metadata", json!({"name": ""}), "/metadata/name", "length must be >= 2, but got 0"),
        ("3a", "metadata", Value::Null, "", "missing properties: 'metadata'"),
        ("5b", "metadata.name", json!("a"), "/metadata/name", LABEL),
        ("6b", "metadata.name", json!("Demo"), "/metadata/name", LABEL),
        ("6c", "metadata.name", json!("-x"), "/metadata/name", LABEL),
        (
            "10",
            "metadata.annotations",
            json!({"UPPER.io/x y": "v"}),
            "/metadata/annotations/UPPER.io~1x y",
            "does not match pattern '^(([a-z0-9][a-z0-9-]{0,61}[a-z0-9])(\\.[a-z0-9][a-z0-9-]{0,61}[a-z0-9])*/)?[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$'",
        ),
        ("11", "containers", Value::Null, "", "missing properties: 'containers'"),
        ("12b", "containers.a", json!({"image": "x"}), "/containers/a", "length must be >= 2, but got 1"),
        (
            "18b",
            "containers.main.variables.PORT",
            json!(true),
            "/containers/main/variables/PORT",
            "expected string, but got boolean",
        ),
        (
            "18c",
            "",
            json!({"containers": {"main": {"image": "x", "variables": {"PORT": null}}}}),
            "/containers/main/variables/PORT",
            "expected string, but got null",
        ),
        (
            "23b",
            file,
            json!({"content": "x", "mode": "0888"}),
            "/containers/main/files/~1a/mode",
            "does not match pattern '^0?[0-7]{3}$'",
        ),
        (
            "32",
            "containers.main.volumes./v",
            json!({"source": "x", "read_only": true}),
            "/containers/main/volumes/~1v",
            "additionalProperties 'read_only' not allowed",
        ),
        ("34b", "containers.main.resources.limits.cpu", json!(""), "/containers/main/resources/limits/cpu", CPU),
        ("34c", "containers.main.resources.limits.cpu", json!("m"), "/containers/main/resources/limits/cpu", CPU),
        (
            "36a",
            "containers.main.resources.limits.memory",
            json!("128MB"),
            "/containers/main/resources/limits/memory",
            MEMORY,
        ),
        (
            "36b",
            "containers.main.resources.limits.memory",
            json!("128m"),
            "/containers/main/resources/limits/memory",
            MEMORY,
        ),
        (
            "36c",
            "containers.main.resources.limits.memory",
            json!("0"),
            "/containers/main/resources/limits/memory",
            MEMORY,
        ),
        (
            "42",
            "containers.main.livenessProbe.tcpSocket",
            json!({"port": 1}),
            "/containers/main/livenessProbe",
            "additionalProperties 'tcpSocket' not allowed",
        ),
        (
            "43b",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": 1, "httpHeaders": [{"name": "X Y", "value": "v"}]}),
            "/containers/main/livenessProbe/httpGet/httpHeaders/0/name",
            "does not match pattern '^[A-Za-z0-9_-]+$'",
        ),
        ("44b", "service.ports.www", json!({}), "/service/ports/www", "missing properties: 'port'"),
        ("46b", "service.ports.w", json!({"port": 1}), "/service/ports/w", "length must be >= 2, but got 1"),
        ("48", "", json!({"service": null}), "/service", "expected object, but got null"),
        ("49b", "", json!({"resources": {"db": null}}), "/resources/db", "expected object, but got null"),
        ("50b", "resources.b", json!({"type": "s3"}), "/resources/b", "length must be >= 2, but got 1"),
        ("56b", "containers.main.before", json!([]), "/containers/main/before", "expected object, but got array"),
        (
            "56c",
            "containers.main.before",
            json!({"other": {}}),
            "/containers/main/before/other",
            "missing properties: 'ready'",
        ),
        (
            "58b",
            "containers",
            json!({"aa": {"image": "x", "before": {"bb": {"ready": "started"}}}, "bb": {"image": "x", "before": {"aa": {"ready": "started"}}}}),
            "/containers",
            "containers before relationships contain a cycle",
        ),
        (
            "59",
            "",
            json!({"containers": {"main": {"image": "x", "variables": {"A": "${resources.db this}"}}}, "resources": {"db": {"type": "postgres"}}}),
            "/containers/main/variables/A",
            "placeholder ${resources.db this} is malformed, must contain at least two elements separated by \".\", each element must be alphanumeric or contain \"_\" or \"-\"",
        ),
        (
            "60",
            "containers.main.variables.A",
            json!("${resources}"),
            "/containers/main/variables/A",
            "placeholder ${resources} is malformed, must contain at least two elements separated by \".\", each element must be alphanumeric or contain \"_\" or \"-\"",
        ),
        (
            "63b",
            "",
            json!({"containers": {"main": {"image": "x", "volumes": {"/v": {"source": "${resources.db.name}"}}}}, "resources": {"db": {"type": "volume"}}}),
            "/containers/main/volumes/~1v/source",
            "source must be of the form ${resources.NAME}",
        ),
    ];
    for (row, path, value, location, message) in rows {
        let found = findings(&with(path, value));
        assert!(found.contains(&(location.to_owned(), message.to_owned())), "row {row}: {found:#?}");
        assert!(score::parse(&object(base())).is_ok());
    }
}

#[test]
fn texts_that_are_no_score_file_get_their_message() {
    // Row of the table, text, part of the message.
    for (row, text, message) in [
        ("65a", "just text", "a Score file must be a mapping"),
        ("65b", "- a\n- b\n", "a Score file must be a mapping"),
        ("66", "", "the Score file is empty"),
        ("66b", "# nothing but a comment\n", "the Score file is empty"),
        ("67a", "a: [\n", ""),
        ("67b", "a:\n\tb: 1\n", "tab"),
        ("67c", "a: *nope\n", "unknown anchor"),
        ("67d", "a: 1\na: 2\n", "duplicate"),
        ("§10", "apiVersion: score.dev/v1b1\n---\nother: 1\n", "this is a second one"),
    ] {
        let error = score::read::read(text).unwrap_err();
        assert!(error.message.contains(message), "row {row}: {}", error.message);
    }
}

#[test]
fn extension_files_get_their_message() {
    // Row of the table, extension file, level, pointer, part of the message.
    for (row, text, level, pointer, message) in [
        ("71a", "apiVersion: x\n", Level::Error, "/apiVersion", "apiVersion must be humanitec.org/v1b1"),
        ("71b", "spec: {}\n", Level::Error, "", "missing properties: 'apiVersion'"),
        ("71c", "apiVersion: humanitec.org/v1b1\nspec: []\n", Level::Error, "/spec", "spec must be a mapping"),
        ("71d", "apiVersion: humanitec.org/v1b1\nx: 1\n", Level::Error, "", "additionalProperties 'x' not allowed"),
        (
            "§5.5",
            "apiVersion: humanitec.org/v1b2\n",
            Level::Error,
            "/apiVersion",
            "Generic Mode, which is not supported",
        ),
        ("§5.1a", "apiVersion: humanitec.org/v1b1\nservice: {routes: {}}\n", Level::Error, "/service", "type route"),
        ("§5.1b", "apiVersion: humanitec.org/v1b1\nspec: {deploy: {}}\n", Level::Warning, "/spec/deploy", "no effect"),
        (
            "§5.1c",
            "apiVersion: humanitec.org/v1b1\nresources: {db: {scope: shared}}\n",
            Level::Warning,
            "/resources/db",
            "deprecated",
        ),
        (
            "72",
            "apiVersion: humanitec.org/v1b1\nprofile: humanitec/default-cronjob\nspec: {}\n",
            Level::Error,
            "/spec",
            "needs spec.schedules",
        ),
        (
            "72b",
            "apiVersion: humanitec.org/v1b1\nprofile: humanitec/default-cronjob\nspec: {schedules: {}}\n",
            Level::Warning,
            "/profile",
            "has no service",
        ),
        (
            "73",
            "apiVersion: humanitec.org/v1b1\nprofile: humanitec/default-modul\n",
            Level::Warning,
            "/profile",
            "there is no profile humanitec/default-modul",
        ),
    ] {
        let document = yaml::parse_documents(text).unwrap().remove(0);
        let (extension, mut found) = extension::read(&object(document));
        let score = with("service.ports.www", json!({"port": 80}));
        found.extend(check::check_extension(&Value::Object(score), &extension));
        let is_expected = |finding: &score::Finding| {
            finding.level == level && finding.pointer == pointer && finding.message.contains(message)
        };
        assert!(found.iter().any(is_expected), "row {row}: {found:#?}");
    }
}
