"""The data-sharing agreement's document: what it may say, and its hash.

An agreement is data that its parties sign (`domain.md` §4). An unknown key or value could be a
constraint that we would not keep, so a document that holds one is refused as a whole, with the
list of everything that is wrong.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from schemas import roles, territory
from schemas.canonical import canonical
from schemas.catalogue import catalogue
from schemas.documents import Faults, Section, checked_identifier, plain
from schemas.errors import InvalidAgreement, Message, StrictJsonError
from schemas.grants import Agreement, Grant, GrantIndex, Party
from schemas.identifiers import organisation_urn
from schemas.moments import from_rfc3339
from schemas.vocabulary import (
    ART9_GROUNDS,
    DOORS,
    FIELDSETS,
    LEGAL_BASES,
    LEGAL_INSTRUMENTS,
    PURPOSES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Agreement", "Grant", "GrantIndex", "Party", "document_hash", "parse_agreement"]

EVERYWHERE: Final = "all"
"""`territory_nis` of a grant that holds in every municipality."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.ASCII)
_FEWEST_PARTIES: Final = 2
_NOT_SIGNED: Final = frozenset({"activated_at"})
"""What the hub adds after the parties signed."""

_RECIPIENT_ROLES: Final = frozenset(
    form for letter in roles.PARTNER_LETTERS for form in (letter, roles.NAME[letter])
)
_DOCUMENT_REQUIRED: Final = frozenset({"agreement_id", "parties", "legal", "validity", "grants"})
_DOCUMENT_OPTIONAL: Final = frozenset({"supersedes"})
_LEGAL_REQUIRED: Final = frozenset({"instrument", "ref"})
_LEGAL_OPTIONAL: Final = frozenset({"dpo_advice", "dpia", "publication", "art9_ground"})
_GRANT_REQUIRED: Final = frozenset(
    {"from", "to_role", "events", "purpose", "fieldsets", "territory_nis", "doors"}
)
_GRANT_OPTIONAL: Final = frozenset(
    {"to", "max_age_days", "onward", "legal_basis", "no_sanction_use", "secrecy_bound"}
)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every grant of a document shares."""

    agreement_id: str
    parties: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    activated_at: int
    hash: str
    art9_ground: str | None


def document_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the document's RFC 8785 form: what the parties sign.

    Leaves out `activated_at`, which the hub adds once they have.

    Raises:
        StrictJsonError: the document is not JSON.
    """
    signed = {key: value for key, value in plain(document).items() if key not in _NOT_SIGNED}
    return hashlib.sha256(canonical(signed)).hexdigest()


def parse_agreement(document: Any) -> Agreement:
    """Read an agreement document.

    Dates may be text or what YAML makes of unquoted dates.

    Raises:
        InvalidAgreement: with an invalid parameter for every unknown key, unknown value, missing
            key and contradiction.
    """
    faults = Faults()
    section = Section(
        plain(document),
        "",
        known=_DOCUMENT_REQUIRED | _DOCUMENT_OPTIONAL | _NOT_SIGNED,
        required=_DOCUMENT_REQUIRED,
        faults=faults,
    )
    agreement_id = section.text("agreement_id", is_agreement_id)
    parties = _parties(section, faults)
    legal = _legal(section.raw("legal"), faults)
    valid_from, valid_to = _validity(section.raw("validity"), faults)
    frame = _Frame(
        agreement_id=agreement_id or "",
        parties=parties,
        valid_from=valid_from,
        valid_to=valid_to,
        activated_at=_activated_at(section.raw("activated_at"), valid_from, faults),
        hash=_hash(document, faults),
        art9_ground=legal.get("art9_ground"),
    )
    grants = tuple(_grant(value, path, frame, faults) for path, value in section.items("grants"))
    supersedes = _supersedes(section, agreement_id, faults)
    if faults.found:
        raise _refused(faults, agreement_id)
    return Agreement(
        agreement_id=frame.agreement_id,
        parties=parties,
        legal=legal,
        valid_from=valid_from,
        valid_to=valid_to,
        activated_at=frame.activated_at,
        document_hash=frame.hash,
        grants=grants,
        supersedes=supersedes,
    )


def is_agreement_id(text: str) -> bool:
    """Tell whether a text may be the id of an agreement."""
    return _ID.fullmatch(text) is not None


def _supersedes(section: Section, agreement_id: str | None, faults: Faults) -> str | None:
    older = section.text("supersedes", is_agreement_id)
    if older is not None and older == agreement_id:
        nl, en = "Een overeenkomst vervangt zichzelf niet.", "An agreement cannot replace itself."
        faults.add("supersedes", "itself", nl, en)
    return older


def _hash(document: Any, faults: Faults) -> str:
    if faults.found:
        return ""
    try:
        return document_hash(document)
    except StrictJsonError:
        faults.add("document", "not_json", "Is geen zuivere JSON.", "Is no plain JSON.")
        return ""


def _refused(faults: Faults, agreement_id: str | None) -> InvalidAgreement:
    named = agreement_id or "?"
    count = len(faults.found)
    return InvalidAgreement(
        Message(
            nl=f"Overeenkomst {named} is niet aanvaard: {count} fout(en), alle opgesomd.",
            en=f"Agreement {named} is refused: {count} fault(s), all listed.",
        ),
        invalid=faults.found,
    )


