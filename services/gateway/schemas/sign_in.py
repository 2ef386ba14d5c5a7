"""The token endpoint on the wire: OAuth 2.0 shapes (RFC 6749) with Chinese explanations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from libs.identifiers.credentials import CredentialType
from libs.webapp.problems import Problem

MINI_PROGRAM_CODE = "urn:yibao:params:oauth:grant-type:mini-program-code"

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=200)]
Scope = Annotated[str, Field(max_length=500, description="以空格分隔；不填即全部已授权的")]


class _Grant(BaseModel):
    # RFC 6749 §3.2: unknown parameters are ignored.
    model_config = ConfigDict(extra="ignore", frozen=True)


class ClientCredentialsGrant(_Grant):
    """Systems: hospitals, pharmacies, the national platform, other agencies."""

    grant_type: Literal["client_credentials"]
    client_id: Name
    client_secret: Secret
    scope: Scope | None = None


class PasswordGrant(_Grant):
    """Officers."""

    grant_type: Literal["password"]
    username: Name
    password: Secret


class MiniProgramCodeGrant(_Grant):
    """Citizens, through a mini-program backend that has verified who they are."""

    grant_type: Literal["urn:yibao:params:oauth:grant-type:mini-program-code"]
    client_id: Name
    client_secret: Secret
    code: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[\x21-\x7e]*$")] = Field(
        description="后台以其登记的Ed25519私钥签发的JWT，只能使用一次"
    )


TokenRequest = Annotated[
    ClientCredentialsGrant | PasswordGrant | MiniProgramCodeGrant, Field(discriminator="grant_type")
]


class CodeClaims(BaseModel):
    """What is inside a mini-program backend's code. ``exp`` is at most 5 minutes after ``iat``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    iss: Name = Field(description="client_id of the backend")
    aud: Literal["yibao-gateway"]
    jti: Name = Field(description="a new value for every code")
    iat: Annotated[int, Field(ge=0, le=253_402_300_799)]  # up to the year 9999
    exp: Annotated[int, Field(ge=0, le=253_402_300_799)]
    credential_type: CredentialType
    credential_no: Annotated[str, Field(min_length=2, max_length=40)]
    name: Name


class TokenAnswer(BaseModel):
    """RFC 6749 §5.1. ``expires_in`` in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    scope: str = ""


class SignInProblem(Problem):
    """Problem details with the members RFC 6749 §5.2 asks for."""

    error: str
    error_description: str
