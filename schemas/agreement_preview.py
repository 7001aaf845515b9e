"""What one participant would get of one event under one agreement, and why not the rest. Pure.

For people who weigh a draft: nothing is looked up and nothing is written. The answer is the one
that a hand-over would give if this were the only agreement, field by field, with the leg that
withholds each: of the whole event (agreement, event, validity, purpose, territory, door, age,
own_event, host_referral, membership), or of one field its field set, its audience, or the ground
of article 9(2) GDPR that is lacking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.catalogue import STAFF, catalogue
from schemas.errors import Message
from schemas.grants import GrantIndex
from schemas.projection import admits, projection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from schemas.catalogue import EventType, Field
    from schemas.grants import Agreement, Grant

HOST: Final = "H"
CASE_HOLDER: Final = "case_holder"

REASONS: Final[Mapping[str, Message]] = {
    "agreement": Message(
        nl="geen toelating van deze zender aan deze rol",
        en="no grant from this sender to this role",
    ),
    "event": Message(
        nl="deze gebeurtenis staat niet in de toelating", en="the event is not granted"
    ),
    "validity": Message(nl="buiten de geldigheid", en="outside the period of validity"),
    "purpose": Message(nl="voor een ander doel", en="for another purpose"),
    "territory": Message(nl="buiten het grondgebied", en="outside the territory"),
    "door": Message(nl="niet langs deze deur", en="not through this door"),
    "age": Message(nl="ouder dan max_age_days", en="older than max_age_days"),
    "own_event": Message(nl="de eigen gebeurtenis", en="its own event"),
    "host_referral": Message(
        nl="een werkplek krijgt geen toeleidingen", en="a workplace gets no referrals"
    ),
    "membership": Message(
        nl="geen betrokkenheid bij dit traject", en="no relation to this trajectory"
    ),
    "fieldset": Message(nl="veldgroep niet toegelaten", en="field set not granted"),
    "audience": Message(nl="niet bestemd voor deze lezer", en="not meant for this reader"),
    "masked": Message(nl="zou verraden wie de zender is", en="would tell who the sender is"),
    "art9": Message(
        nl="kan gezondheid onthullen en de grond van art. 9(2) ontbreekt",
        en="may reveal health and the ground of article 9(2) is lacking",
    ),
}
"""Leg to the words on a screen."""


@dataclass(frozen=True, slots=True)
class Sender:
    """One role in which the sender takes part: some defaults of a grant follow from it."""

    organisation: str
    role: str


@dataclass(frozen=True, slots=True)
class Question:
    """Which event, from whom to whom, where and when.

    Attributes:
        event: its name.
        senders: the roles of the organisation whose event it is.
        to_role: role letter of the reader.
        relations: the reader's relations to the case; None for every one that there is, which
            shows the most that such a reader could ever get.
        territory: NIS code of the person's residence; None when it is not known.
        door: None leaves doors aside.
        is_sensitive: whether the sender is shown as "local partner" to all but the case holder.
    """

    event: str
    from_org: str
    to_org: str
    to_role: str
    on: date
    senders: tuple[Sender, ...] = ()
    relations: frozenset[str] | None = None
    territory: str | None = None
    door: str | None = None
    age_days: int = 0
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of the event; `leg` is None when it is delivered.

    Attributes:
        readers: who may read it at all.
        has_value: whether the example holds a value here; None without an example.
    """

    path: str
    fieldset: str
    leg: str | None
    readers: tuple[str, ...]
    has_value: bool | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer.

    Attributes:
        leg: why nothing at all would be delivered; None when something is.
        grant: the one grant that applies; None when none does.
        data: what would be delivered of the example; None without one.
    """

    leg: str | None
    grant: Grant | None
    fields: tuple[FieldView, ...]
    data: dict[str, Any] | None


def preview(
    agreement: Agreement, asked: Question, data: Mapping[str, Any] | None = None
) -> Preview:
    """Answer a question as if this agreement were active and the only one.

    Raises:
        UnknownEventType: no event has this name.
    """
    event = catalogue().event(asked.event)
    index = GrantIndex([agreement], asked.senders)
    grant, leg = _grant(index, asked)
    relations = _relations(event, asked) if asked.relations is None else asked.relations
    # A desk's address would say what the mask hides.
    hidden = frozenset({STAFF} if asked.is_sensitive and CASE_HOLDER not in relations else ())
    fields = tuple(
        FieldView(
            path=one.path,
            fieldset=one.fieldset,
            leg=leg if grant is None else leg or _leg(one, grant, asked.to_role, relations, hidden),
            readers=tuple(sorted(one.audience)),
            has_value=None if data is None else _holds(data, one.path.split(".")),
        )
        for one in event.fields
    )
    if leg is None and fields and all(one.leg is not None for one in fields):
        leg = "audience"
    shown: dict[str, Any] | None = None
    if data is not None:
        shown = {}
        if leg is None and grant is not None:
            shown = projection(
                event,
                role=asked.to_role,
                relations=relations,
                fieldsets=grant.fieldsets - hidden,
                has_art9_ground=grant.art9_ground is not None,
            ).apply(data)
    return Preview(leg, grant, fields, shown)


def _grant(index: GrantIndex, asked: Question) -> tuple[Grant | None, str | None]:
    """The grant that applies and the leg that bars all the same; no grant and the leg without."""
    if asked.from_org == asked.to_org:
        return None, "own_event"
    if asked.to_role == HOST and asked.event.startswith("referral."):
        return None, "host_referral"
    if asked.relations is not None and not asked.relations:
        return None, "membership"
    question: dict[str, Any] = {
        "from_org": asked.from_org,
        "to_org": asked.to_org,
        "to_role": asked.to_role,
        "event": asked.event,
        "territory": asked.territory,
        "on": asked.on,
        "door": asked.door,
    }
    grant = index.applicable(**question)
    if grant is None:
        return None, index.failing_leg(**question)
    if grant.max_age_days is not None and asked.age_days > grant.max_age_days:
        return grant, "age"
    return grant, None


def _relations(event: EventType, asked: Question) -> frozenset[str]:
    """Every relation that gives a reader in this role a field; a host's is a host's alone."""
    names = {entry.partition(":")[0] for one in event.fields for entry in one.audience}
    relations = {name for name in names if name.islower() and name != "all"}
    return frozenset(relations if asked.to_role == HOST else relations - {"host"})


def _leg(
    leaf: Field, grant: Grant, role: str, relations: frozenset[str], hidden: frozenset[str]
) -> str | None:
    """Why the grant that applies does not deliver this field."""
    if not admits(leaf, role, relations):
        return "audience"
    if leaf.fieldset not in grant.fieldsets:
        return "fieldset"
    if leaf.fieldset in hidden:
        return "masked"
    if leaf.art9_inferable and grant.art9_ground is None:
        return "art9"
    return None


def _holds(value: Any, steps: Iterable[str]) -> bool:
    """Whether there is a value at a path, in any item of an array."""
    path = list(steps)
    if not path:
        return value is not None
    name = path[0].removesuffix("[]")
    found = value.get(name) if isinstance(value, dict) else None
    if path[0].endswith("[]") and len(path) > 1:
        return isinstance(found, list) and any(_holds(one, path[1:]) for one in found)
    return _holds(found, path[1:])
