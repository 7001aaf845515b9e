"""The conditions that the lifecycle tables name: what else must hold for a transition.

Each guard is a pure check on the draft; it raises the refusal that names the field and the fix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from consumers.clock import MICROSECONDS_PER_DAY
from gateway.errors import NoAgreement, RuleBroken
from gateway.exchange.draft import Draft, Move, unknown_case
from gateway.exchange.referral_effects import named_target
from gateway.exchange.targets import parts
from schemas.errors import InvalidParam, Message
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.state import Placement, Referral, Trajectory

Guard = Callable[[Draft, Move], None]

REOPENING_DAYS = 30
AFTER_CARE_DAYS = 183
INDEPENDENT = frozenset({"document", "dimona_checked"})
PROGRAMMES_OF = {
    "O": frozenset({"art60_7", "art61"}),
    "S": frozenset({"maatwerk_collectief", "maatwerk_individueel"}),
}


def broken(code: str, nl: str, en: str, field: str | None = None) -> RuleBroken:
    """A refusal by rule `code`; `field` is the one to mend, when there is one."""
    message = Message(nl=nl, en=en)
    invalid = () if field is None else (InvalidParam(name=field, code=code, reason=message),)
    return RuleBroken(message, leg="rules", invalid=invalid, facts={"rule": code})


def target_covered(draft: Draft, move: Move) -> None:
    """A directed referral needs a grant from the referrer's organisation to its target."""
    target = named_target(draft, move.data)
    participant = draft.context.registry.participant(target or "")
    if participant is None or move.actor.role == "HUB":
        return
    grant = draft.context.registry.grants.applicable(
        from_org=draft.sender.organisation,
        to_org=participant.organisation,
        to_role=participant.role,
        event="referral.created",
        territory=draft.nis,
        on=draft.today,
    )
    if grant is None and participant.organisation != draft.sender.organisation:
        raise NoAgreement(
            Message(
                nl=f"Geen actieve overeenkomst dekt een doorverwijzing aan {participant.name} "
                f"voor gemeente {draft.nis}. Sluit er een, of verwijs open door.",
                en=f"No active agreement covers a referral to {participant.name} for "
                f"municipality {draft.nis}. Conclude one, or refer openly.",
            ),
            leg="agreement",
        )


def programme_determined(draft: Draft, move: Move) -> None:
    """Whoever accepts a referral without programme chooses one."""
    referral = draft.case.referrals[move.aggregate_id]
    if referral.programme == "to_be_determined" and "programme" not in move.data:
        raise broken(
            "programme_missing",
            "Deze doorverwijzing heeft nog geen programma. Geef programme mee.",
            "This referral has no programme yet. State programme.",
            "programme",
        )


def new_child(draft: Draft, move: Move) -> None:
    """The child of a redirection is a referral that does not exist yet."""
    if move.data["child_referral_id"] in draft.case.referrals:
        raise broken(
            "child_exists",
            "child_referral_id bestaat al in dit traject. Geef een nieuw UUID.",
            "child_referral_id exists in this trajectory already. Give a fresh UUID.",
            "child_referral_id",
        )


def no_living_placement(draft: Draft, move: Move) -> None:
    """A referral cannot be voided under a placement that lives."""
    living = lifecycles()["placement"].is_active
    if any(living(one.state) for one in _placements_of(draft, move.aggregate_id)):
        raise broken(
            "placement_lives",
            "Aan deze doorverwijzing hangt nog een lopende plaatsing. Beëindig die eerst.",
            "A placement still lives under this referral. End it first.",
        )


def _placements_of(draft: Draft, referral_id: str) -> list[Placement]:
    return [one for one in draft.case.placements.values() if one.referral_id == referral_id]


def within_30_days(draft: Draft, move: Move) -> None:
    """A final state may be taken back for thirty days."""
    case = draft.case
    closed: Referral | Placement = (
        case.referrals.get(move.aggregate_id) or case.placements[move.aggregate_id]
    )
    since = draft.context.now - (closed.closed_at or 0)
    if move.actor.role != "HUB" and since > REOPENING_DAYS * MICROSECONDS_PER_DAY:
        raise broken(
            "too_late_to_reopen",
            "Meer dan 30 dagen geleden afgesloten. Maak een nieuwe doorverwijzing of plaatsing.",
            "Closed more than 30 days ago. Make a new referral or placement.",
        )


def may_plan(draft: Draft, move: Move) -> None:
    """The handler of an accepted referral plans, or the organiser that the handler named."""
    fitting = PROGRAMMES_OF.get(move.actor.role)
    if fitting is not None and move.data["programme"] not in fitting:
        raise broken(
            "programme_of_other_role",
            "Deze rol kan voor dit programma geen plaatsing plannen.",
            "This role cannot plan a placement of this programme.",
            "programme",
        )
    named = move.data.get("referral_id")
    if named is not None and named not in draft.case.referrals:
        raise broken(
            "unknown_referral",
            "referral_id hoort niet bij dit traject.",
            "referral_id is not part of this trajectory.",
            "referral_id",
        )
    referrals = [draft.case.referrals[named]] if named else list(draft.case.referrals.values())
    if not any(_plans_for(one, move.actor.id) for one in referrals):
        raise broken(
            "referral_not_accepted",
            "Plannen kan wie een doorverwijzing aanvaardde, of wie daarbij als organisator "
            "is genoemd. Stuur eerst referral.accepted.",
            "Planning is for whoever accepted a referral, or was named its organiser. "
            "Send referral.accepted first.",
            "referral_id",
        )


