//! The engine as a whole.

mod rows;

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn the_shared_vectors_pass() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/go-template.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/vectors is not there");
        return;
    };
    let report = vectors::run(&text).unwrap();
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(report.n_passed > 300);
}

#[test]
fn a_vector_that_disagrees_is_reported() {
    let lines = [
        json!({"name": "right", "template": "{{ .a }}", "data": {"a": 1}, "output": "1"}),
        json!({"name": "wrong", "template": "{{ .a }}", "data": {"a": 1}, "output": "2"}),
        json!({"name": "fails", "template": "{{ .a", "data": {}, "output": ""}),
        json!({"name": "both-fail", "template": "{{ .a", "data": {}, "error": "unclosed action"}),
        json!({"name": "if-017", "template": "{{ 1 }}", "data": {}, "output": "1"}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let report = vectors::run(&text).unwrap();
    assert_eq!(report.n_passed, 2);
    insta::assert_snapshot!(report.failures.join("\n"), @r#"
    wrong: "{{ .a }}": found "1", expected "2"
    fails: "{{ .a": found error 1:6: unclosed action, expected ""
    if-017: "{{ 1 }}": it agrees, and is listed to differ: integers and floats compare by value
    "#);
    assert!(vectors::run("{}").unwrap_err().starts_with("line 1: "));
}

fn render(template: &str, data: &serde_json::Value) -> Result<String, Error> {
    let mut random = Random::seeded([1; 32]);
    let options = Options { random: Some(&mut random), ..Options::default() };
    Template::parse(template)?.render(&Value::from_json(data), options)
}

/// The data of spec/drivers.md §7.4.
fn specimen() -> serde_json::Value {
    json!({
        "id": "abc", "cookie": null, "s": "modules.web.externals.db", "e": "", "n": 5432, "big": 10_000_000.0,
        "f": 2.5, "t": true, "fa": false, "nul": null, "l": ["a", "b", "b"], "el": [],
        "m": {"b": 2, "a": "x<y&z"}, "v": {"x": {"y": 1}},
    })
}

#[test]
fn the_rows_of_the_specification_hold() {
    for (template, expected) in [
        ("{{ .nope }}", Ok("<no value>")),
        ("{{ .nope.deeper }}", Ok("<no value>")),
        ("{{ .nul }}", Ok("<no value>")),
        ("{{ .nul.x }}", Err("nil pointer evaluating interface {}.x")),
        ("{{ .id.q }}", Err("can't evaluate field q in type interface {}")),
        ("{{ if and .cookie .cookie.a }}y{{ else }}n{{ end }}", Ok("n")),
        ("{{ .n }}", Ok("5432")),
        ("{{ .big }}", Ok("10000000")),
        ("{{ .l }}", Ok("[a b b]")),
        ("{{ .m }}", Ok("map[a:x<y&z b:2]")),
        ("{{ quote .n }}", Ok("\"5432\"")),
        ("{{ quote .nul }}", Ok("")),
        ("{{ quote .nope }}", Ok("")),
        ("{{ quote \"a\\\"b\" .n }}", Ok("\"a\\\"b\" \"5432\"")),
        ("{{ .e | quote }}", Ok("\"\"")),
        ("{{ .m | toRawJson }}", Ok("{\"a\":\"x<y&z\",\"b\":2}")),
        ("{{ .m | toJson }}", Ok("{\"a\":\"x\\u003cy\\u0026z\",\"b\":2}")),
        ("{{ .nope | toRawJson }}", Ok("null")),
        ("{{ .big | toRawJson }}", Ok("10000000")),
        ("{{ index (splitList \".\" .s) 1 }}", Ok("web")),
        ("{{ index (splitList \".\" .s) 9 }}", Err("error calling index: index out of range: 9")),
        ("{{ index .m \"zz\" }}", Ok("<no value>")),
        ("{{ index .v \"x\" \"y\" }}", Ok("1")),
        ("{{ index .nul \"a\" }}", Err("error calling index: index of untyped nil")),
        ("{{ splitList \".\" .e | len }}", Ok("1")),
        ("{{ substr 0 99 .id }}", Ok("abc")),
        ("{{ substr 1 -1 .id }}", Ok("bc")),
        ("{{ trunc 2 .id }}", Ok("ab")),
        ("{{ trunc -2 .id }}", Ok("bc")),
        ("{{ .e | default \"d\" }}", Ok("d")),
        ("{{ .nope | default \"d\" }}", Ok("d")),
        ("{{ .fa | default \"d\" }}", Ok("d")),
        ("{{ .el | default \"d\" }}", Ok("d")),
        ("{{ 0 | default 7 }}", Ok("7")),
        ("{{ lower .nope }}", Err("invalid value; expected string")),
        ("{{ b64enc .f }}", Err("wrong type for value; expected string; got float64")),
        ("{{ regexMatch \"modules\\\\.[a-z0-9-]+\\\\.externals\" .s }}", Ok("true")),
        ("{{ regexMatch \"(\" .s }}", Ok("false")),
        ("{{ index (regexSplit \"\\\\.\" .s -1) 1 }}", Ok("web")),
        ("{{ eq .id \"x\" \"abc\" }}", Ok("true")),
        ("{{ eq .n 5432 }}", Ok("true")),
        ("{{ eq .big 10000000 }}", Ok("true")),
        ("{{ eq .nope \"a\" }}", Ok("false")),
        ("{{ len .el }}", Ok("0")),
        ("{{ len .nul }}", Err("error calling len: len of nil pointer")),
        ("{{ first .el }}", Ok("<no value>")),
        ("{{ first .nope }}", Err("error calling first: runtime error")),
        ("{{ dig \"x\" \"q\" 9 .v }}", Ok("9")),
        ("{{ dig \"x\" \"y\" \"z\" 9 .v }}", Err("error calling dig: interface conversion")),
        ("{{ .v | dig \"x\" \"q\" (list) | len }}", Ok("0")),
        ("{{ dig \"a\" 1 .nope }}", Err("error calling dig: interface conversion: interface {} is nil")),
        ("{{ hasKey .nope \"q\" }}", Ok("false")),
        ("{{ get .m \"q\" }}", Ok("")),
        ("{{ has \"q\" .nope }}", Ok("false")),
        ("{{ dict \"k\" | toRawJson }}", Ok("{\"k\":\"\"}")),
        ("{{ merge (dict \"a\" 1) (dict \"a\" 2 \"b\" 3) | toRawJson }}", Ok("{\"a\":1,\"b\":3}")),
        ("{{ dict \"a\" 2 \"b\" 3 | merge (dict \"a\" 1) | toRawJson }}", Ok("{\"a\":1,\"b\":3}")),
        (
            "{{ urlJoin (dict \"scheme\" \"http\" \"host\" \"h:1\" \"path\" \"/p\" \"query\" \"q=1\" \"userinfo\" \"u:p\") }}",
            Ok("http://u:p@h:1/p?q=1"),
        ),
        ("{{ urlJoin (dict \"host\" \"h\" \"path\" \"p\") }}", Ok("//h/p")),
        ("{{ cat \"a\" .nope 3 }}", Ok("a 3")),
        ("{{ fail \"boom\" }}", Err("1:4: boom")),
        ("{{ min 10 2.7 }}", Ok("2")),
        ("{{ .nope | default 3 | min 10 }}", Ok("3")),
        ("{{ toString .nope }}", Ok("<nil>")),
        ("{{ replace \".\" \"-\" .s }}", Ok("modules-web-externals-db")),
        ("{{ or .e \"z\" }}", Ok("z")),
        ("{{ and .e \"z\" }}", Ok("")),
        ("{{ range $k, $v := .m }}{{ $k }}={{ $v }};{{ end }}", Ok("a=x<y&z;b=2;")),
        ("{{ range $k, $v := .nope }}x{{ end }}", Ok("")),
        ("{{ range $k, $v := .id }}x{{ end }}", Err("range can't iterate over abc")),
        ("{{ $x := .id }}{{ range .l }}{{ $x }}{{ $.id }}{{ . }} {{ end }}", Ok("abcabca abcabcb abcabcb ")),
        ("a {{- \" b \" -}} c", Ok("a b c")),
        ("a\n{{- /* c */ -}}\nb", Ok("ab")),
        ("{{ $x }}", Err("undefined variable \"$x\"")),
        ("{{ nil }}", Err("nil is not a command")),
        // §7.3
        ("{{- /* c *//}}", Err("comment ends before closing delimiter")),
        ("{{ hasPrefix \"p/\" p/host }}", Err("bad character U+002F '/'")),
        ("{{ .drivers.role_arn }}", Ok("<no value>")),
        // What keys and values give is sorted.
        ("{{ keys .m }} {{ values .m }}", Ok("[a b] [x<y&z 2]")),
    ] {
        match (render(template, &specimen()), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{template}"),
            (Err(found), Err(expected)) => assert!(found.to_string().contains(expected), "{template}: {found}"),
            (found, expected) => panic!("{template}: found {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn templates_make_what_go_makes_of_them() {
    let data = serde_json::from_str(rows::DATA).unwrap();
    for (template, expected) in rows::TEXTS {
        assert_eq!(render(template, &data).as_deref(), Ok(*expected), "{template}");
    }
    for template in rows::FAILURES {
        assert!(render(template, &data).is_err(), "{template}");
    }
}

#[test]
fn the_functions_of_helm_are_there() {
    let data =
        json!({"m": {"b": [1, {"c": "on"}], "a": null}, "text": "x: 1\ny: [a, 2.5]", "list": "- 1\n- b", "bad": "["});
    for (template, expected) in [
        ("{{ toYaml .m }}", "a: null\nb:\n- 1\n- c: \"on\""),
        ("{{ toYaml (list) }} {{ toYaml \"a\" }}", "[] a"),
        ("{{ fromYaml .text }}", "map[x:1 y:[a 2.5]]"),
        ("{{ fromYaml .list }}", "map[Error:the text is no mapping]"),
        ("{{ hasKey (fromYaml .bad) \"Error\" }}", "true"),
        ("{{ fromYaml \"\" }}{{ fromYamlArray \"\" }}", "map[][]"),
        ("{{ fromYamlArray .list }}", "[1 b]"),
        ("{{ len (fromYamlArray .bad) }}", "1"),
        ("{{ required \"no\" .text | len }}", "16"),
        ("{{ toYaml .m | nindent 2 }}", "\n  a: null\n  b:\n  - 1\n  - c: \"on\""),
    ] {
        assert_eq!(render(template, &data).as_deref(), Ok(expected), "{template}");
    }
    assert_eq!(render("{{ required \"give x\" \"\" }}", &data).unwrap_err().message, "give x");
}

#[test]
fn errors_say_where_and_what() {
    let errors = [
        "line one\n  {{ .a | uper }}",
        "{{ if .a }}\n{{ range .l }}{{ end }}",
        "x\ny{{ index .l 7 }}",
        "{{ now }}",
        "{{ lookup \"v1\" \"Secret\" \"ns\" \"name\" }}",
        "{{ required \"set `host`\" .nope }}",
        "{{ trunc .n .id }}",
        "{{ substr 0 1 \"é\" }}",
        "a{{ end }}b",
        "{{ else }}",
    ];
    let shown: Vec<String> =
        errors.iter().map(|template| render(template, &specimen()).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    2:11: function "uper" not defined; did you mean "upper"?
    2:24: unexpected EOF
    2:5: at <index .l 7>: error calling index: index out of range: 7
    1:4: function "now" is not available: it reads the clock, and the same inputs have to give the same output
    1:4: function "lookup" is not available: it asks the cluster, and none is at hand here
    1:4: set `host`
    1:10: at <.n>: wrong type for value; expected int; got int64
    1:4: at <substr 0 1 "é">: error calling substr: it cuts a character of several bytes in two
    1:2: unexpected {{end}}
    1:1: unexpected {{else}}
    "#);
}

#[test]
fn unbalanced_templates_and_unknown_functions_are_refused_wherever_they_stand() {
    for template in [
        "a{{ end }}b",
        "a{{ range .l }}b",
        "{{ if .t }}a{{ else }}b{{ else }}c{{ end }}",
        "{{ if .fa }}{{ nope }}{{ end }}",
        "{{ define \"x\" }}{{ nope }}{{ end }}",
        "{{ break }}",
        "{{ range .l }}{{ define \"x\" }}{{ break }}{{ end }}{{ end }}",
        "{{ .a.b. }}",
        "{{ (.a }}",
        "{{ .a) }}",
        "{{ .a | | .b }}",
        "{{ with $x := 1 }}{{ end }}{{ $x }}",
        "{{ template \"x\" }}{{ end }}",
        "{{ 99999999999999999999 }}",
        "{{ \"\\q\" }}",
    ] {
        let error = Template::parse(template).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Syntax, "{template}: {error}");
    }
}

#[test]
fn hostile_templates_end_in_an_error() {
    for template in [
        "{{ range 2000000 }}{{ end }}".to_owned(),
        "{{ range until 2000000 }}{{ end }}".to_owned(),
        "{{ range 2000000 }}x{{ end }}".to_owned(),
        "{{ repeat 2000000 \"x\" }}".to_owned(),
        "{{ $x := \"xxxxxxxx\" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}".to_owned(),
        "{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}".to_owned(),
        "{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ deepEqual $x (deepCopy $x) }}".to_owned(),
        "{{ $x := list 1 }}{{ range 10000 }}{{ $x = list $x }}{{ end }}{{ toJson $x }}".to_owned(),
        "{{ $d := dict }}{{ $_ := set $d \"a\" (list $d) }}".to_owned(),
        "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}".to_owned(),
        "{{ define \"r\" }}{{ range 2 }}{{ template \"r\" . }}{{ end }}{{ end }}{{ template \"r\" . }}".to_owned(),
        "{{ regexReplaceAll \"\" (repeat 100000 \"a\") (repeat 100000 \"b\") }}".to_owned(),
        "{{ replace \"\" (repeat 10000 \"b\") (repeat 10000 \"a\") }}".to_owned(),
        "{{ range $i := 100000 }}{{ $_ := regexMatch (print \"a\" $i) \"x\" }}{{ end }}".to_owned(),
        "{{ printf \"%1000000d%1000000d\" 1 1 }}".to_owned(),
        "{{ indent 1000000 (repeat 1000 \"\\n\") }}".to_owned(),
        "{{ randAlpha 900000000 }}".to_owned(),
        "{{ join (repeat 1000 \"x\") (until 10000) }}".to_owned(),
        "{{ (".repeat(500),
        format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000)),
        "{{ if 1 }}".repeat(50_000) + &"{{ end }}".repeat(50_000),
        "{{ if 1 }}".to_owned() + &"{{ else if 1 }}".repeat(50_000) + "{{ end }}",
        "x".repeat(MAX_BYTES + 1),
    ] {
        let shown: String = template.chars().take(80).collect();
        let error = render(&template, &json!({})).expect_err(&shown);
        assert!(error.to_string().len() < 300, "{shown}: {error}");
    }
}

#[test]
fn as_much_as_is_allowed_is_done() {
    let nested = format!("{}x{}", "{{ if 1 }}".repeat(99), "{{ end }}".repeat(99));
    assert_eq!(render(&nested, &json!({})).unwrap(), "x");
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(99), ")".repeat(99));
    assert_eq!(render(&parentheses, &json!({})).unwrap(), "1");
    let recursive =
        "{{ define \"r\" }}{{ if gt . 0 }}{{ template \"r\" (sub . 1) }}{{ end }}.{{ end }}{{ template \"r\" 40 }}";
    assert_eq!(render(recursive, &json!({})).unwrap(), ".".repeat(41));
    assert_eq!(render("{{ repeat 1000000 \"x\" }}", &json!({})).unwrap().len(), 1_000_000);
}

/// Renders with `.secret` and `.nested.secret` hidden behind `MARK`.
fn with_hidden(template: &str, shows_hidden: bool) -> Result<String, ErrorKind> {
    let hidden = || Value::Hidden("MARK".into());
    let data = Value::map([
        ("plain", Value::text("p")),
        ("secret", hidden()),
        ("nested", Value::map([("secret", hidden()), ("plain", Value::text("n"))])),
    ]);
    let options = Options { shows_hidden, ..Options::default() };
    Template::parse(template).unwrap().render(&data, options).map_err(|error| {
        assert!(!error.to_string().contains("MARK"), "{error}");
        error.kind
    })
}

#[test]
fn hidden_values_reach_no_output_and_decide_nothing() {
    for template in [
        "{{ .secret }}",
        "{{ . | toRawJson }}",
        "{{ .nested }}",
        "{{ range .nested }}{{ . }}{{ end }}",
        "{{ if .secret }}a{{ end }}",
        "{{ if eq .secret \"x\" }}a{{ end }}",
        "{{ .secret | default \"x\" }}",
        "{{ .secret | b64enc }}",
        "{{ len .secret }}",
        "{{ .secret.deeper }}",
        "{{ index .secret \"a\" }}",
        "{{ printf \"%s\" .secret }}",
        "{{ printf \"\" .nested }}",
        "{{ printf \"%d\" .nested }}",
        "{{ printf \"%z\" (list .secret) }}",
        "{{ printf \"%v %#v\" . . }}",
        "{{ print .secret | sha256sum }}",
        "{{ quote .secret | trim }}",
        "{{ kindOf .secret }}",
        "{{ list .secret | join \",\" }}",
        "{{ has \"x\" (list .secret) }}",
        "{{ list .secret | uniq }}",
        "{{ list .secret | sortAlpha }}",
        "{{ dict .secret 1 }}",
        "{{ toYaml .nested }}",
        "{{ html .secret }}",
        "{{ range .secret }}{{ end }}",
        "{{ randAlpha 3 }}",
    ] {
        assert_eq!(with_hidden(template, false), Err(ErrorKind::Unknown), "{template}");
    }
    for (template, expected) in [
        ("{{ .plain }}", "p"),
        ("{{ .nested.plain }}", "n"),
        ("{{ hasKey .nested \"secret\" }}", "true"),
        ("{{ if .nested }}a{{ end }}", "a"),
        ("{{ $x := .secret }}{{ .plain }}", "p"),
        ("{{ or .plain .secret }}", "p"),
        ("{{ keys .nested }}", "[plain secret]"),
    ] {
        assert_eq!(with_hidden(template, false).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn markers_are_written_as_they_are_and_never_worked_on() {
    for (template, expected) in [
        ("a: {{ .secret }}", Ok("a: MARK")),
        ("{{ .nested | toRawJson }}", Ok("{\"plain\":\"n\",\"secret\":\"MARK\"}")),
        ("{{ .secret | quote }}", Ok("\"MARK\"")),
        ("{{ or .secret .plain }}", Err(ErrorKind::Unknown)),
        ("{{ .secret | quote | b64enc }}", Ok("humctl-base64-Ik1BUksi.")),
        ("{{ printf \"u:%s@%v%%\" .secret .plain }}", Ok("u:MARK@p%")),
        ("{{ printf \"%s:%d\" .secret 7 | b64enc }}", Ok("humctl-base64-TUFSSzo3.")),
        ("{{ printf \"%5s\" .secret }}", Err(ErrorKind::Unknown)),
        ("{{ printf \"%.1s\" .secret }}", Err(ErrorKind::Unknown)),
        ("{{ printf \"%q\" .secret }}", Err(ErrorKind::Unknown)),
        ("{{ printf \"%[1]s\" .secret }}", Err(ErrorKind::Unknown)),
        ("{{ printf \"%s\" .nested }}", Err(ErrorKind::Unknown)),
        ("{{ printf \"%s\" .plain .secret }}", Err(ErrorKind::Unknown)),
        ("{{ .secret | b64enc | b64enc | len }}", Err(ErrorKind::Unknown)),
        ("{{ .secret | b64enc | b64dec }}", Err(ErrorKind::Unknown)),
        ("{{ eq (toString .secret) .secret }}", Err(ErrorKind::Unknown)),
        ("{{ .secret | toJson | len }}", Err(ErrorKind::Unknown)),
    ] {
        assert_eq!(with_hidden(template, true).as_deref().map_err(|kind| *kind), expected, "{template}");
    }
}

/// Templates made of pieces that fit together now and then.
fn any_template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{ ".to_owned()),
        Just(" }}".to_owned()),
        Just("{{- ".to_owned()),
        Just(" -}}".to_owned()),
        Just("{{ if .t }}".to_owned()),
        Just("{{ range $i, $x := .l }}".to_owned()),
        Just("{{ with .m }}".to_owned()),
        Just("{{ else }}".to_owned()),
        Just("{{ end }}".to_owned()),
        Just("{{ define \"d\" }}".to_owned()),
        Just("{{ template \"d\" . }}".to_owned()),
        Just("{{ break }}".to_owned()),
        "(\\.(a|m|l|t|nul)| \\$x?| \\(| \\)| \\||:=| 1| -2\\.5| \"s\"| `r`| 'c'| nil| true| ,|=|/\\*|\\*/)",
        "( printf| index| list| dict| set| merge| toJson| quote| substr| splitList| default| len| eq| repeat)",
        "[ -~\\n\u{e9}\u{1f600}]{0,6}",
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_template_renders_or_fails_and_does_so_again(template in any_template()) {
        let data = json!({"a": "text", "m": {"k": [1, null]}, "l": ["x", 2, {}], "t": true, "nul": null});
        let first = render(&template, &data);
        prop_assert_eq!(&render(&template, &data), &first);
        if let Err(error) = first {
            prop_assert!(error.place.line <= template.matches('\n').count() + 1);
        }
    }

    #[test]
    fn text_without_actions_is_itself(text in "[^{]{0,60}") {
        prop_assert_eq!(render(&text, &json!({})).unwrap(), text);
    }

    #[test]
    fn quoted_json_reads_back(text in "\\PC{0,30}") {
        let shown = render("{{ .x | toRawJson }}", &json!({ "x": text })).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text.clone());
        let shown = render("{{ .x | toJson }}", &json!({ "x": text })).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
