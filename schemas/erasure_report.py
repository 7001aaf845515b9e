"""The report of an erasure: what was erased, who confirmed, and what remains, for people to read.

It is signed as a whole with the hub's proof key; `schakel subject verify` checks that offline.
It never calls what remains anonymous: ids, types, times and organisations are pseudonymised data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.codelists import code_list
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TYPE: Final = "schakel-erasure-report"

NATURE: Final = "pseudonymised"
REMAINS: Final[dict[str, Message]] = {
    "ids": Message("nummers van gebeurtenissen en dossiers", "ids of events and cases"),
    "types": Message("soorten van gebeurtenissen", "types of events"),
    "times": Message("tijdstippen", "times"),
    "organisations": Message("organisaties", "organisations"),
    "ciphertext": Message(
        "versleutelde inhoud zonder sleutel", "encrypted content without its key"
    ),
    "case_state": Message(
        "de stand van het dossier: codes, data en uren",
        "the state of the case: codes, dates, hours",
    ),
    "disclosure_lines": Message(
        "wie wat wanneer kreeg (tien jaar)", "who got what and when (ten years)"
    ),
    "own_topics": Message(
        "kopieën in de Kafka-topics van ontvangers, hoogstens zeven dagen",
        "copies in receivers' Kafka topics, for seven days at most",
    ),
    "number_index": Message(
        "het kenmerk van het rijksregisternummer, omdat anderen gegevens houden",
        "the digest of the national number, because others keep data",
    ),
}
"""What an erasure leaves, by code."""


def text(report: Mapping[str, Any]) -> dict[str, str]:
    """The report in words, by language."""
    return {
        "nl": "\n".join(line.nl for line in _lines(report)),
        "en": "\n".join(line.en for line in _lines(report)),
    }


def _lines(report: Mapping[str, Any]) -> Iterator[Message]:
    ground = code_list("legal_ground").codes[report["legal_ground"]].label
    yield Message(
        f"Verslag van wissing {report['erasure_id']}.", f"Report of erasure {report['erasure_id']}."
    )
    yield Message(
        f"{report['ordered_by']} gaf op {report['ordered_at']} opdracht: {ground.nl}.",
        f"{report['ordered_by']} ordered it at {report['ordered_at']}: {ground.en}.",
    )
    yield from _erased(report)
    yield from _told(report)
    kept = [REMAINS[one] for one in report["remains"]]
    yield Message(
        f"Wat blijft: {', '.join(one.nl for one in kept)}. Dat is gepseudonimiseerd, niet anoniem.",
        f"What remains: {', '.join(one.en for one in kept)}. That is pseudonymised, not anonymous.",
    )
    yield Message(
        "Kopieën in de systemen van ontvangers wist alleen de ontvanger zelf.",
        "Copies in the receivers' own systems are erased by the receivers alone.",
    )


def _erased(report: Mapping[str, Any]) -> Iterator[Message]:
    erased, cases = report["erased"], len(report["cases"])
    events = sum(erased["events"].values())
    if erased["keys_destroyed_at"] is None:
        yield Message("Er is nog niets gewist.", "Nothing is erased yet.")
        return
    yield Message(
        f"{events} gebeurtenissen in {cases} dossier(s) gaan niet meer open "
        f"sinds {erased['keys_destroyed_at']}.",
        f"{events} events in {cases} case(s) do not open any more since "
        f"{erased['keys_destroyed_at']}.",
    )
    if erased["final_at"] is None:
        yield Message(
            "De hoofdsleutel wordt nog vervangen; daarna is het onherroepelijk.",
            "The key-encryption key is still to be replaced; then it is irreversible.",
        )
    else:
        yield Message(
            f"Onherroepelijk sinds {erased['final_at']}.",
            f"Irreversible since {erased['final_at']}.",
        )


def _told(report: Mapping[str, Any]) -> Iterator[Message]:
    if not report["told"]:
        yield Message("Niemand had iets ontvangen.", "Nobody had received anything.")
    for one in report["told"]:
        if one["confirmed_at"] is not None:
            yield Message(
                f"{one['organisation']} bevestigde op {one['confirmed_at']}.",
                f"{one['organisation']} confirmed at {one['confirmed_at']}.",
            )
        else:
            yield Message(
                f"{one['organisation']} weet het sinds {one['told_at']} en bevestigde niet "
                f"({one['reminded']} herinneringen).",
                f"{one['organisation']} was told at {one['told_at']} and did not confirm "
                f"({one['reminded']} reminders).",
            )
