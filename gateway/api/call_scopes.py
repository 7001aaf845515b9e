"""The scope that each call needs, as the description tells it; the routes are what refuses.

One of the scopes of a call is enough; none means that any token will do. A test asks every call
with and without them, so that this table and the routes cannot differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.exchange.scopes import LABEL
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ANY: Final = ()
_ADMIN: Final = ("sj_admin",)
_AGREEMENTS: Final = ("sj_agreement_write",)
_CASES: Final = ("sj_referral_read",)
_INBOX: Final = ("sj_feed_read",)
_OVERSEEN: Final = ("sj_feed_read", "sj_admin")
"""A participant's own; the administrator sees everybody's, without content."""
_REFERRALS: Final = ("sj_referral_write",)
_SENDING: Final = tuple(sorted({one.scope for one in catalogue().all() if not one.hub_only}))

_ONE: Final = "/v1/subscriptions/{subscription_id}"
_PROGRAMMES: Final = "/v1/programmes"

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "GET /v1/me": _ANY,
    "POST /v1/events": _SENDING,
    "GET /v1/events/{event_id}": _ANY,
    "GET /v1/feed": _INBOX,
    "POST /v1/feed/backfill": _INBOX,
    "GET /v1/stopped": _OVERSEEN,
    "POST /v1/referrals": _REFERRALS,
    "POST /v1/referrals/{referral_id}/acceptance": _REFERRALS,
    "GET /v1/trajectories": _CASES,
    "GET /v1/trajectories/{trajectory_id}": ("sj_referral_read", "sj_admin"),
    "GET /v1/trajectories/{trajectory_id}/disclosures": _CASES,
    "GET /v1/disclosures": _INBOX,
    "POST /v1/audit/disclosures": ("sj_audit", "sj_admin"),
    "GET /v1/audit": ("sj_audit",),
    "GET /v1/evidence": _OVERSEEN,
    "GET /v1/evidence/indicators": _OVERSEEN,
    f"GET {_PROGRAMMES}": _ANY,
    f"GET {_PROGRAMMES}/publications": _ANY,
    f"POST {_PROGRAMMES}/publications": _ADMIN,
    f"POST {_PROGRAMMES}/publications/{{reference}}/comments": _ANY,
    f"POST {_PROGRAMMES}/plan": _ADMIN,
    f"GET {_PROGRAMMES}/conversions": _ADMIN,
    "GET /v1/agreements": _ANY,
    "POST /v1/agreements": _AGREEMENTS,
    "POST /v1/agreements/preview": _AGREEMENTS,
    "GET /v1/agreements/{agreement_id}": _ANY,
    "GET /v1/agreements/{agreement_id}/document": _ANY,
    "GET /v1/agreements/{agreement_id}/diff": _ANY,
    "POST /v1/agreements/{agreement_id}/accept": _AGREEMENTS,
    "POST /v1/agreements/{agreement_id}/reject": _AGREEMENTS,
    "POST /v1/agreements/{agreement_id}/revoke": _AGREEMENTS,
    "GET /v1/erasures": _REFERRALS,
    "POST /v1/erasures": _REFERRALS,
    "GET /v1/erasures/{order_id}": _REFERRALS,
    "GET /v1/erasures/{order_id}/report": _REFERRALS,
    "POST /v1/erasures/{order_id}/receipts": _REFERRALS,
    "GET /v1/records": _ANY,
    "GET /v1/records/{event_id}": _ANY,
    "GET /v1/records/head": _ANY,
    "GET /v1/records/consistency": _ANY,
    "GET /v1/subscriptions": _OVERSEEN,
    "POST /v1/subscriptions": _INBOX,
    f"GET {_ONE}": _OVERSEEN,
    f"DELETE {_ONE}": _INBOX,
    f"GET {_ONE}/deliveries": _OVERSEEN,
    f"POST {_ONE}/pause": _OVERSEEN,
    f"POST {_ONE}/resume": _OVERSEEN,
    f"POST {_ONE}/test": _INBOX,
    f"POST {_ONE}/secret": _INBOX,
    f"POST {_ONE}/oauth": _INBOX,
    f"POST {_ONE}/alerts": _INBOX,
    f"POST {_ONE}/replay": _INBOX,
    f"GET {_ONE}/dead-letters": _OVERSEEN,
    f"GET {_ONE}/dead-letters/{{letter_id}}": _OVERSEEN,
    f"POST {_ONE}/dead-letters/redrive": _OVERSEEN,
    f"POST {_ONE}/dead-letters/discard": _OVERSEEN,
    "POST /v1/registry/plan": _ADMIN,
    "POST /v1/registry/apply": _ADMIN,
    "GET /v1/clients": _ADMIN,
    "POST /v1/clients": _ADMIN,
    "POST /v1/clients/{client_id}/rotate": _ADMIN,
    "POST /v1/clients/{client_id}/revoke": _ADMIN,
    "POST /v1/signing-keys/rotate": _ADMIN,
}


def described() -> dict[str, str]:
    """Every scope with what it is for, for the description."""
    return {name: english for name, (_, english) in LABEL.items()}


def security(method: str, path: str) -> list[dict[str, list[str]]]:
    """How a call with a token is secured: with each scope that is enough, bound in either way.

    Raises:
        LookupError: nobody said what the call needs.
    """
    scopes = NEEDED[f"{method.upper()} {path}"]
    return [one for chosen in _alternatives(scopes) for one in _bound(chosen)]


def _alternatives(scopes: Iterable[str]) -> list[list[str]]:
    return [[one] for one in scopes] or [[]]


def _bound(scopes: list[str]) -> list[dict[str, list[str]]]:
    return [{"oauth": scopes}, {"oauth": scopes, "certificate": []}]
