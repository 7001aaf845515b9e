"""How every operation is addressed for the isolation matrix, and whom it may answer.

An operation that is not in `WAYS` fails the matrix: whoever adds a call says here what it guards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Act = Literal["read", "list", "search", "trace", "replay", "dead letter", "write", "look up"]
Kind = Literal["case", "number", "agreement", "erasure", "record", "holder", "subscription"]


@dataclass(frozen=True, slots=True)
class Way:
    """How one operation is called.

    Attributes:
        act: what it is for.
        query: of the call; values may name a thing as `{trajectory_id}`, as paths do.
        body: sent as JSON; texts in it may name things too.
    """

    act: Act
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Public(Way):
    """Needs no token, so nothing of anybody may be in it."""


@dataclass(frozen=True, slots=True)
class Everyone(Way):
    """For every participant alike; nothing of anybody may be in it."""


@dataclass(frozen=True, slots=True)
class Own(Way):
    """What is the caller's: `of` says whose things show, and they show to nobody else."""

    of: Kind = "case"


@dataclass(frozen=True, slots=True)
class Thing(Way):
    """One thing, which exists for its parties only: for others as if it were not there.

    Attributes:
        readers: who of them may read it; all when None.
    """

    of: Kind = "case"
    readers: Kind | None = None


@dataclass(frozen=True, slots=True)
class Administrative(Way):
    """For the hub's administrator or auditor; participants are refused before anything is read."""


GET, POST, DELETE = "GET", "POST", "DELETE"
_EMPTY: Final[dict[str, Any]] = {}
_PERIOD: Final = {"from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z"}
_SIGNED: Final = {"jws": "e30.e30.e30"}
_ERASE: Final = {"legal_ground": "gdpr_17_1_a", "reason": "matrix"}

_CHOSEN: Final = {"reason": "matrix", "dry_run": False}
_ONE: Final = "/v1/subscriptions/{subscription_id}"

