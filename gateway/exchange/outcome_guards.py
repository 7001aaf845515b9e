"""What else must hold for an outcome: evidence, dates, once each month.

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.draft import broken

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

INDEPENDENT = frozenset({"document", "dimona_checked"})


def independent_evidence(draft: Draft, move: Move) -> None:
    """Whoever recorded an outcome confirms it only on paper or Dimona."""
    recorder = draft.context.registry.participant(draft.case.outcomes[move.aggregate_id].recorder)
    same = recorder is not None and recorder.organisation == draft.sender.organisation
    if same and move.data.get("evidence") not in INDEPENDENT:
        raise broken(
            "evidence_not_independent",
            "U registreerde dit resultaat zelf: bevestig met evidence document of dimona_checked.",
            "You recorded this outcome yourself: confirm with evidence document or dimona_checked.",
            "evidence",
        )


def outcome_dated(draft: Draft, move: Move) -> None:
    """An outcome happened, and not before the placement that it is of began."""
    on = move.data.get("on")
    if on is None:
        return
    if on > draft.today.isoformat():
        raise broken(
            "outcome_in_future",
            "on ligt in de toekomst. Registreer een resultaat wanneer het er is.",
            "on lies in the future. Record an outcome once it is there.",
            "on",
        )
    known = draft.case.outcomes.get(move.aggregate_id)
    named = move.data.get("placement_id") or (known.placement_id if known else None)
    placement = draft.case.placements.get(named or "")
    if placement is not None and placement.start_date is not None and on < placement.start_date:
        raise broken(
            "outcome_before_start",
            f"on ligt voor de start van de plaatsing ({placement.start_date}).",
            f"on lies before the start of the placement ({placement.start_date}).",
            "on",
        )


def outcome_of_known(draft: Draft, move: Move) -> None:
    """The placement that an outcome names is one of this case."""
    named = move.data.get("placement_id")
    if named is not None and named not in draft.case.placements:
        raise broken(
            "unknown_placement",
            "placement_id hoort niet bij dit traject.",
            "placement_id is not part of this trajectory.",
            "placement_id",
        )


def followed_up_once(draft: Draft, move: Move) -> None:
    """Three, six and twelve months on, it is said once how it goes."""
    if move.data["month"] in draft.case.outcomes[move.aggregate_id].followed_up:
        raise broken(
            "already_followed_up",
            "Voor deze maand is al gezegd hoe het loopt.",
            "How it goes was said for this month already.",
            "month",
        )
