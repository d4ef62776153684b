//! The compatibility cases of spec/cli.md §9, one row a case: what public
//! scripts do, run by a real shell with `jq` and `yq`, and what then must be.
//!
//! Rows that are not for serverless mode, and the two about tokens and missing
//! context (ruling 33), run against a server that plays the hosted API. Where a
//! script passes a token in serverless mode, the address is set to `local`, since
//! a token alone means the hosted API.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::harness::{Answer, FakeApi, POSTGRES, Remote, Run, TestEnv};

/// What is there before the script runs. Everything is in the Organization `local`.
enum Start {
    /// Nothing at all.
    Nothing,
    /// Definitions of a Git target and a database, the Application `shop` with
    /// `development`, the Score file `score.yaml` of the Workload `web`.
    Shop,
    /// `Shop`, and `score.yaml` is deployed.
    Deployed,
    /// `Deployed`, and once more with the image `busybox:2`.
    Twice,
    /// A hosted API with these answers.
    Hosted(&'static [(&'static str, u16, &'static str)]),
}

use Start::{Deployed, Hosted, Nothing, Shop, Twice};

/// A row of the table.
struct Row {
    number: u8,
    start: Start,
    script: &'static str,
    must: fn(&Case),
}

/// A script that has run.
struct Case {
    run: Run,
    env: TestEnv,
    remote: Remote,
    api: Option<FakeApi>,
}

impl Case {
    /// It succeeded, silent on stderr; its stdout, without the newline at the end.
    #[track_caller]
    fn out(&self) -> &str {
        assert_eq!((self.run.code, self.run.stderr.as_str()), (0, ""), "{}", self.run.stdout);
        self.run.stdout.trim_end()
    }

    /// It failed with this on stderr, and nothing on stdout.
    #[track_caller]
    fn fails(&self, text: &str) {
        assert_ne!(self.run.code, 0, "{}", self.run.stdout);
        assert_eq!(self.run.stdout, "", "{}", self.run.stderr);
        assert!(self.run.stderr.contains(text), "{}", self.run.stderr);
    }

    #[track_caller]
    fn json(&self) -> Value {
        self.out();
        self.run.json()
    }

    /// What another command then says.
    #[track_caller]
    fn then(&self, words: &str) -> String {
        self.env.run(words).ok().stdout.trim_end().to_owned()
    }

    /// The files in the target.
    fn tree(&self) -> String {
        self.remote.tree("main")
    }

    /// A file in the target.
    fn file(&self, path: &str) -> String {
        self.remote.show("main", path)
    }

