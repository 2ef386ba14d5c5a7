"""The API document and its page. Nothing is fetched from outside: agencies' networks are closed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from libs.refusals.faults import Refusal, RefusalKind

ASSETS = "/docs/assets"
_PACKAGE = "fastapi_swagger"  # brings the files of Swagger UI

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Swagger UI from the fastapi-swagger package's files."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="医疗保障经办接口",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon-32x32.png",
        # The validator badge would send the document to a public host.
        swagger_ui_parameters={"validatorUrl": None, "persistAuthorization": True},
    )


def install(app: FastAPI, openapi_file: Path) -> None:
    """Serve the merged document at ``/openapi.json`` and its page at ``/docs``."""
    app.openapi = lambda: _document(openapi_file)  # type: ignore[method-assign]
    app.include_router(router)
    app.mount(ASSETS, StaticFiles(packages=[(_PACKAGE, "resources")]), name="docs-assets")


@cache
def _document(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = "接口文档未随安装提供，请联系运行维护人员（make generate）。"
        raise Refusal(RefusalKind.UNAVAILABLE, "no_document", message) from error
    return document
