"""The OpenAPI description of the service."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from .common import PREFIX
from .routes import control

PUBLIC = (f"{PREFIX}/versions",)
"""Addresses of the service that need no credentials."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    from fastapi.openapi.utils import get_openapi
    from pydantic.json_schema import models_json_schema

    from .response_models import ANSWERS, Errors

    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    models = [(model, "serialization") for model in {Errors, *ANSWERS.values()}]
    _, definitions = models_json_schema(
        models,  # type: ignore[arg-type]
        ref_template="#/components/schemas/{model}",
    )
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {}).update(definitions.get("$defs", {}))
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "instance": {"type": "apiKey", "in": "header", "name": "Service-CRN"},
    }
    for (method, path), model in ANSWERS.items():
        success = schema["paths"][PREFIX + path][method]["responses"]["200"]
        reference = {"$ref": f"#/components/schemas/{model.__name__}"}
        success["content"] = {"application/json": {"schema": reference}}
    for path, operations in schema["paths"].items():
        if path in PUBLIC:
            continue
        for operation in operations.values():
            # what FastAPI says of validation errors; ours have the shape of all others
            operation["responses"].pop("422", None)
            if path.startswith(PREFIX):
                operation["security"] = [{"bearer": [], "instance": []}]
            elif path.startswith(control.PREFIX):
                operation["security"] = [{"bearer": []}]
    return schema
