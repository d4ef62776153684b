//! Bodies, answers and cookies as tables.

use super::*;

fn response(status: u16, body: &str) -> DriverResponse {
    DriverResponse { status, set_cookie: None, body: body.as_bytes().to_vec() }
}

#[test]
fn inputs_are_sent_in_the_form_of_the_contract() {
    let object = |value: Value| value.as_object().unwrap().clone();
    let inputs = HttpInputs {
        res_type: "queue".to_owned(),
        resource: object(json!({"fifo": true})),
        values: object(json!({"region": "eu-west-3"})),
        secrets: object(json!({"account": {"key": "canary-key"}})),
    };
    assert_eq!(
        inputs.body().expose(),
        r#"{"driver":{"secrets":{"account":{"key":"canary-key"}},"values":{"region":"eu-west-3"}},"resource":{"fifo":true},"type":"queue"}"#
    );
    assert_eq!(format!("{inputs:?} {:?}", response(200, "canary")), "HttpInputs(queue) DriverResponse(200)");
}

#[test]
fn outputs_are_read_tolerantly() {
    let volume = json!({"location": "volumes", "data": {"name": "v"}});
    for (body, values, secrets, manifests) in [
        (json!({}), json!({}), json!({}), json!([])),
        (json!({"resource": null, "manifests": null}), json!({}), json!({}), json!([])),
        (
            json!({"id": "1", "type": "queue", "resource": {"values": {"a": 1}, "secrets": {"b": "x"}}, "new": 1}),
            json!({"a": 1}),
            json!({"b": "x"}),
            json!([]),
        ),
        (
            json!({"manifests": [{"location": "volume", "manifest": {"name": "v"}}]}),
            json!({}),
            json!({}),
            json!([volume]),
        ),
        (json!({"manifests": [{"location": "volumes", "data": "name: v"}]}), json!({}), json!({}), json!([volume])),
    ] {
        let Ok(Answer::Done(found)) = read_put(&response(200, &body.to_string())) else { panic!("{body}") };
        let found = (Value::Object(found.values), Value::Object(found.secrets), Value::Array(found.manifests));
        assert_eq!(found, (values, secrets, manifests), "{body}");
    }
}

