"""`GET /asyncapi.yaml`: what the hub sends over Kafka, for tools and for people."""

from fastapi import FastAPI
from fastapi.responses import Response

from schemas.asyncapi import as_yaml

MEDIA_TYPE = "application/vnd.aai.asyncapi+yaml"


def install(app: FastAPI, *, kafka: str, gateway: str, is_encrypted: bool) -> None:
    """Serve the document; arguments as `schemas.asyncapi.document`."""

    @app.get("/asyncapi.yaml", include_in_schema=False)
    def described() -> Response:
        return Response(as_yaml(kafka, gateway, is_encrypted=is_encrypted), media_type=MEDIA_TYPE)
