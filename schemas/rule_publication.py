"""A rule file: what a decree changes, as one document that is published without a release.

It holds whole rule sets, the name of a programme that is new, and how running placements are
converted. From the first day of its rule sets on they stand in the place of those before; nothing
before that day changes. A programme that the file does not name stays as it is.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from schemas.canonical import canonical
from schemas.conversion import Conversion, read_conversions
from schemas.documents import Faults, Section, plain
from schemas.errors import InvalidRuleFile, Message
from schemas.rule_reading import rule_sets_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.rule_set import RuleSet

_REFERENCE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}", re.ASCII)
_HINT: Final = "een reference / a reference"
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII)
_CONTENTS: Final = frozenset({"programmes", "conversions", "withdraws"})
_REQUIRED: Final = frozenset({"reference", "title"})


@dataclass(frozen=True, slots=True)
class RulePublication:
    """One rule file, read.

    Attributes:
        reference: names it for ever.
        title: what it is about, for people.
        rule_sets: of each programme it names, oldest first.
        labels: names of programmes for people.
        withdraws: references of earlier proposals that it takes back before they begin.
        content: the document as plain JSON, as it is kept.
        hash: SHA-256, in hexadecimal, of its canonical JSON.
    """

    reference: str
    title: Message
    rule_sets: Mapping[str, tuple[RuleSet, ...]]
    labels: Mapping[str, Message]
    conversions: tuple[Conversion, ...]
    withdraws: tuple[str, ...]
    content: Mapping[str, Any] = field(repr=False)
    hash: str

    def begins(self) -> date:
        """The first day on which anything changes by it."""
        days = [sets[0].valid_from for sets in self.rule_sets.values()]
        return min((*days, *(one.effective for one in self.conversions)), default=date.max)


def parse_publication(document: Any) -> RulePublication:
    """Read a rule file from parsed YAML or JSON.

    Raises:
        InvalidRuleFile: listing every fault with its place and what to do.
    """
    faults = Faults()
    content = plain(document)
    section = Section(content, "", known=_REQUIRED | _CONTENTS, required=_REQUIRED, faults=faults)
    reference = section.text("reference", _is_reference)
    title = _words(section.raw("title"), "title", faults)
    rule_sets, labels = _programmes(section.raw("programmes"), faults)
    conversions = read_conversions(section.raw("conversions"), "conversions", faults)
    withdraws = section.many_of(
        "withdraws", lambda one: _REFERENCE.fullmatch(one) is not None, _HINT
    )
    if isinstance(content, dict) and not _CONTENTS & content.keys():
        nl, en = (
            "Noem wat verandert: programmes, conversions of withdraws.",
            ("Say what changes: programmes, conversions or withdraws."),
        )
        faults.add("programmes", "missing", nl, en)
    if faults.found:
        raise refused(faults)
    return RulePublication(
        reference=reference or "",
        title=title,
        rule_sets=rule_sets,
        labels=labels,
        conversions=conversions,
        withdraws=withdraws,
        content=content,
        hash=hashlib.sha256(canonical(content)).hexdigest(),
    )


def _is_reference(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def refused(faults: Faults) -> InvalidRuleFile:
    """The error for all faults of a rule file."""
    count = len(faults.found)
    return InvalidRuleFile(
        Message(
            nl=f"Het regelbestand heeft {count} fout(en); er is niets gewijzigd.",
            en=f"The rule file has {count} fault(s); nothing was changed.",
        ),
        invalid=faults.found,
    )


def _programmes(
    value: Any, faults: Faults
) -> tuple[dict[str, tuple[RuleSet, ...]], dict[str, Message]]:
    rule_sets: dict[str, tuple[RuleSet, ...]] = {}
    labels: dict[str, Message] = {}
    if not isinstance(value, dict) or not value:
        if value is not None:
            nl, en = "Noem minstens één programma.", "Name at least one programme."
            faults.add("programmes", "missing", nl, en)
        return rule_sets, labels
    for code, entry in value.items():
        path = f"programmes.{code[:40]}"
        if not _CODE.fullmatch(code):
            nl = "Een programmacode telt 2 tot 40 kleine letters, cijfers of lage streepjes."
            en = "A programme's code has 2 to 40 lower-case letters, digits or underscores."
            faults.add(path, "invalid_programme", nl, en)
        known = frozenset({"label", "rule_sets"})
        section = Section(entry, path, known=known, required=known - {"label"}, faults=faults)
        if section.raw("label") is not None:
            labels[code] = _words(section.raw("label"), f"{path}.label", faults)
        rule_sets[code] = rule_sets_at(code, section.raw("rule_sets"), f"{path}.rule_sets", faults)
    return rule_sets, labels


def _words(value: Any, path: str, faults: Faults) -> Message:
    """A text in Dutch and English."""
    both = frozenset({"nl", "en"})
    section = Section(value, path, known=both, required=both, faults=faults)
    return Message(nl=section.text("nl") or "", en=section.text("en") or "")
