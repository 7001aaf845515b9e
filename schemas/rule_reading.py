"""Reads rule sets as people write them, and lists all that is wrong in them.

A typo in a key or a value is a fault: what a reader does not understand may not read as unset.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from schemas import roles
from schemas.documents import Faults, Section, plain
from schemas.errors import InvalidProgramme, Message
from schemas.rule_set import DRAFT, IN_FORCE, STATUSES, AcquiredRight, Parameters, RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable


def read_rule_sets(programme: str, entries: Any) -> tuple[RuleSet, ...]:
    """Read the rule sets of one programme from parsed YAML.

    Raises:
        InvalidProgramme: listing every unknown key, wrong value, gap or overlap.
    """
    faults = Faults()
    found = rule_sets_at(programme, plain(entries), "", faults)
    raise_for(programme, faults)
    return found


def rule_sets_at(programme: str, entries: Any, path: str, faults: Faults) -> tuple[RuleSet, ...]:
    """Read rule sets that stand at a place in a document; what is wrong is added to `faults`."""
    listed = entries if isinstance(entries, list) else []
    if not listed:
        faults.add(path or "document", "not_a_list", "Is geen lijst.", "Is no list.")
    found = [
        _rule_set(programme, entry, f"{path}[{place}]", faults)
        for place, entry in enumerate(listed)
    ]
    for place, (older, newer) in enumerate(pairwise(found), start=1):
        _check_join(older, newer, f"{path}[{place}].valid_from", faults)
    return tuple(found)


def _check_join(older: RuleSet, newer: RuleSet, path: str, faults: Faults) -> None:
    """One period begins on the day after the other ends."""
    if older.valid_to is None or older.valid_to >= newer.valid_from:
        faults.add(
            path,
            "overlap",
            "Overlapt met de vorige. Geef de vorige een valid_to op de dag ervoor.",
            "Overlaps with the one before. Give that one a valid_to on the day before.",
        )
    elif older.valid_to + timedelta(days=1) < newer.valid_from:
        faults.add(
            path,
            "gap",
            "Laat dagen zonder regels. Begin op de dag na de valid_to van de vorige.",
            "Leaves days without rules. Begin on the day after the valid_to of the one before.",
        )


def _rule_set(programme: str, entry: Any, path: str, faults: Faults) -> RuleSet:
    section = Section(entry, path, known=_HEAD, required=_HEAD - _OPTIONAL, faults=faults)
    channels = section.raw("endorsement_required_from")
    if not isinstance(channels, list) or not all(
        isinstance(one, str) and one in roles.PARTNER_LETTERS for one in channels
    ):
        nl, en = "Moet een lijst van rolletters zijn.", "Has to be a list of role letters."
        faults.add(f"{path}.endorsement_required_from", "unknown_value", nl, en)
        channels = []
    if section.raw("status") == IN_FORCE and section.raw("legal_reference") is None:
        nl = "Regels van kracht noemen hun rechtsgrond. Vul legal_reference in, of status: draft."
        en = "Rules in force name their law. Fill in legal_reference, or say status: draft."
        faults.add(f"{path}.legal_reference", "legal_reference_missing", nl, en)
    for key in ("version", "valid_from"):
        if isinstance(entry, dict) and key in entry and entry[key] is None:
            faults.add(f"{path}.{key}", "missing", "Ontbreekt.", "Missing.")
    right = section.raw("acquired_right")
    parameters = section.raw("parameters")
    return RuleSet(
        programme=programme,
        version=section.text("version") or "",
        status=section.one_of("status", STATUSES) or DRAFT,
        valid_from=section.day("valid_from") or date.min,
        valid_to=section.day("valid_to"),
        legal_reference=section.text("legal_reference"),
        sources=_texts(section.raw("sources"), f"{path}.sources", faults),
        endorsement_required_from=frozenset(channels),
        acquired_right=None
        if right is None
        else AcquiredRight(**values_of(AcquiredRight, right, f"{path}.acquired_right", faults)),
        left_open=_left_open(parameters),
        **values_of(Parameters, parameters, f"{path}.parameters", faults),
    )


def _texts(value: Any, path: str, faults: Faults) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    if listed != value or not all(isinstance(one, str) for one in listed):
        faults.add(
            path, "not_a_list", "Moet een lijst van teksten zijn.", "Has to be a list of texts."
        )
    return tuple(str(one) for one in listed)


def _left_open(parameters: Any) -> frozenset[str]:
    named = parameters if isinstance(parameters, dict) else {}
    return frozenset(name for name, value in named.items() if value is None)


def values_of(kind: type, value: Any, path: str, faults: Faults) -> dict[str, Any]:
    """Read the values of a dataclass whose fields are all optional, by their annotations."""
    types = {column.name: str(column.type) for column in fields(kind)}
    known = frozenset(types)
    section = Section(value, path, known=known, required=frozenset(), faults=faults)
    readers: dict[str, Callable[[str], Any]] = {
        "bool": section.flag,
        "int": section.count,
        "str": section.text,
        "date": section.day,
        "Decimal": section.decimal,
    }
    found = {name: readers[types[name].partition(" ")[0]](name) for name in types}
    return {name: read for name, read in found.items() if read is not None}


def raise_for(programme: str, faults: Faults) -> None:
    """Raise InvalidProgramme when there are faults."""
    if faults.found:
        raise InvalidProgramme(
            Message(
                nl=f"De regels van {programme} bevatten {len(faults.found)} fout(en).",
                en=f"The rules of {programme} hold {len(faults.found)} fault(s).",
            ),
            invalid=faults.found,
        )


PERIOD: Final = frozenset({"valid_from", "valid_to", "parameters"})
_OPTIONAL: Final = frozenset({"acquired_right"})
_HEAD: Final = (
    PERIOD
    | _OPTIONAL
    | frozenset({"version", "status", "legal_reference", "sources", "endorsement_required_from"})
)
