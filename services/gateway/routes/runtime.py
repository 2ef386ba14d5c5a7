"""What the gateway's requests share; made once by app.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, cast

from fastapi import Depends, Request

from libs.catalogue.lookup import Catalogues
from libs.webapp.callers import NotSignedInError, bearer_token
from libs.webapp.edge import Resources
from libs.webapp.settings import secret_bytes
from services.gateway.service.limits import Limits
from services.gateway.service.sign_in import SignIn
from services.gateway.service.tokens import RememberingVerifier, TokenIssuer
from services.gateway.service.upstreams import Upstreams
from services.gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    resources: Resources
    settings: GatewaySettings
    upstreams: Upstreams
    limits: Limits
    issuer: TokenIssuer
    verifier: RememberingVerifier
    sign_in: SignIn

    @classmethod
    def of(cls, resources: Resources, settings: GatewaySettings, upstreams: Upstreams) -> Gateway:
        """Put the parts together."""
        limits = Limits(settings)
        issuer = TokenIssuer(secret_bytes(settings.token_private_key))
        return cls(
            resources=resources,
            settings=settings,
            upstreams=upstreams,
            limits=limits,
            issuer=issuer,
            verifier=RememberingVerifier(resources.tokens),
            sign_in=SignIn(resources, issuer, limits),
        )

    @cached_property
    def catalogues(self) -> Catalogues:
        """All editions; read when first asked for."""
        return Catalogues(self.settings.edition_pins)


def gateway_of(request: Request) -> Gateway:
    """The running gateway."""
    return cast(Gateway, request.app.state.gateway)


def address_of(request: Request) -> str:
    """Network address the request came from; a proxy in front is the server's business (uvicorn)."""
    return request.client.host if request.client else "unknown"


async def count_visitor(request: Request) -> None:
    """Count a request to a public route: for the caller where a good token is shown, else the address.

    Raises TooManyRequestsError.
    """
    gateway = gateway_of(request)
    try:
        caller = gateway.verifier.caller_of(bearer_token(request))
    except NotSignedInError:
        await gateway.limits.count_address(address_of(request))
    else:
        await gateway.limits.count_caller(caller)


GatewayDep = Annotated[Gateway, Depends(gateway_of)]
