"""Sign-in: the three grants, each ending in a token or in SignInRefusedError.

No connection is held while argon2 works: look up, verify, then (codes only) mark as used.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import ValidationError
from sqlalchemy import Row

from libs.casework.clock import SystemClock
from libs.identifiers.credentials import Credential, clean, faults_of
from libs.webapp.callers import ALGORITHM, Caller, CallerKind
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.gateway import domain, repository
from services.gateway.domain import CodeLife, SignInRefusedError
from services.gateway.schemas.sign_in import (
    ClientCredentialsGrant,
    CodeClaims,
    MiniProgramCodeGrant,
    PasswordGrant,
    TokenAnswer,
    TokenRequest,
)
from services.gateway.service.limits import Limits
from services.gateway.service.secrets import is_right
from services.gateway.service.tokens import LIFE_S, TokenIssuer


class SignIn:
    """Grants tokens. The lives of codes and tokens go by the machine's clock (see TokenIssuer)."""

    def __init__(self, resources: Resources, issuer: TokenIssuer, limits: Limits) -> None:
        self._database = resources.database
        self._protector = resources.protector
        self._issuer = issuer
        self._limits = limits
        self._clock = SystemClock()

    async def grant(self, asked: TokenRequest, address: str) -> TokenAnswer:
        """A token for what ``asked`` shows. Raises SignInRefusedError, TooManyRequestsError."""
        await self._limits.require_trusted(address)
        match asked:
            case ClientCredentialsGrant():
                caller = await self._system(asked, address)
            case PasswordGrant():
                caller = await self._officer(asked, address)
            case MiniProgramCodeGrant():
                caller = await self._citizen(asked, address)
        scope = " ".join(sorted(caller.scopes))
        return TokenAnswer(access_token=self._issuer.issue(caller), expires_in=LIFE_S, scope=scope)

    async def _system(self, asked: ClientCredentialsGrant, address: str) -> Caller:
        client = await self._client(asked, address)
        if client.kind != "system":
            raise SignInRefusedError(
                "unauthorized_client", "小程序后台不能以系统身份取得令牌，请使用code方式。"
            )
        return Caller(
            kind=CallerKind.SYSTEM,
            subject=client.client_id,
            name=client.name,
            regions=tuple(client.regions),
            scopes=domain.granted_scopes(asked.scope, client.scopes),
        )

    async def _officer(self, asked: PasswordGrant, address: str) -> Caller:
        await self._limits.count_guess(asked.username)
        async with self._database.transaction(()) as session:
            officer = await repository.find_officer(session, asked.username)
        stored = officer.password_hash if officer else None
        if not await is_right(asked.password.get_secret_value(), stored) or officer is None:
            await self._limits.count_wrong_secret(address)
            raise SignInRefusedError("invalid_grant", "用户名或口令不对。")
        await self._limits.forget_guesses(asked.username)
        return Caller(
            kind=CallerKind.OFFICER,
            subject=officer.username,
            name=officer.name,
            regions=tuple(officer.regions),
            roles=frozenset(officer.roles),
            office=officer.office,
        )

    async def _citizen(self, asked: MiniProgramCodeGrant, address: str) -> Caller:
        client = await self._client(asked, address)
        if client.kind != "mini_program":
            raise SignInRefusedError("unauthorized_client", "此客户端未登记为小程序后台，不能使用code方式。")
        claims = _verified_claims(asked.code, client)
        credential = _credential(claims)
        now, life = self._clock.now(), _life(claims)
        domain.require_short_life(life, now)
        async with self._database.transaction(()) as session:
            fresh = await repository.use_code(session, client.client_id, claims.jti, life.expires_at, now)
        if not fresh:
            raise SignInRefusedError("invalid_grant", "此code已使用过，每个code只能使用一次，请重新签发。")
        return Caller(
            kind=CallerKind.CITIZEN,
            subject=self._protector.blind_index(credential.canonical),
            name=claims.name,
            regions=ALL_REGIONS,
        )

    async def _client(self, asked: ClientCredentialsGrant | MiniProgramCodeGrant, address: str) -> Row[Any]:
        async with self._database.transaction(()) as session:
            client = await repository.find_client(session, asked.client_id)
        stored = client.secret_hash if client else None
        if not await is_right(asked.client_secret.get_secret_value(), stored) or client is None:
            await self._limits.count_wrong_secret(address)
            raise SignInRefusedError("invalid_client", "client_id或client_secret不对。")
        return client


def _verified_claims(code: str, client: Row[Any]) -> CodeClaims:
    raw = base64.urlsafe_b64encode(base64.b64decode(client.public_key)).rstrip(b"=").decode()
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": raw})
    try:
        claims = CodeClaims.model_validate(jwt.decode(code, key, algorithms=[ALGORITHM]).claims)
    except ValidationError as error:
        _refuse_code(f"code缺少或写错：{'、'.join(str(fault['loc'][0]) for fault in error.errors())}")
    except (JoseError, ValueError):
        _refuse_code("code的签名不对：须以登记的Ed25519密钥签发（alg为Ed25519）")
    if claims.iss != client.client_id:
        _refuse_code("code的iss应为client_id")
    return claims


def _credential(claims: CodeClaims) -> Credential:
    faults = faults_of(claims.credential_type, claims.credential_no, "/code/credential_no")
    if faults:
        raise SignInRefusedError("invalid_grant", "code中的证件号码有误。", tuple(faults))
    return Credential(claims.credential_type, clean(claims.credential_no))


def _life(claims: CodeClaims) -> CodeLife:
    return CodeLife(*(dt.datetime.fromtimestamp(moment, dt.UTC) for moment in (claims.iat, claims.exp)))


def _refuse_code(what: str) -> NoReturn:
    raise SignInRefusedError("invalid_grant", f"{what}。")
