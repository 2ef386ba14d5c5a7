"""The one API document: the gateway's own routes and everything it forwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.routing import compile_path

from libs.webapp.openapi_merge import METHODS, merge
from services.gateway.domain import TAKE_APPLICATIONS
from services.gateway.routes.forwarding import RULES, Rule

Document = dict[str, Any]

_TOKEN_URL = "/v1/auth/token"
_SECURITY_SCHEMES: Document = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "POST /v1/auth/token取得的访问令牌，30分钟有效。",
    },
    "oauth2": {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {"tokenUrl": _TOKEN_URL, "scopes": {}},
            "password": {"tokenUrl": _TOKEN_URL, "scopes": {}},
        },
    },
}


class UnreachableOperationError(ValueError):
    """A service documents an operation that the gateway does not forward to it."""


def unite(title: str, version: str, own: Document, services: Mapping[str, Document]) -> Document:
    """The public document. Raises UnreachableOperationError, MergeConflictError."""
    for service, document in services.items():
        for path, item in document["paths"].items():
            for method in set(METHODS) & set(item):
                _require_forwarded(service, method, path)
    merged = merge(title, version, {"gateway": own, **services})
    for path, item in merged["paths"].items():
        for method in set(METHODS) & set(item):
            item[method]["security"] = _security(method, path, is_own=path in own["paths"])
    merged["components"]["securitySchemes"] = _SECURITY_SCHEMES
    return merged


def _require_forwarded(service: str, method: str, path: str) -> None:
    rule = _rule_for(method, path)
    owners = (rule.to,) if rule and isinstance(rule.to, str) else TAKE_APPLICATIONS
    if rule is None or service not in owners:
        raise UnreachableOperationError(f"{method.upper()} {path} of {service} is not forwarded to it")


def _security(method: str, path: str, *, is_own: bool) -> list[Document]:
    rule = _rule_for(method, path)
    if is_own or (rule and rule.signed):
        return []
    return [{"bearer": []}, {"oauth2": []}]


def _rule_for(method: str, path: str) -> Rule | None:
    for rule in RULES:
        fits_method = rule.methods is None or method.upper() in rule.methods
        if fits_method and compile_path(rule.path)[0].match(path):
            return rule
    return None