def _parties(section: Section, faults: Faults) -> tuple[str, ...]:
    parties: list[str] = []
    for path, value in section.items("parties"):
        urn = checked_identifier(value, path, organisation_urn, faults)
        if urn in parties:
            faults.add(path, "duplicate", "Staat er tweemaal.", "Occurs twice.")
        elif urn is not None:
            parties.append(urn)
    if section.raw("parties") and len(parties) < _FEWEST_PARTIES:
        nl, en = "Een overeenkomst heeft minstens twee partijen.", "An agreement has two parties."
        faults.add("parties", "too_few", nl, en)
    return tuple(parties)


def _legal(value: Any, faults: Faults) -> dict[str, str]:
    if value is None:
        return {}
    section = Section(
        value,
        "legal",
        known=_LEGAL_REQUIRED | _LEGAL_OPTIONAL,
        required=_LEGAL_REQUIRED,
        faults=faults,
    )
    section.one_of("instrument", LEGAL_INSTRUMENTS)
    section.one_of("art9_ground", ART9_GROUNDS)
    section.text("publication", _is_address)
    section.day("dpo_advice")
    texts = {key: section.text(key) for key in sorted(_LEGAL_REQUIRED | _LEGAL_OPTIONAL)}
    return {key: text for key, text in texts.items() if text is not None}


def _validity(value: Any, faults: Faults) -> tuple[date, date | None]:
    if value is None:
        return date.max, None
    section = Section(
        value,
        "validity",
        known=frozenset({"from", "to"}),
        required=frozenset({"from"}),
        faults=faults,
    )
    first, last = section.day("from"), section.day("to")
    if first and last and last < first:
        nl, en = "Ligt vóór het begin.", "Lies before the start."
        faults.add("validity.to", "before_start", nl, en)
    return first or date.max, last


def _activated_at(value: Any, valid_from: date, faults: Faults) -> int:
    """Return the moment of activation; without one, the start of the period."""
    if value is None:
        start = datetime(valid_from.year, valid_from.month, valid_from.day, tzinfo=UTC)
        return int(start.timestamp()) * 1_000_000
    try:
        return from_rfc3339(value if "T" in value else f"{value}T00:00:00Z")
    except (TypeError, ValueError):
        nl, en = "Moet een tijdstip met zone zijn.", "Has to be an instant with its zone."
        faults.add("activated_at", "invalid_format", nl, en)
        return 0


def _grant(value: Any, path: str, frame: _Frame, faults: Faults) -> Grant:
    section = Section(
        value,
        path,
        known=_GRANT_REQUIRED | _GRANT_OPTIONAL,
        required=_GRANT_REQUIRED,
        faults=faults,
    )
    from_org = section.identifier("from", organisation_urn)
    to_org = section.identifier("to", organisation_urn)
    for key, urn in (("from", from_org), ("to", to_org)):
        if urn is not None and urn not in frame.parties:
            nl, en = "Is geen partij van deze overeenkomst.", "Is no party of this agreement."
            faults.add(f"{path}.{key}", "not_a_party", nl, en)
    return Grant(
        agreement_id=frame.agreement_id,
        agreement_hash=frame.hash,
        activated_at=frame.activated_at,
        valid_from=frame.valid_from,
        valid_to=frame.valid_to,
        from_org=from_org or "",
        to_org=to_org,
        to_role=roles.letter(section.one_of("to_role", _RECIPIENT_ROLES) or "pes"),
        events=section.many_of("events", _is_event_pattern, "referral.created / referral.*"),
        purpose=section.one_of("purpose", PURPOSES) or "",
        fieldsets=frozenset(
            section.many_of("fieldsets", FIELDSETS.__contains__, ", ".join(sorted(FIELDSETS)))
        ),
        territory=_territory(section),
        doors=frozenset(section.many_of("doors", DOORS.__contains__, "feed, webhook, kafka")),
        max_age_days=section.count("max_age_days"),
        onward=section.flag("onward") or False,
        no_sanction_use=section.flag("no_sanction_use"),
        secrecy_bound=section.flag("secrecy_bound") or False,
        legal_basis=section.one_of("legal_basis", LEGAL_BASES),
        art9_ground=frame.art9_ground,
    )


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def _territory(section: Section) -> frozenset[str] | None:
    if section.raw("territory_nis") == EVERYWHERE:
        return None
    hint = "NIS-code van 5 cijfers, als tekst / five-digit NIS code, as text"
    return frozenset(section.many_of("territory_nis", _is_municipality, hint))


def _is_municipality(nis: str) -> bool:
    return nis in territory.known_codes()


def _is_event_pattern(pattern: str) -> bool:
    return pattern in _event_patterns()


@cache
def _event_patterns() -> frozenset[str]:
    """Every name, and each family as `referral.*`: an agreement lists many of them."""
    names = catalogue().names
    return frozenset(names) | {f"{name.rpartition('.')[0]}.*" for name in names}
