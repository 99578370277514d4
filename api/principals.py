"""
Who is asking: from a request's credential to a principal.

Nothing in a request's body or query ever says who somebody is.
"""

from collections.abc import Callable

from flask import g, request

from api.service import service
from api.tokens import Unauthenticated
from ledger.authority import Principal
from ledger.errors import NotAllowed

__all__ = ["Unauthenticated", "current_principal", "name_of", "record_refusal", "require_reader", "still_principal"]


def current_principal() -> Principal:
    """
    Whom the request's bearer token stands for.

    Raises:
        Unauthenticated: where there is none, or one that opens nothing here.
    """
    if "principal" not in g:
        g.principal = service().tokens.principal(_token())
    principal: Principal = g.principal
    return principal


def _token() -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated("send a token: Authorization: Bearer lg_..., made with `lastgood token create`")
    return text.strip()


def still_principal() -> Callable[[], bool]:
    """Tells, whenever it is called, whether the request's token still opens something: for answers that go on."""
    tokens, text = service().tokens, _token()

    def still() -> bool:
        try:
            return bool(tokens.principal(text).roles)
        except Unauthenticated:
            return False

    return still


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
