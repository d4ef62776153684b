"""Holds the objects in YAML files that are of Kubernetes' own kinds against its schemas."""

import sys

import kubernetes_validate
import yaml

count = 0
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        for document in yaml.safe_load_all(file):
            if document["apiVersion"] == "v1":
                try:
                    kubernetes_validate.validate(document, "1.37", strict=True)
                except kubernetes_validate.ValidationError as error:
                    sys.exit(f"{name}: {document['kind']} {document['metadata']['name']}: {error.message}")
                count += 1
if count == 0:
    sys.exit("there is none")
print(count)