#[test]
fn what_is_no_success_says_what_to_do() {
    let texts: Vec<String> = [
        response(400, r#"{"error": "RES-104", "message": "no such region\nError: not ours"}"#),
        response(400, ""),
        response(401, ""),
        response(404, "<html>\nnot found"),
        response(409, r#"{"status": "updating", "estimated_completion_time": "2026-01-01T00:00:00Z"}"#),
        response(409, r#"{"error": "RES-109", "message": "busy"}"#),
        response(422, "bad json"),
        response(302, ""),
        response(503, "\"later\""),
        response(204, ""),
        response(200, "{\"resource\": canary}"),
        response(200, "[]"),
        response(200, r#"{"resource": []}"#),
        response(200, r#"{"resource": {"values": "canary"}}"#),
        response(200, r#"{"manifests": {}}"#),
        response(200, r#"{"manifests": [{"location": "volume"}]}"#),
        response(200, r#"{"manifests": [{"location": "nowhere", "data": {}}]}"#),
        response(
            200,
            r#"{"manifests": [{"location": "volume", "data": {"name": "v"}}, {"location": "volumes", "data": {"name": "v"}}]}"#,
        ),
    ]
    .iter()
    .map(|response| read_put(response).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(texts.join("\n"), @"
    it refuses for good (HTTP-400)
      driver: RES-104: no such region
      driver: Error: not ours
      hint: correct what it gets: the inputs of the Definition, or the values and the cookie of an inputs file
    it refuses for good (HTTP-400)
      hint: correct what it gets: the inputs of the Definition, or the values and the cookie of an inputs file
    it asks for credentials of the caller (HTTP-401)
      hint: none are sent: let it accept calls without a token, from here at least
    there is no Driver at this address (HTTP-404)
      driver: <html>
      hint: the address is the `target` of the Driver, to which the resource's id is added
    it is at work on this resource with other inputs, and cannot stop (HTTP-409)
      driver: updating, done at about 2026-01-01T00:00:00Z
      hint: wait until it has ended, then run the same again
    it is at work on this resource with other inputs, and cannot stop (HTTP-409)
      driver: RES-109: busy
      hint: wait until it has ended, then run the same again
    it cannot read the request (HTTP-422)
      driver: bad json
      hint: it must accept JSON with `type`, `resource` and `driver`; see its own log
    it answers with a status that the contract does not have (HTTP-302)
      hint: it must answer 200, 202 or 400 to PUT, and 204, 202 or 400 to DELETE
    it has failed (HTTP-503)
      driver: later
      hint: see its own log; then run the same again, which a Driver must allow
    it answers with a status that the contract does not have (HTTP-204)
      hint: it must answer 200, 202 or 400 to PUT, and 204, 202 or 400 to DELETE
    its answer cannot be used: it is no JSON at line 1, column 14
      hint: it must be {id, type, resource: {values, secrets}, manifests: [{location, data}]}
    its answer cannot be used: it is a list, and has to be a mapping
      hint: it must be {id, type, resource: {values, secrets}, manifests: [{location, data}]}
    its answer cannot be used: `resource` is a list, and has to be a mapping
      hint: it must be {id, type, resource: {values, secrets}, manifests: [{location, data}]}
    its answer cannot be used: `resource.values` is text, and has to be a mapping
      hint: it must be {id, type, resource: {values, secrets}, manifests: [{location, data}]}
    its answer cannot be used: `manifests` is a mapping, and has to be a list
      hint: it must be {id, type, resource: {values, secrets}, manifests: [{location, data}]}
    its answer cannot be used: manifests.0: it has no `data`
    its answer cannot be used: manifests.0: there is no location `nowhere`
      hint: known are cluster, containers, namespace, volumes
    its answer cannot be used: `manifests.0` and `manifests.1` both make a volume named `v`
      hint: names are unique in a pod; ${context.res.guresid} with a suffix makes good ones
    ");
    assert!(!texts.concat().contains("canary"));
}

#[test]
fn statuses_of_a_delete() {
    for (status, expected) in [
        (204, Ok(Answer::Done(Deleted::Now))),
        (404, Ok(Answer::Done(Deleted::Before))),
        (202, Ok(Answer::Running(ProgressHint::default()))),
        (400, Err(FailureKind::Refused)),
        (409, Err(FailureKind::Busy)),
        (500, Err(FailureKind::Unavailable)),
        (200, Err(FailureKind::Unexpected)),
    ] {
        let found = read_delete(&response(status, "")).map_err(|error| match error {
            HttpDriverError::Failed { kind, .. } => kind,
            other => panic!("{other}"),
        });
        assert_eq!(found, expected, "{status}");
    }
}

#[test]
fn hints_are_read_as_far_as_they_can_be() {
    let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let noon = "2026-01-01T12:00:00Z";
    for (body, expected) in [
        ("", ProgressHint::default()),
        ("[]", ProgressHint::default()),
        (r#"{"status": 1, "timeout": "soon"}"#, ProgressHint::default()),
        (r#"{"status": "creating"}"#, ProgressHint { status: Some("creating".to_owned()), ..ProgressHint::default() }),
        (
            r#"{"timeout_deadline": "2026-01-01T13:00:00+01:00"}"#,
            ProgressHint { timeout: time(noon), ..ProgressHint::default() },
        ),
        (
            r#"{"estimated_completion_time": "2026-01-01T12:00:00", "timeout": "2026-01-01T12:00:00Z", "current_time": "2026-01-01T12:00:00.5Z"}"#,
            ProgressHint {
                status: None,
                estimated_completion_time: time(noon),
                timeout: time(noon),
                current_time: time("2026-01-01T12:00:00.5Z"),
            },
        ),
    ] {
        assert_eq!(ProgressHint::read(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn a_cookie_is_set_replaced_cleared_and_kept() {
    let long = "x".repeat(MAX_COOKIE);
    let too_long = "x".repeat(MAX_COOKIE + 1);
    for (before, header, expected) in [
        ("", Some("a"), Ok("a")),
        ("a", Some("b"), Ok("b")),
        ("a", Some(""), Ok("")),
        ("a", None, Ok("a")),
        ("", None, Ok("")),
        ("a", Some(long.as_str()), Ok(long.as_str())),
        ("a", Some(too_long.as_str()), Err(CookieError::TooLong(MAX_COOKIE + 1))),
        ("a", Some("b\r\nX: y"), Err(CookieError::Unprintable)),
    ] {
        let mut cookie = DriverCookie::new(before).unwrap();
        let found = cookie.answered(header.map(str::as_bytes));
        assert_eq!(found, expected.map(|_| ()), "{before} {header:?}");
        let kept = expected.unwrap_or(before);
        assert_eq!(cookie.text().map(SecretValue::expose).unwrap_or_default(), kept);
    }
    let mut cookie = DriverCookie::new("a").unwrap();
    assert_eq!(cookie.answered(Some(b"\xff")), Err(CookieError::Unprintable));
    cookie.reset();
    assert_eq!(cookie, DriverCookie::default());
}

#[test]
fn no_secret_is_left_in_what_a_driver_says() {
    let cookie = base64::engine::general_purpose::STANDARD.encode(r#"{"account": {"key": "canary-in-cookie"}}"#);
    let secrets = ["canary-long-one", "s3c", "4711", "x", "!"].map(SecretValue::new);
    let redactor = Redactor::new(&secrets, &[DriverCookie::new(&cookie).unwrap()]);
    for (text, expected) in [
        ("denied for canary-long-one", "denied for [secret]"),
        ("denied for canary-in-cookie", "denied for [secret]"),
        (&format!("cookie {cookie}"), "cookie [secret]"),
        ("as3cb", "a[secret]b"),
        ("pin 4711.", "pin [secret]."),
        ("x next xx x", "[secret] next xx [secret]"),
        ("nothing here", "nothing here"),
    ] {
        assert_eq!(redactor.redact(text), expected);
    }
}
