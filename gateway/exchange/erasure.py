"""One order to erase: what it is about and how far it has got (`domain.md` §4, architecture §7).

Stages, each taken up again after a crash:

    announcing   `subject.erased` is on its way to the cases; from then on nothing more is sealed
    destroying   the keys go, and with them what they sealed; no new ones are made
    clearing     digests, references and kept answers go
    waiting      an older key-encryption key could still open a copy; or somebody has not confirmed
    done         nothing is left to do
    refused      a duty came in between; nothing was erased
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from msgspec import Struct

from gateway.exchange.decision import Errand
from gateway.exchange.sealing import NOTICE

if TYPE_CHECKING:
    from collections.abc import Mapping

Stage = Literal["announcing", "destroying", "clearing", "waiting", "done", "refused"]
OPEN: tuple[Stage, ...] = ("announcing", "destroying", "clearing", "waiting")

DAY_US = 86_400_000_000
REMIND_US = 14 * DAY_US
REMINDERS = 3
"""How often, and how many times, a receiver without a receipt is told again."""


class Erasure(Struct, frozen=True, gc=False):
    """One order. It holds ids, codes and times; nothing of it says who the person is.

    Attributes:
        organisation: URN of the controller; `participant` and `client_id` say who ordered.
        own: all participants of the organisation at that time.
        subject_ids: the hub's ids of the person.
        trajectory_ids: the cases in which the organisation sealed something.
        is_masked: the controller is a sensitive sender, so that its name is told to nobody.
        announcements: how often the receivers were told; the last may still be on its way.
        destruction: the key store's count of destructions, with this one.
        events: how many events of each type were sealed under the controller.
        by_kafka: somebody received by a topic of its own, which keeps copies for some days.
    """

    id: str
    stage: Stage
    organisation: str
    participant: str
    client_id: str
    legal_ground: str
    subject_ids: tuple[str, ...]
    trajectory_ids: tuple[str, ...]
    own: tuple[str, ...]
    ordered_at: int
    is_masked: bool = False
    announcements: int = 1
    destroyed_at: int | None = None
    destruction: int | None = None
    number_kept: bool = False
    completed_at: int | None = None
    events: dict[str, int] = {}
    by_kafka: bool = False


class Told(NamedTuple):
    """One receiver: when it was told first, when it confirmed, and how often it was reminded."""

    participant: str
    told_at: int
    confirmed_at: int | None = None
    reminded: int = 0


dumps = msgspec.json.Encoder().encode
loads = msgspec.json.Decoder(Erasure).decode


def errand_id(erasure: Erasure, number: int, trajectory_id: str) -> str:
    """The id of one announcement on one case: the same after any crash."""
    return f"erasure:{erasure.id}:{number}:{trajectory_id}"


def announcements(
    erasure: Erasure, number: int, told: Mapping[str, tuple[str, ...]], now: int
) -> list[Errand]:
    """`subject.erased` on every case, also to nobody, for the case's sake.

    Args:
        erasure: the order.
        number: which announcement it is.
        told: by case, who is told there: nobody learns of a case that it received nothing of.
        now: business time.
    """
    data: dict[str, object] = {"legal_ground": erasure.legal_ground, "scope": {}}
    if not erasure.is_masked:
        data["ordered_by"] = erasure.organisation
        data["scope"] = {"organisation": erasure.organisation}
    return [
        Errand(
            id=errand_id(erasure, number, case),
            due_at=now,
            name=NOTICE,
            target_id=case,
            aggregate_id=None,
            acts_for=erasure.participant,
            data=data,
            told=told.get(case, ()),
        )
        for case in erasure.trajectory_ids
    ]


def to_remind(told: list[Told], now: int) -> list[Told]:
    """Who has not confirmed, was told long enough ago and not too often yet."""
    return [
        one
        for one in told
        if one.confirmed_at is None
        and one.reminded < REMINDERS
        and now >= one.told_at + (one.reminded + 1) * REMIND_US
    ]


def next_reminder(told: list[Told]) -> int | None:
    """When the next one is due; None when everybody confirmed or was reminded often enough."""
    due = [
        one.told_at + (one.reminded + 1) * REMIND_US
        for one in told
        if one.confirmed_at is None and one.reminded < REMINDERS
    ]
    return min(due, default=None)
