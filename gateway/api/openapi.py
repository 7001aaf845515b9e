"""The description at `/openapi.json`: what FastAPI generates, and what only we know.

`openapi.yaml` beside this module describes the bare endpoints, every answer and every problem; the
event types come from the catalogue. The merged document is made once a process.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

from gateway.api import call_scopes, documented
from schemas import envelope, json_schema
from schemas.agreement_schema import document_schema
from schemas.catalogue import EventType, catalogue

VERSION: Final = "3.1.0"


def install(app: FastAPI, public_url: str) -> None:
    """Serve the description of an application, once its routes are all there."""

    @app.get("/openapi.json", include_in_schema=False)
    def description() -> Response:
        return Response(_described(app, public_url), media_type="application/json")


def describe(app: FastAPI, public_url: str) -> dict[str, Any]:
    """The whole description as data."""
    written = _written()
    info = written["info"]
    generated = get_openapi(
        title=info["title"], version=info["version"], openapi_version=VERSION, routes=app.routes
    )
    components = generated.get("components", {})
    for kind, entries in written["components"].items():
        components[kind] = {**components.get(kind, {}), **entries}
    for path, operations in generated.get("paths", {}).items():
        if not path.startswith("/v1/"):
            # The issuer's own routes are how one gets a token.
            for operation in operations.values():
                operation.setdefault("security", [])
    components["schemas"] |= _event_schemas(components["schemas"])
    components["schemas"]["AgreementDocument"] = document_schema()
    paths = {**generated.get("paths", {}), **written["paths"]}
    for path, operations in paths.items():
        for method, operation in operations.items():
            is_public = operation.get("security") == []
            if not is_public:
                operation["security"] = call_scopes.security(method, path)
            documented.complete(operation, is_public=is_public)
    components["securitySchemes"]["oauth"]["flows"]["clientCredentials"]["scopes"] = (
        call_scopes.described()
    )
    return {
        "openapi": VERSION,
        "info": info,
        "servers": [{"url": public_url}],
        "security": written["security"],
        "paths": paths,
        "components": components,
    }


def _event_schemas(others: dict[str, Any]) -> dict[str, Any]:
    """The event types, the data of each, and a submitted event whose data follow from its type.

    Raises:
        ValueError: a record or code list is called like a schema of the interface.
    """
    data = json_schema.components()
    if same := others.keys() & data.keys():
        raise ValueError(f"two schemas are called {', '.join(sorted(same))}")
    sent = [one for one in catalogue().all() if not one.hub_only]
    submitted = others["SubmittedEvent"]
    return {
        **data,
        "EventTypeName": _names(catalogue().all()),
        "SubmittedTypeName": _names(sent),
        "SubmittedEvent": {**submitted, "allOf": [_data_of(one) for one in sent]},
    }


def _names(events: Iterable[EventType]) -> dict[str, Any]:
    return {"type": "string", "enum": [envelope.event_type(one.name) for one in events]}


def _data_of(event: EventType) -> dict[str, Any]:
    """That an event of this type holds the data of this type."""
    is_type = {"properties": {"type": {"const": envelope.event_type(event.name)}}}
    schema = {"$ref": f"{json_schema.PREFIX}{event.record}"}
    return {"if": is_type, "then": {"properties": {"data": schema}}}


@cache
def _described(app: FastAPI, public_url: str) -> bytes:
    return orjson.dumps(describe(app, public_url))


def _written() -> dict[str, Any]:
    text = (files("gateway.api") / "openapi.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document
