"""Settings of the gateway besides those every service has."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from libs.runtime.migrations import REPOSITORY_ROOT
from libs.webapp.settings import PLACEHOLDER, ServiceSettings


class GatewaySettings(ServiceSettings):
    """Keys, upstreams and limits. A limit is written ``120/minute`` (notation of ``limits``)."""

    token_private_key: SecretStr = SecretStr(PLACEHOLDER)
    """Ed25519 seed (base64, 32 bytes) that access tokens are signed with."""

    upstream_urls: dict[str, str] = Field(default_factory=dict)
    """Service -> base URL (JSON object); not used where the services run in the same process."""

    upstream_connect_timeout_s: float = Field(default=2.0, gt=0)
    """Seconds to wait for a connection to a service before the caller is told 503."""

    upstream_answer_timeout_s: float = Field(default=30.0, gt=0)
    """Seconds a service may be silent before the caller is told 504."""

    largest_body_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    """Larger request bodies are refused with 413."""

    sign_in_limit: str = "10/5 minutes"
    """Passwords that may be tried for one user name before the right one."""

    sign_in_address_limit: str = "100/5 minutes"
    """Wrong passwords and client secrets allowed from one address."""

    citizen_limit: str = "120/minute"
    """Requests allowed to one citizen."""

    officer_limit: str = "600/minute"
    """Requests allowed to one officer."""

    system_limit: str = "6000/minute"
    """Requests allowed to one system, and signed messages from one address."""

    anonymous_limit: str = "300/minute"
    """Requests without a token allowed from one address."""

    openapi_file: Path = REPOSITORY_ROOT / "openapi" / "gateway.json"
    """The merged document that ``/openapi.json`` serves; generated (libs/runtime/generated.py)."""
