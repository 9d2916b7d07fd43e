"""Checks an OpenAPI document against the 3.1 schema, with the library that others use for it."""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
assert document["openapi"].startswith("3.1."), document["openapi"]
errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
if errors:
    sys.exit("\n".join(errors))
operations = sum(len([m for m in item if m in ("get", "post", "patch", "delete", "put")]) for item in document["paths"].values())
print(f"{sys.argv[1]}: valid OpenAPI {document['openapi']}, {len(document['paths'])} paths, {operations} operations")