    /// The requests that the API got, with bodies.
    fn requests(&self) -> Vec<String> {
        let seen = self.api.as_ref().map(FakeApi::seen).unwrap_or_default();
        seen.iter().map(|request| format!("{} {}", request.line().replacen(" /base", " ", 1), request.text())).collect()
    }
}

const SCORE: &str = "apiVersion: score.dev/v1b1
metadata:
  name: web
containers:
  main:
    image: .
    variables: {LEVEL: info, DB: \"${resources.db.host}\"}
resources:
  db: {type: postgres}
";

const DNS: &str = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: dns-def}
entity:
  name: dns-def
  type: dns
  driver_type: humanitec/echo
  driver_inputs: {values: {host: shop.example}}
  criteria: [{}]
";

fn row(number: u8, start: Start, script: &'static str, must: fn(&Case)) -> Row {
    Row { number, start, script, must }
}

fn rows() -> Vec<Row> {
    vec![
        row(1, Nothing, "humctl version", |it| assert!(it.out().contains(env!("CARGO_PKG_VERSION")))),
        row(2, Nothing, "humctl completion bash > FILE && test -s FILE", |it| assert_eq!(it.out(), "")),
        row(
            3,
            Hosted(&[("GET /current-user", 200, r#"{"id": "u1", "email": "dev@example.org", "name": "Dev"}"#)]),
            "humctl api get /current-user | jq -r .email",
            |it| assert_eq!(it.out(), "dev@example.org"),
        ),
        row(4, Shop, "export HUMANITEC_OUTPUT=json; humctl --org local get apps", |it| {
            assert_eq!(
                (&it.json()[0]["metadata"]["id"], &it.json()[0]["entity"]["name"]),
                (&"shop".into(), &"Shop".into())
            );
        }),
        row(5, Deployed, "humctl --org local --app shop get envs development -o json", |it| {
            assert!(it.json()["entity"]["from_deploy"].is_string());
        }),
        row(
            6,
            Nothing,
            "if ! humctl get application a1 2> ERR; then humctl create application a1 > OUT; fi; humctl get envs --app a1 -o json | jq -r '.[].metadata.id'",
            |it| assert_eq!(it.out(), "development"),
        ),
        row(
            7,
            Nothing,
            "export HUMANITEC_API_PREFIX=local; humctl create app a1 --name a1 --org local --token t > OUT || true; humctl create app a1 --name other --org local --token t 2> ERR || true; grep -q HTTP-409 ERR; humctl get app a1 -o json | jq -r .entity.name",
            |it| assert_eq!(it.out(), "a1"),
        ),
        row(
            8,
            Nothing,
            r#"humctl get orgs -o json | jq -r '[.[] | select(.metadata.id | startswith("lo")) | .metadata.id][0]'"#,
            |it| assert_eq!(it.out(), "local"),
        ),
        row(9, Nothing, "humctl get organization -o yaml | yq -r '.[0].metadata.id'", |it| {
            assert_eq!(it.out(), "local");
        }),
        row(
            10,
            Shop,
            "humctl create env staging --app shop --type staging > OUT; humctl get env staging --app shop -o json | jq -c '[.entity.type, .entity.from_deploy]'",
            |it| assert_eq!(it.out(), r#"["staging",null]"#),
        ),
        row(
            11,
            Deployed,
            "humctl create environment pr-7 -t development --name pr-7 --from development --app shop > OUT; humctl get env pr-7 --app shop -o json | jq -r .entity.from_deploy",
            |it| {
                let latest = it.then("get deployment . --app shop --env development -o json");
                assert!(latest.contains(it.out()) && it.out() != "null", "{latest}");
            },
        ),
        row(
            12,
            Shop,
            "export HUMANITEC_API_PREFIX=local; humctl create env pr-7 --app shop --type development > OUT; humctl delete env pr-7 --app shop --org local --token t",
            |it| {
                assert_eq!(it.out(), "");
                assert!(!it.then("get envs --app shop").contains("pr-7"));
            },
        ),
        row(
            13,
            Nothing,
            "echo \"$DNS\" > a.yaml; echo \"$POSTGRES\" > b.yaml; humctl apply -f a.yaml -f b.yaml",
            |it| {
                assert_eq!(it.out(), "Definition dns-def: created\nDefinition postgres-team: created");
            },
        ),
        row(
            14,
            Nothing,
            "mkdir defs; echo \"$DNS\" > defs/a.yaml; echo \"$POSTGRES\" > defs/b.yml; humctl apply -f ./defs; humctl get defs | grep -c -e dns-def -e postgres-team; humctl delete -f ./defs; humctl get defs | grep dns-def || true",
            |it| assert_eq!(it.out().lines().next_back(), Some("2")),
        ),
        row(15, Nothing, "echo \"$DNS\" > a.yaml; cat a.yaml | humctl apply -f -", |it| {
            assert_eq!(it.out(), "Definition dns-def: created");
        }),
        row(16, Nothing, "echo \"$DNS\" > def.yaml; humctl create -f def.yaml; humctl create -f def.yaml", |it| {
            assert_eq!(it.out(), "Definition dns-def: created\nDefinition dns-def: unchanged");
        }),
        row(
            17,
            Nothing,
            "echo \"$DNS\" > def.yaml; humctl apply -c /orgs/other-org -f def.yaml > OUT; humctl get def dns-def --org other-org -o json | jq -r .metadata.org_id",
            |it| {
                assert_eq!(it.out(), "other-org");
            },
        ),
        row(
            18,
            Nothing,
            r#"echo "$DNS" | humctl apply -f - > OUT; humctl get def dns-def -o json | jq -c '[.kind, (.entity | keys), (.entity | has("driver_account"))]'"#,
            |it| {
                let keys = r#"["criteria","driver_inputs","driver_type","in_place_driver_change","name","type"]"#;
                assert_eq!(it.out(), format!(r#"["Definition",{keys},false]"#));
            },
        ),
        row(
            19,
            Nothing,
            "echo \"$DNS\" | humctl apply -f - > OUT; humctl get def dns-def -o yaml | yq -r .kind",
            |it| {
                assert_eq!(it.out(), "Definition");
            },
        ),
        row(
            20,
            Nothing,
            "echo \"$DNS\" | humctl apply -f - > OUT; humctl get res-defs dns-def -o yaml > A; humctl get res-def dns-def -o yaml > B; humctl get resource-definitions dns-def -o yaml > C; cmp A B; cmp A C; yq -r .metadata.id A",
            |it| assert_eq!(it.out(), "dns-def"),
        ),
        row(
            21,
            Nothing,
            r#"humctl api post /orgs/local/resources/types -d '{"type": "local/queue", "use": "direct", "name": "Queue", "category": "x"}' > OUT; humctl get resource-type | grep local"#,
            |it| assert!(it.out().starts_with("local/queue")),
        ),
        row(
            22,
            Nothing,
            r#"humctl api post /orgs/local/resources/types -d '{"type": "local/queue", "use": "direct", "name": "Queue", "category": "x"}' > OUT; humctl get resource-type -o json | jq -r '.[] | select(.metadata.type == "local/queue") | .entity.name'"#,
            |it| assert_eq!(it.out(), "Queue"),
        ),
        row(
            23,
            Hosted(&[(
                "GET /orgs/my-org/resources/accounts/acc",
                200,
                r#"{"id": "acc", "name": "Acc", "type": "aws-role", "is_used": true, "created_by": "u", "created_at": "2024-01-01T00:00:00Z"}"#,
            )]),
            "humctl get resource-account acc -o yaml | yq -r '.kind, .metadata.id, .entity.name, .entity.credentials'",
            |it| assert_eq!(it.out(), "Account\nacc\nAcc\nnull"),
        ),
        row(
            24,
            Shop,
            "humctl score validate score.yaml --strict --local; echo 'resources: {x: {typ: 1}}' >> score.yaml; if humctl score validate score.yaml --strict --local > OUT 2> ERR; then echo BAD; fi",
            |it| assert_eq!(it.out(), "The Score file validated successfully"),
        ),
        row(
            25,
            Shop,
            "echo 'invalid: 1' >> score.yaml; humctl score validate --local score.yaml -o json > OUT && exit 9; jq -c '.[0] | keys' OUT; jq -r '.[0].Level' OUT",
            |it| assert_eq!(it.out(), "[\"Level\",\"Location\",\"Message\"]\nERROR"),
        ),
        row(26, Shop, "humctl score validate --local score.yaml -o json", |it| {
            it.out();
            assert_eq!(it.run.stdout, "\"The Score file validated successfully\"\n");
        }),
        row(27, Shop, "humctl score validate --org local --app shop --env development", |it| {
            assert_eq!(it.out(), "The Score file validated successfully");
        }),
        row(
            28,
            Shop,
            "sed -i 's/image: ./image: busybox/' score.yaml; humctl score deploy --app shop --env development -f ./score.yaml --wait > OUT; humctl get active-resources --app shop --env development -o json | jq -r '.[] | select(.metadata.type == \"postgres\") | .status.resource.host'",
            |it| assert_eq!(it.out(), "db.internal"),
        ),
        row(
            29,
            Shop,
            "sed -i 's/image: ./image: busybox/' score.yaml; mv score.yaml s.yaml; export HUMANITEC_API_PREFIX=local; humctl score deploy --org local --app shop --env development --file s.yaml --token t > OUT",
            |it| {
                it.out();
                assert!(it.tree().contains("shop/development/workload-web.yaml"));
            },
        ),
        row(
            30,
            Shop,
            "sed -i 's/^resources:/  side: {image: fixed}\\nresources:/' score.yaml; humctl score deploy -f score.yaml --image reg.example/x@sha256:00 --app shop --env development > OUT",
            |it| {
                it.out();
                let file = it.file("shop/development/workload-web.yaml");
                assert!(file.contains("image: reg.example/x@sha256:00") && file.contains("image: fixed"), "{file}");
            },
        ),
        row(
            31,
            Shop,
            "humctl score deploy --property containers.main.image=reg.example/x:1 --app shop --env development > OUT",
            |it| {
                it.out();
                assert!(it.file("shop/development/workload-web.yaml").contains("image: reg.example/x:1"));
            },
        ),
        row(
            32,
            Shop,
            "printf 'apiVersion: humanitec.org/v1b1\\nspec: {labels: {from: extension}}\\n' | tee humanitec.score.yaml > h.yaml; humctl score deploy -f score.yaml --image x --app shop --env development > OUT; humctl get deployment-set . --app shop --env development -o json | jq -c '.entity.modules.web.spec.labels'; humctl score deploy -f score.yaml --image x --extensions h.yaml --app shop --env development > OUT; humctl get deployment-set . --app shop --env development -o json | jq -c '.entity.modules.web.spec.labels.from'",
            |it| assert_eq!(it.out(), "null\n\"extension\""),
        ),
        row(
            33,
            Shop,
            "mkdir -p apps/ad; sed 's/name: web/name: ad/' score.yaml > apps/ad/score.yaml; mkdir apps/web; mv score.yaml apps/web/; printf 'apiVersion: config.humanitec.io/v1b1\\nkind: ScoreDeployConfig\\nworkloads:\\n- {specFile: ./ad/score.yaml}\\n- {specFile: ./web/score.yaml}\\n' > apps/d.yaml; humctl score deploy --deploy-config apps/d.yaml --image x --message 'multi\nline' --workload-source-url-prefix https://git.example/apps --wait --app shop --env development > OUT; humctl get deploys --app shop --env development -o json | jq length; humctl get deployment-set . --app shop --env development -o json | jq -r '.entity.modules | map(.spec.annotations[\"humanitec.io/workload-source\"])[]'",
            |it| {
                assert_eq!(
                    it.out(),
                    "1\nhttps://git.example/apps/ad/score.yaml\nhttps://git.example/apps/web/score.yaml"
                );
            },
        ),
        row(
            34,
            Deployed,
            "sed 's/name: web/name: job/' score.yaml > job.yaml; humctl score deploy -f job.yaml --image x --app shop --env development > OUT; humctl score deploy --remove -f job.yaml --app shop --env development > OUT",
            |it| {
                it.out();
                assert!(it.tree().contains("workload-web.yaml") && !it.tree().contains("workload-job.yaml"));
            },
        ),
        row(
            35,
            Shop,
            "humctl score deploy --image x --dry-run --app shop --env development > OUT; humctl get deployment-delta --app shop -o json | jq -c '.[].entity.modules.add | keys'; humctl get deploys --app shop --env development -o json",
            |it| {
                assert_eq!(it.out(), "[\"web\"]\n[]");
                assert_eq!(it.remote.n_commits("main"), 0);
            },
        ),
        row(
            36,
            Twice,
            "ID=$(humctl get deployment . -o json --app shop --env development | jq -r .metadata.id); humctl get deploys --app shop --env development -o json | jq -r --arg id $ID '.[0].metadata.id == $id'",
            |it| assert_eq!(it.out(), "true"),
        ),
        row(
            37,
            Deployed,
            "ID=$(humctl get deployment . -o json --app shop --env development | jq -r .metadata.id); humctl get deployment \"$ID\" --app shop --env development -o json | jq -r .status.status",
            |it| assert_eq!(it.out(), "succeeded"),
        ),
        row(
            38,
            Deployed,
            "E=$(humctl get deployment-error -o json --app shop --env development); [ \"$E\" = \"[]\" ]",
            |it| assert_eq!(it.out(), ""),
        ),
        row(
            39,
            Deployed,
            "sed -i 's/type: postgres/type: amqp/' score.yaml; humctl score deploy --image x --app shop --env development > OUT 2> ERR && exit 9; E=$(humctl get deployment-error -o json --app shop --env development); echo \"$E\" | jq -r '.[0].status.message'",
            |it| assert!(it.out().contains("amqp"), "{}", it.out()),
        ),
        row(
            40,
            Deployed,
            "sed -i 's/type: postgres/type: amqp/' score.yaml; humctl score deploy --image x --app shop --env development > OUT 2> ERR && exit 9; humctl get deploy-error --app shop --env development",
            |it| assert!(it.out().starts_with("Code") && it.out().contains("amqp"), "{}", it.out()),
        ),
        row(
            41,
            Shop,
            "echo \"$DNS\" | humctl apply -f - > OUT; sed -i 's/type: postgres/type: dns/' score.yaml; humctl score deploy --image x --app shop --env development > OUT; humctl get active-resources --app shop --env development -o json | jq -r '.[] | select(.metadata.type==\"dns\") | .status.resource.host'",
            |it| assert_eq!(it.out(), "shop.example"),
        ),
        row(
            42,
            Deployed,
            "humctl get active-resources --app shop --env development -o json | jq -r '.[] | select(.metadata.type==\"postgres\") | .metadata.res_id, (.metadata.res_id | split(\".\") | .[1])'",
            |it| assert_eq!(it.out(), "modules.web.externals.db\nweb"),
        ),
        row(
            43,
            Deployed,
            "humctl get active-resource --app shop --env development -o yaml | yq -r '.[] | select(.metadata.type==\"postgres\") | .status.resource.port'",
            |it| assert_eq!(it.out(), "5432"),
        ),
        row(
            44,
            Twice,
            "IMG=$(humctl get deployment-set . --app shop --env development -o yaml | yq -r '.entity.modules[].spec.containers[].image'); echo $IMG",
            |it| assert_eq!(it.out(), "busybox:2"),
        ),
        row(
            45,
            Deployed,
            "humctl create env dst --app shop --type development > OUT; ID=$(humctl deploy --env development --app shop deploy . envs/dst -o json | jq -r .metadata.id); humctl get deploy $ID --app shop --env dst -o json | jq -r .status.status",
            |it| {
                assert_eq!(it.out(), "succeeded");
                assert!(it.tree().contains("shop/dst/workload-web.yaml"));
            },
        ),
        row(
            46,
            Deployed,
            "humctl create value LEVEL dev -d d --app shop > OUT; humctl create env staging --type staging --app shop > OUT; humctl create value LEVEL stage -d d --app shop --env staging > OUT; sed -i 's/LEVEL: info/LEVEL: \"${resources.env.LEVEL}\"/; s/^resources:/resources:\\n  env: {type: environment}/' score.yaml; humctl score deploy --image x --app shop --env development > OUT; humctl deploy env development staging --app shop --wait > OUT",
            |it| {
                it.out();
                assert!(it.file("shop/staging/workload-web.yaml").contains("stage"));
                assert!(!it.file("shop/development/workload-web.yaml").contains("stage"));
            },
        ),
        row(
            47,
            Deployed,
            "echo \"$POSTGRES\" | sed 's/db.internal/db2.internal/' | humctl apply -f - > OUT; humctl deploy env development development --app shop > OUT; humctl get active-resources --app shop --env development -o json | jq -r '.[] | select(.metadata.type==\"postgres\") | .status.resource.host'",
            |it| assert_eq!(it.out(), "db2.internal"),
        ),
        row(
            48,
            Shop,
            "ID=$(humctl score deploy --image x --dry-run --app shop --env development -o json | jq -r .metadata.id); humctl deploy delta $ID development -m 'some text' --app shop > OUT; humctl get deploy . --app shop --env development -o json | jq -r .entity.comment",
            |it| assert_eq!(it.out(), "some text"),
        ),
        row(
            49,
            Twice,
            "humctl create value K v1 -d d --app shop > OUT; humctl deploy deploy +1 . --app shop --env development > OUT; humctl get deployment-set . --app shop --env development -o json | jq -r '.entity.modules.web.spec.containers.main.image'; humctl deploy deploy +1 . --values-version . --app shop --env development > OUT; humctl get deployment-set . --app shop --env development -o json | jq -r '.entity.modules.web.spec.containers.main.image'; humctl get deploys --app shop --env development -o json | jq '[.[].entity.value_set_version_id][0] != [.[].entity.value_set_version_id][2]'",
            |it| assert_eq!(it.out(), "busybox:1\nbusybox:2\ntrue"),
        ),
        row(
            50,
            Deployed,
            "humctl create env pr-7 --from development --app shop --type development > OUT; sed 's/name: web/name: job/' score.yaml > job.yaml; humctl deploy deploy . pr-7 --app shop --env development > OUT; humctl score deploy -f job.yaml --image x --app shop --env pr-7 > OUT; humctl diff sets env/development env/pr-7 --app shop -o json >> msg.txt; jq -c '.entity.modules.add | keys' msg.txt",
            |it| assert_eq!(it.out(), "[\"job\"]"),
        ),
        row(
            51,
            Twice,
            "humctl diff sets deploy/+1 deploy/. --app shop --env development -o json | jq -r '.entity.modules.update.web[0].value'; humctl create env fresh --app shop --type development > OUT; if humctl diff sets deploy/+1 deploy/. --app shop --env fresh -o json 2> ERR; then echo BAD; fi; test -s ERR",
            |it| assert_eq!(it.out(), "busybox:2"),
        ),
        row(
            52,
            Shop,
            "DELTA=$(humctl create delta --name n --app shop --env development -o json | jq -r .metadata.id); humctl get delta $DELTA --app shop -o json | jq -r .entity.metadata.name",
            |it| assert_eq!(it.out(), "n"),
        ),
        row(
            53,
            Deployed,
            "DELTA=$(humctl create delta --name n --app shop --env development -o json | jq -r .metadata.id); humctl update delta $DELTA add /modules/web/spec/containers/main/variables/X 'a b' --app shop > OUT; humctl deploy delta $DELTA development --app shop > OUT",
            |it| {
                it.out();
                assert!(it.file("shop/development/workload-web.yaml").contains("X: a b"));
            },
        ),
        row(
            54,
            Deployed,
            "DELTA=$(humctl create delta --name n --app shop --env development -o json | jq -r .metadata.id); humctl update delta $DELTA remove /modules/web --app shop > OUT; humctl deploy delta $DELTA development --app shop > OUT",
            |it| {
                it.out();
                assert!(!it.tree().contains("workload-web.yaml"));
            },
        ),
        row(
            55,
            Shop,
            "humctl create value K v -d 'some text' --app shop > OUT; humctl create value K w -d 'more text' --app shop --env development > OUT; humctl get value K --app shop -o json | jq -r .entity.value; humctl get value K --app shop --env development -o json | jq -r .entity.value",
            |it| assert_eq!(it.out(), "v\nw"),
        ),
        row(
            56,
            Shop,
            "humctl create value K path/in/store --app shop --is-secret-ref --secret-store st > OUT; humctl get value K --app shop -o json | jq -c .entity.secret_ref",
            |it| assert_eq!(it.out(), r#"{"ref":"path/in/store","store":"st"}"#),
        ),
        row(
            57,
            Hosted(&[(
                "POST /orgs/my-org/artefact-versions",
                200,
                r#"{"id": "v1", "type": "container", "name": "reg/img", "version": "1"}"#,
            )]),
            "humctl create artefact-version -t container -n reg/img --version 1 --ref refs/heads/main --commit 0a1b2c3",
            |it| {
                it.out();
                let body =
                    r#"{"commit":"0a1b2c3","name":"reg/img","ref":"refs/heads/main","type":"container","version":"1"}"#;
                assert_eq!(it.requests(), [format!("POST /orgs/my-org/artefact-versions {body}")]);
            },
        ),
        row(
            58,
            Deployed,
            "humctl resources graph --org local --app shop --env development > graph.dot; head -1 graph.dot; tail -1 graph.dot",
            |it| {
                assert_eq!(it.out(), "digraph {\n}");
            },
        ),
        row(59, Deployed, "humctl resources graph deploy . --app shop --env development", |it| {
            assert!(it.out().starts_with("file://") && it.out().lines().count() == 1, "{}", it.out());
        }),
        row(
            60,
            Deployed,
            "humctl resources active-resource-usage --app shop --env development >> msg.txt; grep -c postgres msg.txt",
            |it| {
                assert_eq!(it.out(), "1");
            },
        ),
        row(
            61,
            Hosted(&[
                (
                    "POST /orgs/my-org/resources/accounts/acc/actions/check",
                    400,
                    r#"{"error": "RES-1", "message": "no such role"}"#,
                ),
                (
                    "POST /orgs/my-org/runtime/actions/check-connectivity",
                    200,
                    r#"{"success": false, "resource_summaries": [], "conditions": [{"type": "Reachable", "status": "False", "message": "no route"}]}"#,
                ),
            ]),
            "if humctl resources check-account acc 2> ERR; then echo BAD; fi; grep -q 'no such role' ERR; if humctl resources check-connectivity --app shop --env development --env-type development > OUT 2>&1; then echo BAD; fi; grep -q 'no route' OUT",
            |it| assert_eq!(it.out(), ""),
        ),
        row(
            62,
            Nothing,
            "printf '%s\\n' 'apiVersion: entity.humanitec.io/v1b1' 'kind: Definition' 'metadata: {id: cfg-def}' 'entity: {name: cfg-def, type: config, driver_type: humanitec/echo, driver_inputs: {values: {id: \"${context.res.id}\"}}}' > d.yaml; humctl resources test-definition d.yaml --generate > in.yaml; grep -q 'context.res.id: \"\"' in.yaml; sed -i 's/\"\"/\"test\"/g' in.yaml; humctl resources test-definition d.yaml --inputs in.yaml | yq -r .values.id",
            |it| assert_eq!(it.out(), "test"),
        ),
        row(
            63,
            Shop,
            "humctl score available-resource-types | head -1 | tr -s ' \\t' ' '; humctl score available-resource-types -o json | jq -c '.[0] | keys'; humctl score available-resource-types --filter-type postgres -o yaml | yq -r '.[].Type'",
            |it| {
                let keys = r#"["Category","Classes","InputsSchema","Name","OutputsSchema","Type"]"#;
                assert_eq!(it.out(), format!("Name Type Category Class Description\n{keys}\npostgres"));
            },
        ),
        row(
            64,
            Shop,
            "humctl api PUT /orgs/local/resources/defs/postgres-team/criteria --data '[]'; humctl get def postgres-team -o json | jq -c .entity.criteria",
            |it| assert_eq!(it.out(), "[]\n[]"),
        ),
        row(
            65,
            Hosted(&[("POST /orgs/my-org/keys", 200, r#"{"id": "k1", "fingerprint": "f"}"#)]),
            "printf -- '-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\\n' > key.pem; ID=$(humctl api post /orgs/my-org/keys -d \"$(jq -sR < key.pem)\" | jq .id | tr -d '\"'); echo $ID",
            |it| {
                assert_eq!(it.out(), "k1");
                let pem = r#""-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n""#;
                assert_eq!(it.requests(), [format!("POST /orgs/my-org/keys {pem}")]);
            },
        ),
        row(
            66,
            Hosted(&[(
                "POST /orgs/my-org/resources/types/postgres/classes",
                200,
                r#"{"resource_type": "postgres", "id": "small"}"#,
            )]),
            "humctl api post /orgs/my-org/resources/types/postgres/classes -d '\n{\"id\": \"small\",\n \"description\": \"\"}'",
            |it| {
                assert_eq!(it.out(), "{\n  \"id\": \"small\",\n  \"resource_type\": \"postgres\"\n}");
                assert!(
                    it.requests()[0].ends_with(" \n{\"id\": \"small\",\n \"description\": \"\"}"),
                    "{:?}",
                    it.requests()
                );
            },
        ),
        row(
            67,
            Hosted(&[("DELETE /orgs/my-org/resources/types/my-org%2Fqueue", 204, "")]),
            "humctl api delete /orgs/my-org/resources/types/my-org%2Fqueue",
            |it| {
                assert_eq!(it.out(), "");
                assert_eq!(it.requests(), ["DELETE /orgs/my-org/resources/types/my-org%2Fqueue "]);
            },
        ),
        row(
            68,
            Hosted(&[("POST /orgs/my-org/p", 200, "{}")]),
            "printf '{\"a\":1}' | humctl api post /orgs/my-org/p -f -",
            |it| {
                assert_eq!(it.out(), "{}");
                assert_eq!(it.requests()[0].trim_end(), "POST /orgs/my-org/p {\"a\":1}");
            },
        ),
        row(69, Shop, "humctl api put \"/orgs/local/apps/shop/envs/development/runtime/paused\" -d 'true'", |it| {
            it.fails("cannot be paused or scaled from here");
        }),
        row(
            70,
            Nothing,
            "humctl config set org my-org; humctl config org; humctl config set token t1; humctl config view | jq -r .token",
            |it| assert_eq!(it.out(), "my-org\nt1"),
        ),
        row(
            71,
            Hosted(&[("GET /orgs", 200, "[]")]),
            "unset HUMANITEC_TOKEN; printf 'token: from-file\\n' > ~/.humctl; humctl get orgs -o json",
            |it| {
                assert_eq!(it.out(), "[]");
                let seen = it.api.as_ref().unwrap().seen();
                assert_eq!(seen[0].header("authorization"), Some("Bearer from-file"));
            },
        ),
        row(
            72,
            Hosted(&[("GET /orgs", 401, r#"{"error": "API-401", "message": "invalid token"}"#)]),
            "HUMANITEC_TOKEN=bad humctl get orgs",
            |it| it.fails("HTTP-401"),
        ),
        row(73, Hosted(&[]), "HUMANITEC_ORG= humctl get apps", |it| it.fails("organization is required")),
        row(
            74,
            Shop,
            "humctl create env fresh --app shop --type development > OUT; humctl get deploy . --app shop --env fresh",
            |it| it.fails("no deployments in environment"),
        ),
        row(
            75,
            Nothing,
            "humctl get orgs > A; humctl get orgs -v9 > B 2> ERR; cut -f1,2 A > A1; cut -f1,2 B > B1; cmp A1 B1; grep -c 'GET /orgs' ERR > N; test -s N",
            |it| {
                assert_eq!(it.out(), "");
            },
        ),
        row(
            76,
            Shop,
            "HUMANITEC_CLI_ALPHA_FEATURES=score-deploy-wait humctl score deploy --image x --app shop --env development > OUT",
            |it| {
                it.out();
                assert!(it.tree().contains("workload-web.yaml"));
            },
        ),
    ]
}

fn run(start: &Start, script: &str) -> Case {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    let mut api = None;
    env.write("score.yaml", SCORE);
    match start {
        Nothing => {}
        Hosted(answers) => {
            let routes = answers.iter().map(|(route, status, body)| (*route, vec![Answer::new(*status, *body)]));
            let played = FakeApi::routes(routes);
            env.set("HUMANITEC_API_PREFIX", &played.prefix());
            env.set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "my-org");
            api = Some(played);
        }
        Shop | Deployed | Twice => {
            env.git_cluster(&remote.url(), "      branch: main\n").write("postgres.yaml", POSTGRES);
            env.run("apply -f postgres.yaml").ok();
            env.run("create app shop --name Shop").ok();
        }
    }
    let deploy = |image: &str| {
        env.run(&format!("score deploy --app shop --env development --image busybox:{image}")).ok();
    };
    if matches!(start, Deployed | Twice) {
        deploy("1");
    }
    if matches!(start, Twice) {
        deploy("2");
    }
    let run = env.shell(script, &[("DNS", DNS), ("POSTGRES", POSTGRES)]);
    Case { run, env, remote, api }
}

#[test]
fn every_case_of_the_specification_holds() {
    for tool in ["bash", "jq", "yq"] {
        let found = Command::new(tool).arg("--version").stdout(Stdio::null()).status();
        assert!(found.is_ok_and(|status| status.success()), "{tool} is missing");
    }
    let rows = rows();
    let numbers: Vec<u8> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=76).collect::<Vec<u8>>());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let must = || (row.must)(&run(&row.start, row.script));
                    if std::panic::catch_unwind(must).is_err() {
                        failed.lock().unwrap().push(row.number);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    assert!(failed.is_empty(), "rows {failed:?} of spec/cli.md §9 do not hold");
}
