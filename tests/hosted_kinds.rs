//! Kinds that only a hosted Orchestrator has: where they are asked for, and how
//! they are shown (spec/cli.md §6.4).

use serde_json::{Value, json};

use crate::harness::{Answer, FakeApi, hosted};

/// A kind: its words, the path of its list, one object, and the table's rows.
struct Case {
    words: &'static [&'static str],
    list: &'static str,
    /// Whether one object has a path of its own; else it is looked for in the list.
    has_path: bool,
    object: Value,
    table: [&'static str; 2],
    manifest: Value,
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            words: &["user", "users"],
            list: "/orgs/my-org/users",
            has_path: true,
            object: json!({"id": "x1", "name": "Ann", "email": "a@example.com", "role": "member", "type": "user",
                "created_at": "t", "invite": null}),
            table: ["ID|Name|Email        |Role  ", "x1|Ann |a@example.com|member"],
            manifest: json!({"kind": "User", "metadata": {"id": "x1"}, "status": {"created_at": "t"},
                "entity": {"name": "Ann", "email": "a@example.com", "role": "member", "type": "user"}}),
        },
        Case {
            words: &["token", "tokens"],
            list: "/users/me/tokens",
            has_path: true,
            object: json!({"id": "x1", "type": "static", "description": "CI", "created_at": "t"}),
            table: ["ID|Type  |Expires At|Description", "x1|static|-         |CI         "],
            manifest: json!({"kind": "Token", "metadata": {"id": "x1"}, "status": {"created_at": "t"},
                "entity": {"type": "static", "description": "CI"}}),
        },
        Case {
            words: &["pipeline-run", "pipeline-runs", "run"],
            list: "/orgs/my-org/pipeline-runs",
            has_path: false,
            object: json!({"id": "x1", "pipeline_id": "main", "app_id": "shop", "status": "failed", "created_at": "t"}),
            table: ["ID|Pipeline|Status|Created At", "x1|main    |failed|t         "],
            manifest: json!({"kind": "PipelineRun", "entity": {}, "status": {"status": "failed", "created_at": "t"},
                "metadata": {"id": "x1", "pipeline_id": "main", "app_id": "shop"}}),
        },
        Case {
            words: &["artefact", "artefacts", "artifact"],
            list: "/orgs/my-org/artefacts",
            has_path: false,
            object: json!({"id": "x1", "name": "reg/img", "type": "container", "created_at": "t"}),
            table: ["ID|Name   |Type     ", "x1|reg/img|container"],
            manifest: json!({"kind": "Artefact", "metadata": {"id": "x1"}, "status": {"created_at": "t"},
                "entity": {"name": "reg/img", "type": "container"}}),
        },
        Case {
            words: &["artefact-version", "artefact-versions"],
            list: "/orgs/my-org/artefact-versions",
            has_path: true,
            object: json!({"id": "x1", "name": "reg/img", "type": "container", "version": "1", "ref": "main",
                "commit": "c0ffee", "archived": false}),
            table: ["Name   |Version|Ref |Commit", "reg/img|1      |main|c0ffee"],
            manifest: json!({"kind": "ArtefactVersion", "metadata": {"id": "x1"}, "status": {"archived": false},
                "entity": {"name": "reg/img", "type": "container", "version": "1", "ref": "main", "commit": "c0ffee"}}),
        },
    ]
}

#[test]
fn they_are_shown_like_all_others() {
    for case in cases() {
        let (object, list, has_path) = (case.object.clone(), case.list, case.has_path);
        let api = FakeApi::serve(move |request| {
            let line = request.line();
            let path = line.strip_prefix("GET /base")?;
            Some(match path {
                "/current-user" => Answer::new(200, "{\"id\":\"me\"}"),
                path if path == list => Answer::new(200, json!([object]).to_string()),
                path if has_path && path == format!("{list}/x1") => Answer::new(200, object.to_string()),
                _ => Answer::new(404, "{}"),
            })
        });
        let env = hosted(&api);
        let table: String = case.table.iter().map(|row| row.replace('|', "\t") + "\n").collect();
        let mut manifest = case.manifest.clone();
        manifest["apiVersion"] = "entity.humanitec.io/v1b1".into();
        for word in case.words {
            assert_eq!(env.run(&format!("get {word}")).ok().stdout, table, "{word}");
            assert_eq!(env.run(&format!("get {word} x1")).ok().stdout, table, "{word}");
        }
        let word = case.words[0];
        assert_eq!(env.run(&format!("get {word} -o json")).ok().json(), json!([manifest]), "{word}");
        assert_eq!(env.run(&format!("get {word} x1 -o json")).ok().json(), manifest, "{word}");
        env.run(&format!("get {word} no-such-thing")).fails();
    }
}

