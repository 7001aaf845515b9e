"""How an agreement and a dry run of a draft look in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.agreement import parse_agreement
from schemas.agreement_diff import described
from schemas.errors import InvalidAgreement

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "valid": ("geldig", "valid"),
    "until_revoked": ("tot opzegging", "until revoked"),
    "waiting": ("wacht op", "waits for"),
    "signed": ("getekend door", "signed by"),
    "accept": ("aanvaard", "accepted"),
    "reject": ("verworpen", "rejected"),
    "revoke": ("opgezegd", "revoked"),
    "delivered": ("velden geleverd", "fields delivered"),
    "of": ("van", "of"),
    "nothing": ("niets wordt geleverd", "nothing is delivered"),
    "field": ("veld", "field"),
    "set": ("veldgroep", "field set"),
    "why": ("waarom niet", "why not"),
    "example": ("voorbeeld", "example"),
    "readers": ("alleen voor", "only for"),
}


def word(name: str, language: str) -> str:
    """A word of this page in a language."""
    dutch, english = WORDS[name]
    return english if language == "en" else dutch


def show_agreement(found: Mapping[str, Any], language: str) -> None:
    """One agreement: its state, period, hash, and who signed what when."""
    console = Console()
    last = found["validity"]["to"] or word("until_revoked", language)
    console.print(f"{found['agreement_id']}  {found['status']}", highlight=False)
    console.print(
        f"  {word('valid', language)}: {found['validity']['from']} - {last}", highlight=False
    )
    console.print(f"  SHA-256: {found['document_hash']}", highlight=False, soft_wrap=True)
    names = {one["organisation"]: one["name"] or one["organisation"] for one in found["parties"]}
    acts = found.get("acts", ())
    for one in acts:
        said = f"{word(one['act'], language)} {one['recorded_at']}, kid {one['key']['kid']}"
        console.print(
            f"  {escape(names.get(one['party'], one['party']))}: {said}",
            highlight=False,
            soft_wrap=True,
        )
    done = {one["party"] for one in acts if one["act"] == "accept"}
    if found["status"] == "proposed":
        missing = ", ".join(name for urn, name in names.items() if urn not in done)
        console.print(
            f"  {word('waiting', language)}: {escape(missing)}", highlight=False, soft_wrap=True
        )


def show_grants(document: Mapping[str, Any], language: str) -> None:
    """What a document gives, a line a grant; of one that this version cannot read, that."""
    try:
        lines = [one.text(language) for one in described(parse_agreement(document))]
    except InvalidAgreement as error:
        lines = [error.detail.text(language)]
    for line in lines:
        Console().print(f"  {escape(line)}", highlight=False, soft_wrap=True)


def show_preview(found: Mapping[str, Any], language: str) -> None:
    """A dry run: the verdict, then each field with what withholds it."""
    console = Console()
    if not found["delivered"]:
        reason = found["reason"][language]
        console.print(f"{word('nothing', language)}: {found['leg']} ({reason})", highlight=False)
        return
    kept, total = sum(one["delivered"] for one in found["fields"]), len(found["fields"])
    of = word("of", language)
    console.print(
        f"{found['event']} -> {found['to']}: {kept} {of} {total} {word('delivered', language)}; "
        f"{found['grant']['purpose']}",
        highlight=False,
        soft_wrap=True,
    )
    titles = ["field", "set", "example", "why"]
    table = Table(*(word(one, language) for one in titles), box=None, pad_edge=False)
    for one in found["fields"]:
        held = "x" if one["has_value"] else ""
        table.add_row(one["path"], one["fieldset"], held, _why(one, language))
    console.print(table)
    readers = {one["path"]: one["readers"] for one in found["fields"] if one["leg"] == "audience"}
    for path, meant in readers.items():
        console.print(
            f"{path}: {word('readers', language)} {', '.join(meant)}",
            highlight=False,
            soft_wrap=True,
        )


def _why(one: Mapping[str, Any], language: str) -> str:
    return "" if one["delivered"] else str(one["reason"][language])
