"""
Who is asking: from a request's credential to a principal.

Nothing in a request's body or query ever says who somebody is.
"""

from flask import g, request

from api.service import service
from api.tokens import Unauthenticated
from ledger.authority import Principal
from ledger.errors import NotAllowed

__all__ = ["Unauthenticated", "current_principal", "name_of", "record_refusal", "require_reader"]


def current_principal() -> Principal:
    """
    Whom the request's bearer token stands for.

    Raises:
        Unauthenticated: where there is none, or one that opens nothing here.
    """
    if "principal" not in g:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise Unauthenticated("send a token: Authorization: Bearer lg_..., made with `lastgood token create`")
        g.principal = service().tokens.principal(text.strip())
    principal: Principal = g.principal
    return principal


def require_reader() -> Principal:
    """
    The principal, who may read.

    Raises:
        Unauthenticated, NotAllowed.
    """
    principal = current_principal()
    if not principal.may_read:
        raise NotAllowed("this token holds no role, so it may not read: make one with `lastgood token create --role`")
    return principal


def record_refusal(principal: Principal, reason: str) -> None:
    """Records `access.refused` in the background: at most once a minute a principal and reason."""
    service().refusals.record(principal, reason)


def name_of(principal_id: str) -> str | None:
    """The name of a principal, None where none is kept. Show it only to those who may see it."""
    return service().tokens.name_of(principal_id)
