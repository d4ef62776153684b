"""What schemathesis has to know about this API: real ids, and our own checks.

Loaded through SCHEMATHESIS_HOOKS. HUMCTL_IDS names a JSON file with ids that
exist, by the name of the path parameter.
"""

import collections
import json
import os
from urllib.parse import urlsplit

import schemathesis

with open(os.environ["HUMCTL_IDS"], encoding="utf-8") as file:
    IDS = json.load(file)

# What is needed by all that follows is not deleted: some of these are spare,
# others in use.
DELETED = {
    "/orgs/{orgId}/apps/{appId}": {"appId": ["spare"]},
    "/orgs/{orgId}/apps/{appId}/envs/{envId}": {"envId": ["spare"]},
    "/orgs/{orgId}/env-types/{envTypeId}": {"envTypeId": ["spare", "staging", "staging"]},
    "/orgs/{orgId}/resources/defs/{defId}": {"defId": ["spare", "pg-team"]},
    "/orgs/{orgId}/resources/types/{typeId}": {"typeId": ["local%2Fspare", "postgres"]},
    "/orgs/{orgId}/resources/drivers/{driverId}": {"driverId": ["spare"]},
    "/orgs/{orgId}/apps/{appId}/values": {"appId": ["spare"]},
    "/orgs/{orgId}/apps/{appId}/values/{key}": {"key": ["SPARE"]},
    "/orgs/{orgId}/apps/{appId}/envs/{envId}/values": {"envId": ["staging"]},
    "/orgs/{orgId}/apps/{appId}/envs/{envId}/values/{key}": {"envId": ["development"], "key": ["SPARE"]},
}

# Where our answers differ from the document on purpose. Each has its reason;
# nothing else is let through.
#
# - 501 with the standard error body: what a Git target cannot do (runtime,
#   logs, pipeline runs) says so instead of pretending.
# - A status that the document does not list carries the standard error body:
#   the document lists few of those that its own prose names, such as 401 or 409.
#   So schemathesis' `status_code_conformance` is off and `listed_or_standard`
#   below stands in.
# - A 204 has no body, whatever the document gives it: HTTP has none
#   (`before_load_schema` below).
# - `negative_data_rejection` and `positive_data_acceptance` are off: the
#   document's schemas leave out patterns of ids, and what is unknown in a body
#   is ignored as the hosted API does.
NOT_SUPPORTED = 501


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                operation.get("responses", {}).get("204", {}).pop("content", None)


turns = collections.Counter()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts in what exists, but for every fourth case of an operation, which stays as it was made up."""
    path, method = case.operation.path, case.method.upper()
    turn = turns[method, path]
    turns[method, path] += 1
    if turn % 4 == 3:
        return
    deleted = DELETED.get(path, {}) if method == "DELETE" else {}
    level = "env" if "/envs/{envId}/" in path else "app"
    for name in list(case.path_parameters or {}):
        ids = deleted.get(name) or IDS.get(f"{level}:{name}") or IDS.get(name)
        if ids:
            case.path_parameters[name] = ids[turn % len(ids)]
    # Bodies name things that exist too, half of the time.
    if method != "POST" or turn % 2:
        return
    if path.endswith("/deploys") and isinstance(case.body, dict):
        case.body = {"set_id": IDS["setId"][0], "comment": "conformance"}
    elif path.endswith(("/resources/graph", "/resources/graphs")) and isinstance(case.body, list):
        case.body = IDS["resources"]


def is_standard(body):
    """The standard error body of the document."""
    return (
        isinstance(body, dict)
        and isinstance(body.get("error"), str)
        and isinstance(body.get("message"), str)
        and set(body) <= {"error", "message", "details"}
    )


@schemathesis.check
def listed_or_standard(context, response, case):
    """A status that the document does not list carries the standard error body."""
    status = response.status_code
    listed = case.operation.definition.raw.get("responses", {})
    if str(status) in listed and case.method.upper() == case.operation.method.upper():
        return
    assert status >= 400, f"the document does not list {status}, which is no error"
    kind = response.headers.get("content-type", [""])[0]
    assert kind.split(";")[0] == "application/json", f"{status} has content type {kind!r}"
    assert is_standard(json.loads(response.content)), f"{status} has no standard error body: {response.content[:200]!r}"


@schemathesis.check
def no_crash(context, response, case):
    """No 5xx, and no answer without sense."""
    status = response.status_code
    assert status < 500 or status == NOT_SUPPORTED, f"{status}: {response.content[:500]!r}"
    if status == 204:
        assert not response.content, "204 has a body"
    elif response.content:
        json.loads(response.content.decode("utf-8"))
    assert response.headers.get("x-request-id"), "the answer has no request id"


@schemathesis.check
def nobody_without_token(context, response, case):
    """Without the token nothing is told but 401, whatever is asked."""
    if case.operation.path in asked:
        return
    asked.add(case.operation.path)
    address = urlsplit(response.request.url)
    import http.client

    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request(case.operation.method.upper(), address.path or "/")
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 401 and is_standard(json.loads(body)), f"without a token: {answer.status} {body[:200]!r}"
    assert answer.getheader("www-authenticate") == "Bearer", "401 without WWW-Authenticate"


asked = set()