WAYS: Final[dict[tuple[str, str], tuple[Way, ...]]] = {
    (GET, "/v1/me"): (Everyone("read"),),
    (GET, "/v1/trajectories"): (
        Own("list"),
        Own("search", {"sourcerecordid": "{sourcerecordid}"}, of="number"),
    ),
    (GET, "/v1/trajectories/{trajectory_id}"): (Thing("read"),),
    (GET, "/v1/trajectories/{trajectory_id}/disclosures"): (Thing("trace", readers="holder"),),
    (GET, "/v1/disclosures"): (
        Everyone("list", _PERIOD),
        Everyone("search", {**_PERIOD, "side": "given", "limit": "500"}),
    ),
    (POST, "/v1/audit/disclosures"): (
        Administrative("search", {}, {**_PERIOD, "reason": "matrix", "shape": "logboek"}),
    ),
    (GET, "/v1/stopped"): (Everyone("list"),),
    (GET, "/v1/events/{event_id}"): (Thing("trace"),),
    (GET, "/v1/feed"): (
        Own("list", {"limit": "500"}),
        Own("replay", {"limit": "500", "from": "2026-01-01T00:00:00Z"}),
    ),
    (POST, "/v1/feed/backfill"): (Everyone("replay", {}, {"from": "2026-01-01T00:00:00Z"}),),
    (POST, "/v1/referrals/{referral_id}/acceptance"): (Thing("write", {}, _EMPTY),),
    (POST, "/v1/referrals"): (Everyone("write", {"dry_run": "true"}, _EMPTY),),
    (GET, "/v1/offers"): (Public("list"),),
    (GET, "/v1/evidence"): (
        Everyone("list", {"indicator": "{indicator}"}),
        Everyone("search", {"indicator": "{indicator}", "by": "month,municipality,participant"}),
    ),
    (GET, "/v1/evidence/indicators"): (Everyone("list"),),
    (GET, "/v1/programmes"): (Everyone("list"),),
    (GET, "/v1/programmes/publications"): (Everyone("list"),),
    (POST, "/v1/programmes/publications/{reference}/comments"): (
        Everyone("write", {}, {"text": "matrix"}),
    ),
    (GET, "/v1/programmes/conversions"): (Administrative("list"),),
    (POST, "/v1/programmes/plan"): (Administrative("read", {}, _EMPTY),),
    (POST, "/v1/programmes/publications"): (Administrative("write", {}, {"document": {}}),),
    (GET, "/v1/agreements"): (
        Own("list", of="agreement"),
        Own("search", {"status": "active"}, of="agreement"),
    ),
    (POST, "/v1/agreements"): (Everyone("write", {}, _EMPTY),),
    (POST, "/v1/agreements/preview"): (Everyone("read", {}, _EMPTY),),
    (GET, "/v1/agreements/{agreement_id}"): (Thing("read", of="agreement"),),
    (GET, "/v1/agreements/{agreement_id}/document"): (Thing("read", of="agreement"),),
    (GET, "/v1/agreements/{agreement_id}/diff"): (
        Thing("read", {"against": "{agreement_id}"}, of="agreement"),
    ),
    (POST, "/v1/agreements/{agreement_id}/accept"): (Thing("write", {}, _SIGNED, of="agreement"),),
    (POST, "/v1/agreements/{agreement_id}/reject"): (Thing("write", {}, _SIGNED, of="agreement"),),
    (POST, "/v1/agreements/{agreement_id}/revoke"): (Thing("write", {}, _SIGNED, of="agreement"),),
    (POST, "/v1/erasures"): (
        Thing("write", {"dry_run": "true"}, {**_ERASE, "trajectory_id": "{trajectory_id}"}),
        Thing(
            "write",
            {"dry_run": "true"},
            {**_ERASE, "sourcerecordid": "{sourcerecordid}"},
            of="number",
        ),
    ),
    (GET, "/v1/erasures"): (Own("list", of="erasure"),),
    (GET, "/v1/erasures/{order_id}"): (Thing("read", of="erasure"),),
    (GET, "/v1/erasures/{order_id}/report"): (Thing("read", of="erasure"),),
    (POST, "/v1/erasures/{order_id}/receipts"): (
        Thing("write", {}, {"erased": True}, of="erasure"),
    ),
    (GET, "/v1/records"): (
        Own("list", of="record"),
        Own("search", {"from": "1", "limit": "500", "salts": "true"}, of="record"),
    ),
    (GET, "/v1/records/{event_id}"): (Thing("read", of="record"),),
    (GET, "/v1/records/head"): (Everyone("read"),),
    (GET, "/v1/records/consistency"): (Everyone("read", {"from": "1", "to": "2"}),),
    (GET, "/v1/records/key"): (Public("look up"),),
    (GET, "/v1/subscriptions"): (Own("list", of="subscription"),),
    (POST, "/v1/subscriptions"): (Everyone("write", {}, _EMPTY),),
    (GET, _ONE): (Thing("read", of="subscription"),),
    (DELETE, _ONE): (Thing("write", of="subscription"),),
    (GET, f"{_ONE}/deliveries"): (
        Thing("list", of="subscription"),
        Thing("search", {"state": "failed"}, of="subscription"),
    ),
    (POST, f"{_ONE}/pause"): (Thing("write", of="subscription"),),
    (POST, f"{_ONE}/resume"): (Thing("write", of="subscription"),),
    (POST, f"{_ONE}/test"): (Thing("write", of="subscription"),),
    (POST, f"{_ONE}/secret"): (Thing("write", {}, _EMPTY, of="subscription"),),
    (POST, f"{_ONE}/oauth"): (Thing("write", {}, {"oauth": None}, of="subscription"),),
    (POST, f"{_ONE}/alerts"): (Thing("write", {}, {"mail": False}, of="subscription"),),
    (POST, f"{_ONE}/replay"): (
        Thing("replay", {}, {"since": "2026-01-01T00:00:00Z"}, of="subscription"),
    ),
    (GET, f"{_ONE}/dead-letters"): (
        Thing("dead letter", of="subscription"),
        Thing("dead letter", {"code": "http_422"}, of="subscription"),
    ),
    (GET, f"{_ONE}/dead-letters/{{letter_id}}"): (Thing("dead letter", of="subscription"),),
    (POST, f"{_ONE}/dead-letters/redrive"): (
        Thing("dead letter", {}, {**_CHOSEN, "ids": ["{letter_id}"]}, of="subscription"),
    ),
    (POST, f"{_ONE}/dead-letters/discard"): (
        Thing("dead letter", {}, {**_CHOSEN, "ids": ["{letter_id}"]}, of="subscription"),
    ),
    (POST, "/v1/registry/plan"): (Administrative("read", {}, _EMPTY),),
    (POST, "/v1/registry/apply"): (Administrative("write", {}, {"document": {}}),),
    (GET, "/v1/clients"): (Administrative("list"),),
    (POST, "/v1/clients"): (Administrative("write", {}, _EMPTY),),
    (POST, "/v1/clients/{client_id}/rotate"): (Administrative("write", {}, _EMPTY),),
    (POST, "/v1/clients/{client_id}/revoke"): (Administrative("write", {}, _EMPTY),),
    (POST, "/v1/signing-keys/rotate"): (Administrative("write", {}, _EMPTY),),
    (GET, "/v1/audit"): (
        Administrative("list"),
        Administrative("search", {"target": "{trajectory_id}"}),
    ),
    (GET, "/oauth/jwks"): (Public("look up"),),
    (GET, "/.well-known/oauth-authorization-server"): (Public("look up"),),
    (POST, "/oauth/token"): (Public("write"),),
    (POST, "/oauth/revoke"): (Public("write"),),
    (GET, "/schemas/types"): (Public("look up"),),
    (GET, "/schemas/ids/{schema_id}"): (Public("look up"),),
    (GET, "/schemas/ids/{schema_id}/schema"): (Public("look up"),),
    (GET, "/schemas/ids/{schema_id}/subjects"): (Public("look up"),),
    (GET, "/schemas/ids/{schema_id}/versions"): (Public("look up"),),
    (GET, "/subjects"): (Public("list"),),
    (GET, "/subjects/{subject}/versions"): (Public("list"),),
    (POST, "/subjects/{subject}/versions"): (Public("write", {}, _EMPTY),),
    (GET, "/subjects/{subject}/versions/{version}"): (Public("look up"),),
    (GET, "/subjects/{subject}/versions/{version}/schema"): (Public("look up"),),
    (POST, "/subjects/{subject}"): (Public("look up", {}, _EMPTY),),
    (GET, "/config"): (Public("look up"),),
    (GET, "/config/{subject}"): (Public("look up"),),
    (GET, "/mode"): (Public("look up"),),
    (POST, "/compatibility/subjects/{subject}/versions"): (Public("look up", {}, _EMPTY),),
    (POST, "/compatibility/subjects/{subject}/versions/{version}"): (
        Public("look up", {}, _EMPTY),
    ),
}
"""Every operation but one: `POST /v1/events` is tried with every event type by itself."""

PUBLISH: Final = (POST, "/v1/events")
