"""Settings of the gateway. Environment variables ``YIBAO_<NAME>``, as for every service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from libs.runtime.migrations import REPOSITORY_ROOT
from libs.webapp.settings import PLACEHOLDER, ServiceSettings


class GatewaySettings(ServiceSettings):
    """What the gateway needs beyond the settings of every service."""

    token_private_key: SecretStr = SecretStr(PLACEHOLDER)
    """Ed25519 seed (base64, 32 bytes) that access tokens are signed with."""

    upstream_urls: dict[str, str] = {}
    """Service -> base URL (JSON object); not used where the services run in the same process."""

    upstream_connect_timeout_s: float = Field(default=2.0, gt=0)
    upstream_answer_timeout_s: float = Field(default=30.0, gt=0)
    """How long a service may be silent before the caller is told 504."""

    largest_body_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    """Larger request bodies are refused with 413."""

    sign_in_limit: str = "10/5 minutes"
    """Failed sign-ins allowed per user name or client, and per address, ten times that."""

    citizen_limit: str = "120/minute"
    officer_limit: str = "600/minute"
    system_limit: str = "6000/minute"
    anonymous_limit: str = "300/minute"
    """Requests allowed per caller, or per address without a token (notation of ``limits``)."""

    openapi_file: Path = REPOSITORY_ROOT / "openapi" / "gateway.json"
    """The merged document that ``/openapi.json`` serves; generated, see libs/runtime/generated.py."""
