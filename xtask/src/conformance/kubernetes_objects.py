"""Holds the objects in YAML files, and in those below directories, against the schemas of Kubernetes.

Objects of API groups that Kubernetes does not have are passed over and counted. Prints JSON.
"""

import functools
import json
import os
import sys

import kubernetes_validate
import yaml
from kubernetes_validate import utils

VERSION = utils.latest_version()

# The schemas of all kinds are one large file, which would be read for each object.
utils.schema_contents = functools.cache(utils.schema_contents)
definitions = utils.schema_contents(f"kubernetes-json-schema/v{VERSION}-local-strict/_definitions.json", VERSION)
KINDS = {
    (kind["group"], kind["version"], kind["kind"])
    for schema in definitions["$defs"].values()
    for kind in schema.get("x-kubernetes-group-version-kind", [])
}
GROUPS = {group for group, _, _ in KINDS}


def files():
    for name in sys.argv[1:]:
        if os.path.isdir(name):
            yield from (os.path.join(place, file) for place, _, names in sorted(os.walk(name)) for file in sorted(names))
        else:
            yield name


def check(document):
    """What is wrong with an object; nothing when it is valid."""
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return "/" + "/".join(map(str, error.path)) + ": " + error.message
    return None


# A validator that takes anything would be no proof.
for spec in ({"replicas": "2"}, {"replica": 2}, {}):
    pods = {"selector": {}, "template": {"spec": {"containers": [{"name": "main"}]}}} if spec else {}
    if check({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "bad"}, "spec": {**pods, **spec}}) is None:
        sys.exit(f"kubernetes-validate takes a Deployment with {spec}")

valid, passed_over, invalid = 0, {}, []
for name in files():
    with open(name, encoding="utf-8") as file:
        documents = list(yaml.load_all(file, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader))
    for document in documents:
        group, _, version = document["apiVersion"].rpartition("/")
        kind = document["kind"]
        what = f"{name}: {document['apiVersion']} {kind} {document['metadata']['name']}"
        if group not in GROUPS:
            passed_over[f"{group} {kind}"] = passed_over.get(f"{group} {kind}", 0) + 1
        elif (group, version, kind) not in KINDS:
            invalid.append(f"{what}: Kubernetes {VERSION} has no such kind")
        elif error := check(document):
            invalid.append(f"{what}: {error}")
        else:
            valid += 1
print(json.dumps({"valid": valid, "passed_over": passed_over, "invalid": invalid}))
