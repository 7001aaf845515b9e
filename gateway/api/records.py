"""`GET /v1/records`: the caller's own exchange records, with what proves them.

Any client of a participant may read them: they hold ids, times and hashes of what the participant
itself sent. An auditor reads anybody's, the hub's own too, without salts.
`schakel verify` checks them without the hub.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request

from gateway import errors
from gateway.api import parameters
from gateway.api.authentication import principal_with, require_scope
from gateway.api.collaborators import TokenVerifier
from gateway.api.cursors import invalid_cursor
from gateway.api.documented import refusals
from gateway.exchange.exchange_records import ExchangeRecords, Proven
from gateway.exchange.stored_tree import SignedHead
from gateway.oauth.verifier import Principal
from schemas.errors import Message
from schemas.moments import to_rfc3339

PUBLIC: Final[dict[str, Any]] = {"security": []}
AUDIT_SCOPE: Final = "sj_audit"
LARGEST: Final = 2**53 - 1
_FORM: Final = struct.Struct(">BQQQ4s")
_VERSION: Final = 1


class Cursor(NamedTuple):
    """Where a page ended: in which account, after which record, under which head."""

    first: int
    after: int
    tree_size: int

    def encoded(self, participant: str) -> str:
        """Opaque text; no secret, and refused for another participant."""
        packed = _FORM.pack(_VERSION, *self, _check(participant))
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def cursor_from(participant: str, text: str) -> Cursor:
    """The cursor that a text encodes.

    Raises:
        InvalidCursor: 400, it was not made here, or for another participant.
    """
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        version, first, after, tree_size, check = _FORM.unpack(packed)
    except (binascii.Error, ValueError, struct.error) as error:
        raise invalid_cursor() from error
    if version != _VERSION or check != _check(participant) or max(after, tree_size) > LARGEST:
        raise invalid_cursor()
    return Cursor(first, after, tree_size)


def router(*, records: ExchangeRecords, verifier: TokenVerifier) -> APIRouter:
    """The routes; the key alone is public."""
    caller = principal_with(verifier)
    routes = APIRouter(tags=["records"])
    _add_tree(routes, records, caller)
    _add_own(routes, records, caller)
    return routes


def _add_tree(
    routes: APIRouter, records: ExchangeRecords, caller: Callable[[Request], Principal]
) -> None:
    """What is the same for everybody: key, head, growth."""

    @routes.get(
        "/v1/records/key", summary="The key that proofs are signed with", openapi_extra=PUBLIC
    )
    def key() -> dict[str, Any]:
        return records.jwks()

    @routes.get(
        "/v1/records/head",
        summary="The newest signed head of the tree, the same for everybody",
        responses=refusals(404),
        dependencies=[Depends(caller)],
    )
    def head() -> dict[str, Any]:
        found = records.head()
        if found is None:
            raise _no_head()
        return _head(found)

    @routes.get(
        "/v1/records/consistency",
        summary="The proof that a tree begins with an older one",
        responses=refusals(404),
        dependencies=[Depends(caller)],
    )
    def consistency(
        old: Annotated[int, Query(alias="from", ge=0, le=LARGEST)],
        new: Annotated[int, Query(alias="to", ge=0, le=LARGEST)],
    ) -> dict[str, Any]:
        if old > new:
            raise parameters.invalid(
                "from", "larger", "from is groter dan to.", "from is larger than to."
            )
        path = records.growth(old, new)
        if path is None:
            raise _no_head()
        return {"from": old, "to": new, "path": [one.hex() for one in path]}


def _add_own(
    routes: APIRouter, records: ExchangeRecords, caller: Callable[[Request], Principal]
) -> None:
    """What is the caller's own."""

    @routes.get(
        "/v1/records", summary="Own exchange records with their proofs", responses=refusals(404)
    )
    def page(  # noqa: PLR0917 - FastAPI gives them by name
        principal: Annotated[Principal, Depends(caller)],
        first: Annotated[int, Query(alias="from", ge=1, le=LARGEST)] = 1,
        after: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        salts: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query's flag
        participant: Annotated[str | None, Query(pattern="^[a-z0-9-]{3,40}$")] = None,
    ) -> dict[str, Any]:
        own, begin, size = _whose(principal, participant, with_salts=salts), first - 1, None
        if after is not None:
            first, begin, size = cursor_from(own, after)
        found = records.page(own, first, begin, limit, size, with_salts=salts)
        if found is None:
            raise _no_head()
        following = None
        if found.records and found.records[-1].record.leaf.count < found.account.count:
            last = found.records[-1].record.leaf.count
            following = Cursor(first, last, found.head.tree_size).encoded(own)
        return {
            **_head(found.head),
            "account": found.signed_account,
            "records": [_record(one, with_salt=salts) for one in found.records],
            "next": following,
        }

    @routes.get(
        "/v1/records/{event_id}",
        summary="One own exchange record with its proof",
        responses=refusals(404),
    )
    def one(
        principal: Annotated[Principal, Depends(caller)],
        event_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,64}$")],
    ) -> dict[str, Any]:
        found = records.one(principal.participant, event_id)
        if found is None:
            raise _no_record()
        signed, proven = found
        return {**_head(signed), "record": _record(proven, with_salt=True)}


def _whose(principal: Principal, participant: str | None, *, with_salts: bool) -> str:
    """Whose records are asked for: the caller's own, or for an auditor anybody's without salts."""
    if participant is None or participant == principal.participant:
        return principal.participant
    require_scope(principal, AUDIT_SCOPE)
    if with_salts:
        raise parameters.invalid(
            "salts", "not_own", "Zout is er voor de zender alleen.", "Salts are the sender's alone."
        )
    return participant


def _head(found: SignedHead) -> dict[str, Any]:
    return {
        "head": found.signed,
        "tree_size": found.tree_size,
        "root_hash": bytes(found.root_hash).hex(),
        "timestamp": to_rfc3339(found.signed_at),
    }


def _record(found: Proven, *, with_salt: bool) -> dict[str, Any]:
    """The record as a line of the file has it, and beside it what is no part of the proof."""
    shown: dict[str, Any] = {
        "id": found.sender_id,
        "record": {
            "index": found.record.index,
            "leaf": found.record.leaf.document(),
            "path": [one.hex() for one in found.record.path],
        },
    }
    if with_salt:
        shown["salt"] = found.salt.hex() if found.salt is not None else None
    return shown


def _check(participant: str) -> bytes:
    return hashlib.sha256(b"records:" + participant.encode()).digest()[:4]


def _no_head() -> errors.UnknownRecord:
    return errors.UnknownRecord(
        Message(
            nl="Bij deze omvang hoort geen getekend hoofd. De hub tekent om de paar seconden.",
            en="No head of this size was signed. The hub signs every few seconds.",
        )
    )


def _no_record() -> errors.UnknownRecord:
    """The one answer for a record that does not exist, is not sealed yet, or is of others."""
    return errors.UnknownRecord(
        Message(
            nl="Er is geen verzegeld record van u met dit id. Verzegelen duurt enkele seconden.",
            en="There is no sealed record of yours with this id. Sealing takes a few seconds.",
        )
    )
