"""What an erasure does to a case: its organisation is out of it, and nobody waits for it any more.

The keys are destroyed afterwards, outside the ledger (`erasures.py`): from this event on nothing of
the organisation is sealed about this person, so that no key is needed that is about to go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.errors import DutyToKeep, ErasedHere
from gateway.exchange.decision import HUB
from gateway.exchange.draft import broken
from gateway.exchange.retention_duties import retention_duties
from gateway.exchange.sealing import NOTICE
from gateway.exchange.trajectory_effects import moved
from schemas.errors import InvalidParam, Message
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.retention_duties import RetentionDuty
    from gateway.exchange.state import Trajectory
    from schemas.errors import SchakelError

PARTY_ERASED = "party_erased"

WHAT = {
    "case_holder": Message("dossierhouder van een open dossier", "holder of an open case"),
    "open_referral": Message("een lopende toeleiding", "a referral under way"),
    "placement_insurance": Message(
        "een lopende plaatsing met verzekering", "a placement under way, with its insurance"
    ),
    "acquired_right": Message("een verworven recht", "an acquired right"),
    "open_outcome": Message("een uitkomst die niet bevestigd is", "an outcome not confirmed yet"),
    "open_task": Message("een taak zonder antwoord", "a task without an answer"),
}


def no_duty_to_keep(draft: Draft, _move: Move) -> None:
    """The organisation has nothing more to do here; asked again under the ledger's locks."""
    found = retention_duties(draft.case, _own(draft), draft.context.now)
    if found:
        raise duty_to_keep(found)


def erased(draft: Draft, move: Move) -> None:
    """Remember in the case and the person that its participants know them no more."""
    moved(draft, move)
    own = _own(draft)
    case, person = draft.case, draft.person
    draft.change(
        erased=tuple(sorted({*case.erased, *own})),
        holder=None if case.holder in own else case.holder,
        proposed_holder=None if case.proposed_holder in own else case.proposed_holder,
        viewers=tuple(one for one in case.viewers if one not in own),
    )
    draft.subject = replace(person, erased=tuple(sorted({*person.erased, *own})))


def check_not_erased(draft: Draft) -> None:
    """Nothing more comes from whoever had its data erased here.

    Raises:
        ErasedHere: the sender, or whoever a clock or errand of the hub acts for.
    """
    if draft.trajectory is None or draft.submission.event.name == NOTICE:
        return
    if not _knows_no_more(draft, draft.sender.id):
        return
    raise ErasedHere(
        Message(
            nl="Uw organisatie liet haar gegevens in dit dossier wissen. "
            "Een nieuwe toeleiding begint een nieuw dossier.",
            en="Your organisation had its data in this case erased. "
            "A new referral begins a new case.",
        ),
        leg="lifecycle",
    )


def check_parties(draft: Draft) -> None:
    """Nobody is given a part by a participant who had its data about the person erased.

    Whoever did could answer nothing. A referral that only the hub led to this person is decided
    again, about somebody new (`writer.py`).

    Raises:
        RuleBroken: a target, endorser, organiser or holder that the event brings in.
    """
    before = draft.context.trajectory
    if draft.trajectory is None or draft.submission.participant == HUB:
        return
    known = set() if before is None else _to_act(before)
    if any(_knows_no_more(draft, one) for one in _to_act(draft.trajectory) - known):
        raise broken(
            PARTY_ERASED,
            "Een organisatie die hier een rol zou krijgen, kan in dit dossier niets meer doen. "
            "Kies een andere, of verwijs opnieuw zonder dossier of eigen nummer: dan begint een "
            "nieuw dossier.",
            "An organisation that would get a part here can do nothing more in this case. Choose "
            "another, or refer again without a case or a number of your own: that begins a new "
            "case.",
        )


def is_party_erased(error: SchakelError) -> bool:
    """Whether `check_parties` refused it."""
    return error.facts.get("rule") == PARTY_ERASED


def _to_act(case: Trajectory) -> set[str]:
    """Everybody from whom the case or a referral under way expects something."""
    is_active = lifecycles()["referral"].is_active
    found = {case.holder, case.proposed_holder, case.offered_holder}
    for one in case.referrals.values():
        if is_active(one.state):
            found |= {one.endorser, one.target, one.handler, one.organiser}
    return {one for one in found if one is not None}


def _knows_no_more(draft: Draft, participant: str) -> bool:
    """By its organisation: a participant that is registered later knows no more than the others."""
    gone = {*draft.case.erased, *draft.person.erased}
    registry = draft.context.registry
    found = registry.participant(participant)
    if found is None or participant in gone:
        return participant in gone
    return any(one.id in gone for one in registry.participants_of(found.organisation))


def duty_to_keep(found: Sequence[RetentionDuty]) -> DutyToKeep:
    """The refusal that names every duty, and until when it lasts."""
    reasons = [
        InvalidParam(f"{one.trajectory_id}/{one.concerns}", one.what, _told(one)) for one in found
    ]
    return DutyToKeep(
        Message(
            nl="Deze gegevens moeten nog bewaard blijven. Rond eerst af wat hieronder staat.",
            en="These data have to be kept for now. Bring what is listed to an end first.",
        ),
        leg="lifecycle",
        invalid=reasons,
    )


def _told(duty: RetentionDuty) -> Message:
    what = WHAT[duty.what]
    if duty.until is None:
        return Message(nl=f"{what.nl}, tot die eindigt.", en=f"{what.en}, until it ends.")
    return Message(nl=f"{what.nl}, tot {duty.until}.", en=f"{what.en}, until {duty.until}.")


def _own(draft: Draft) -> frozenset[str]:
    found = draft.context.registry.participants_of(draft.sender.organisation)
    return frozenset(one.id for one in found)