#[test]
fn flags_choose_whose_they_are() {
    let api = FakeApi::serve(|_| Some(Answer::new(200, "[]")));
    for (words, line) in [
        ("get users --app shop", "GET /orgs/my-org/apps/shop/users"),
        ("get pipeline-runs", "GET /orgs/my-org/pipeline-runs"),
        ("get pipeline-runs --app shop", "GET /orgs/my-org/pipeline-runs?app=shop"),
        ("get pipeline-runs --app shop --env dev", "GET /orgs/my-org/pipeline-runs?app=shop&env=dev"),
        ("delete user u1", "DELETE /orgs/my-org/users/u1"),
        ("delete user u1 --app shop", "DELETE /orgs/my-org/apps/shop/users/u1"),
        ("delete artefact a1", "DELETE /orgs/my-org/artefacts/a1"),
    ] {
        hosted(&api).run(words).ok();
        assert_eq!(api.lines().last().unwrap(), line, "{words}");
    }
    let api = FakeApi::script([Answer::new(200, "{\"id\":\"me\"}"), Answer::new(204, "")]);
    hosted(&api).run("delete token t1").ok();
    assert_eq!(api.lines(), ["GET /current-user", "DELETE /users/me/tokens/t1"]);
}

#[test]
fn a_driver_is_asked_for_by_its_id() {
    const DRIVER: &str = "{\"id\":\"bucket\",\"org_id\":\"my-org\",\"type\":\"s3\",\
        \"target\":\"driver://humanitec/template\",\"account_types\":[],\"inputs_schema\":{},\"template\":{}}";
    const OF_OTHERS: &str = "{\"id\":\"bucket\",\"org_id\":\"humanitec\",\"type\":\"s3\",\"account_types\":[],\
        \"inputs_schema\":{}}";
    const GET: &str = "GET /orgs/my-org/resources/drivers/bucket";
    const POST: &str = "POST /orgs/my-org/resources/drivers";
    const PUT: &str = "PUT /orgs/my-org/resources/drivers/bucket";
    let manifest = |kind: &str| {
        format!(
            "apiVersion: entity.humanitec.io/v1b1\nkind: Driver\nmetadata: {{id: bucket}}\nentity: {{type: {kind}, \
             target: \"driver://humanitec/template\", template: {{}}, account_types: [], inputs_schema: {{}}}}\n"
        )
    };
    for (kind, script, lines, said) in [
        ("s3", vec![(404, "{}"), (200, DRIVER)], vec![GET, POST], "created"),
        ("s3", vec![(200, OF_OTHERS), (200, DRIVER)], vec![GET, POST], "created"),
        ("s3", vec![(200, DRIVER)], vec![GET], "unchanged"),
        ("gcs", vec![(200, DRIVER), (200, DRIVER)], vec![GET, PUT], "updated"),
    ] {
        let api = FakeApi::script(script);
        let env = hosted(&api);
        env.write("driver.yaml", &manifest(kind));
        assert_eq!(env.run("apply -f driver.yaml").ok().stdout, format!("Driver bucket: {said}\n"));
        assert_eq!(api.lines(), lines, "{said}");
    }
}

#[test]
fn an_artefact_version_that_is_shown_can_be_applied() {
    let object = json!({"id": "x1", "type": "container", "name": "reg/img", "version": "1", "ref": "main", "commit": "a",
        "digest": "sha256:0", "created_at": "t", "created_by": "u", "archived": false, "artefact_id": "a1"});
    let api = FakeApi::routes([("GET /orgs/my-org/artefact-versions/x1", vec![Answer::new(200, object.to_string())])]);
    let env = hosted(&api);
    let shown = env.run("get artefact-version x1 -o yaml").ok().stdout;
    assert_eq!(env.run_with_stdin("apply -f -", &shown).ok().stdout, "ArtefactVersion x1: unchanged\n");
}