def _plans_for(referral: Referral, participant: str) -> bool:
    return referral.state == "accepted" and participant in (referral.handler, referral.organiser)


def mentor(draft: Draft, move: Move) -> None:
    """Every work floor of an organisation has a mentor at the start (R5)."""
    rows = move.data.get("assignments")
    known = draft.case.placements[move.aggregate_id].mentored
    if rows is not None:
        known = known or all("mentor" in row or "household" in row for row in rows)
    if not known:
        raise broken(
            "mentor_missing",
            "Een plaatsing start niet zonder mentor op de werkvloer. Vul assignments[].mentor in "
            "of stuur placement.mentor_assigned.",
            "A placement does not start without a mentor on the work floor. Fill in "
            "assignments[].mentor or send placement.mentor_assigned.",
            "assignments[].mentor",
        )


def insured(_draft: Draft, move: Move) -> None:
    """Nobody starts uninsured."""
    if move.data.get("insured") is not True:
        raise broken(
            "not_insured",
            "Een plaatsing start niet zonder verzekering: insured moet true zijn.",
            "A placement does not start without insurance: insured must be true.",
            "insured",
        )


def declaration(draft: Draft, move: Move) -> None:
    """A start needs a non-displacement declaration, with the placement or on its offer (R9)."""
    stated = move.data.get("declaration", {}).get("declared") is True
    if not stated and not (draft.offer is not None and draft.offer.declared):
        raise broken(
            "declaration_missing",
            "Een plaatsing start niet zonder verklaring van niet-verdringing. Vul declaration in.",
            "A placement does not start without a non-displacement declaration. "
            "Fill in declaration.",
            "declaration",
        )


def case_holder_known(draft: Draft, _move: Move) -> None:
    """No placement starts while nobody holds the case."""
    if draft.case.holder is None:
        raise broken(
            "no_case_holder",
            "Er is nog geen dossierhouder. Het voorgestelde OCMW of VDAB stuurt eerst "
            "trajectory.case_holder_assigned.",
            "There is no case holder yet. The proposed OCMW or VDAB first sends "
            "trajectory.case_holder_assigned.",
        )


def period_not_future(draft: Draft, move: Move) -> None:
    """Hours of a month that has not begun cannot have been worked."""
    if move.data["period"] > draft.today.isoformat()[:7]:
        raise broken(
            "period_in_future",
            "period ligt in de toekomst. Meld uren van een begonnen maand.",
            "period lies in the future. Report hours of a month that has begun.",
            "period",
        )


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


def independent_of_offer(draft: Draft, _move: Move) -> None:
    """Displacement is never resolved by the offer's owner or host."""
    offer = draft.offer
    if offer is None:
        raise unknown_case()
    registry = draft.context.registry
    concerned = (registry.participant(one) for one in (offer.owner, *offer.hosts))
    if any(one is not None and one.organisation == draft.sender.organisation for one in concerned):
        raise broken(
            "not_independent",
            "Wie het aanbod beheert, beslist niet over verdringing. VDAB beslist.",
            "Whoever owns the offer does not decide on displacement. VDAB decides.",
        )


def nothing_open(draft: Draft, _move: Move) -> None:
    """A case closes only when nothing in it is open."""
    open_parts = list(still_open(draft.case))
    if open_parts:
        raise broken(
            "still_open",
            f"Nog open in dit traject: {', '.join(open_parts)}. Rond dat eerst af.",
            f"Still open in this trajectory: {', '.join(open_parts)}. Finish that first.",
        )


def still_open(trajectory: Trajectory) -> list[str]:
    """The aggregates of a trajectory that keep it from closing, as `type state`."""
    tables = lifecycles()
    return [
        f"{kind} {one.state}"
        for kind in ("referral", "placement", "outcome")
        for one in parts(trajectory, kind).values()
        if tables[kind].is_active(one.state)
    ]


def offered_to_another(draft: Draft, move: Move) -> None:
    """A hand-over goes to somebody else."""
    if draft.resolve(move.data["to"], ("V", "O")) == draft.case.holder:
        raise broken(
            "handover_to_self",
            "U bent zelf dossierhouder. Geef in to een andere organisatie op.",
            "You are the case holder yourself. Name another organisation in to.",
            "to",
        )


def open_task(draft: Draft, move: Move) -> None:
    """A task is answered once."""
    task = draft.case.tasks.get(move.data["task_id"])
    if task is None or task.answered is not None:
        raise broken(
            "task_not_open",
            "Deze taak bestaat niet of is al beantwoord.",
            "This task does not exist or was answered already.",
            "task_id",
        )


def after_care(draft: Draft, _move: Move) -> None:
    """After a case closed, guidance goes on for six months."""
    closed_at = draft.case.closed_at
    if closed_at is None or draft.case.state != "closed":
        return
    if draft.context.now - closed_at > AFTER_CARE_DAYS * MICROSECONDS_PER_DAY:
        raise broken(
            "after_care_over",
            "Het traject is meer dan zes maanden gesloten. Heropen het eerst.",
            "The trajectory closed more than six months ago. Reopen it first.",
        )


GUARDS: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        target_covered,
        programme_determined,
        new_child,
        no_living_placement,
        within_30_days,
        may_plan,
        mentor,
        insured,
        declaration,
        case_holder_known,
        period_not_future,
        independent_evidence,
        independent_of_offer,
        nothing_open,
        offered_to_another,
        open_task,
        after_care,
    )
}
"""Guard by the name that the tables use."""
