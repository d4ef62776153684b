//! What `-v` tells: requests and answers, and no secret.

use serde_json::json;

use crate::harness::{Answer, FakeApi, TestEnv};

fn api() -> FakeApi {
    let user = json!({"name": "Jo", "properties": {"api_token": "canary-answer"}});
    FakeApi::serve(move |_| Some(Answer::new(200, user.to_string()).header("Set-Cookie", "canary-cookie")))
}

#[test]
fn each_level_tells_more_and_stdout_stays() {
    let api = api();
    let mut env = TestEnv::new();
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "canary-token");
    let plain = env.run("api get /current-user?token=canary-query").ok().stdout;
    let line = "GET http://127.0.0.1:";
    for (level, has, has_not) in [
        (0, vec![], vec![line]),
        (5, vec![], vec![line]),
        (6, vec![line, "/base/current-user?token=[redacted]: 200 in "], vec!["> accept", "[redacted]}"]),
        (8, vec![line, "> authorization: [redacted]", "< set-cookie: [redacted]"], vec!["\"name\":\"Jo\""]),
        (9, vec![line, "< {\"name\":\"Jo\",\"properties\":{\"api_token\":\"[redacted]\"}}"], vec![]),
    ] {
        let run = env.run(&format!("api get /current-user?token=canary-query -v{level}"));
        assert_eq!((run.code, &run.stdout), (0, &plain));
        for text in has {
            assert!(run.stderr.contains(text), "-v{level} lacks {text}: {}", run.stderr);
        }
        for text in has_not {
            assert!(!run.stderr.contains(text), "-v{level} has {text}: {}", run.stderr);
        }
        assert!(!run.stderr.contains("canary"), "{}", run.stderr);
    }
}

#[test]
fn no_secret_is_traced_on_any_transport() {
    let api = FakeApi::serve(|_| Some(Answer::new(200, "{}")));
    let mut remote = TestEnv::new();
    remote.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "canary-token");
    let local = TestEnv::new();
    local.run("create app shop").ok();
    for env in [&remote, &local] {
        for (words, body) in [
            (
                "api post /orgs/local/resources/defs -f - -v9",
                "{\"id\":\"pg-one\",\"name\":\"n\",\"type\":\"postgres\",\"driver_type\":\"humanitec/echo\",\
                 \"driver_inputs\":{\"values\":{\"host\":\"shown\"},\"secrets\":{\"password\":\"canary-1\"}}}",
            ),
            (
                "api post /orgs/local/apps/shop/values -f - -v9",
                "{\"key\":\"KEY\",\"value\":\"canary-2\",\"description\":\"d\",\"is_secret\":true}",
            ),
            (
                "api put /orgs/local/apps/shop/values/KEY -f - -v9",
                "{\"value\":\"canary-3\",\"description\":\"shown\",\"is_secret\":true}",
            ),
            (
                "api post /orgs/local/resources/accounts -f - -v9",
                "{\"id\":\"acc\",\"credentials\":{\"a\":\"canary-4\"}}",
            ),
            ("api post /orgs/local/registries -f - -v9", "{\"creds\":{\"username\":\"canary-5\"}}"),
            ("api post /orgs/local/apps/shop/pipelines -f - -v9", "name: canary-6\n"),
            ("api post /orgs/local/keys -f - -v9", "\"canary-7\""),
        ] {
            let run = env.run_with_stdin(words, body);
            assert!(!run.stderr.contains("canary"), "{words}: {}", run.stderr);
            assert!(
                run.stderr.contains(&format!("[{} bytes]", body.len())) || run.stderr.contains("[redacted]"),
                "{words}: {}",
                run.stderr
            );
        }
    }
}
