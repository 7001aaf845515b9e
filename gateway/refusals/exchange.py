"""Refusals of this kind: the exchange refused an event, at a leg of the decision."""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.refusals.root import GatewayError
from schemas.errors import InvalidParam, Message


class ExchangeError(GatewayError):
    """The exchange refused an event at one leg of the decision.

    Args:
        detail: the sentence for the partner.
        leg: scope, role, agreement, territory, membership, lifecycle or another documented leg.
        invalid: the fields at fault, when it is about fields.
        facts: further problem members, such as `allowed`, the events that may be sent now.
    """

    code = "refused"
    status = 409
    title = Message(nl="Geweigerd", en="Refused")

    def __init__(
        self,
        detail: Message,
        *,
        leg: str = "",
        invalid: Sequence[InvalidParam] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        members = dict(facts or {})
        if leg:
            members.setdefault("leg", leg)
        super().__init__(detail, invalid=invalid, facts=members)

    @property
    def leg(self) -> str:
        """The leg of the decision that failed, empty when none is named."""
        return str(self.facts.get("leg", ""))


class KeptRefusal(ExchangeError):
    """A refusal that was kept with the rest of its answer; it tells what the first one told."""

    code = "kept_refusal"

    def __init__(self, kept: dict[str, Any]) -> None:
        invalid = [
            InvalidParam(one["name"], one["code"], Message(**one["reason"]))
            for one in kept["invalid"]
        ]
        super().__init__(Message(**kept["detail"]), invalid=invalid, facts=kept["facts"])
        vars(self).update(code=kept["code"], status=kept["status"], title=Message(**kept["title"]))


class ScopeRefused(ExchangeError):
    """The client lacks the scope that this event type needs."""

    code = "missing_scope"
    status = 403
    title = Message(nl="Scope ontbreekt", en="Scope missing")


class RoleRefused(ExchangeError):
    """No table lets a participant in this role send this event type."""

    code = "role_not_allowed"
    status = 403
    title = Message(nl="Niet voor deze rol", en="Not for this role")


class UnknownCase(ExchangeError):
    """The case does not exist, or the sender is no part of it: the same answer on purpose."""

    code = "not_found"
    status = 404
    title = Message(nl="Dossier niet gevonden", en="Case not found")


class NoDelegation(ExchangeError):
    """The sender may not act for the organisation in `onbehalfof`, for this event or place."""

    code = "no_delegation"
    status = 403
    title = Message(nl="Geen volmacht", en="No delegation")


class NoAgreement(ExchangeError):
    """No active agreement covers this event, these organisations and this municipality."""

    code = "no_agreement"
    status = 403
    title = Message(nl="Geen overeenkomst", en="No agreement")


class OutsideTerritory(ExchangeError):
    """The sender does not serve the municipality of the case."""

    code = "outside_territory"
    status = 403
    title = Message(nl="Buiten werkingsgebied", en="Outside territory")


class ActorRefused(ExchangeError):
    """The state allows this event, but from somebody else in the case."""

    code = "not_your_step"
    status = 403
    title = Message(nl="Niet uw stap", en="Not your step")


class NotAllowedNow(ExchangeError):
    """The state does not allow this event; the facts list what is allowed now."""

    code = "not_allowed_now"
    status = 409
    title = Message(nl="Nu niet toegestaan", en="Not allowed now")


class VersionDiffers(ExchangeError):
    """The aggregate changed since the sender saw it; the facts hold the version it has now."""

    code = "version_differs"
    status = 409
    title = Message(nl="Intussen gewijzigd", en="Changed meanwhile")


class ErasedHere(ExchangeError):
    """The sender's organisation had its data in this case erased; it sends nothing more to it."""

    code = "erased"
    status = 409
    title = Message(nl="Gewist", en="Erased")


class DutyToKeep(ExchangeError):
    """The data may not be erased yet; `invalid` names each duty, and until when it lasts."""

    code = "duty_to_keep"
    status = 409
    title = Message(nl="Bewaarplicht", en="Duty to keep")


class ClockNotDue(ExchangeError):
    """The hub's own clock is not due: an event came before it. Nobody outside is ever told."""

    code = "clock_not_due"
    status = 409
    title = Message(nl="Niet meer nodig", en="No longer due")


class RuleBroken(ExchangeError):
    """A rule of the domain is not met; the fields and the fix are named."""

    code = "rule_broken"
    status = 422
    title = Message(nl="Regel niet nageleefd", en="Rule not met")


class EventIdReused(ExchangeError):
    """The sender used this event id before, for other content."""

    code = "event_id_reused"
    title = Message(nl="Gebeurtenisnummer al gebruikt", en="Event id already used")


class EventTooLarge(ExchangeError):
    """One event is larger than a record of the log may be, so nobody could ever get it."""

    code = "event_too_large"
    status = 413
    title = Message(nl="Gebeurtenis te groot", en="Event too large")


class IdentifierTaken(ExchangeError):
    """The id given to something new is not a UUID, or exists already."""

    code = "identifier_taken"
    status = 422
    title = Message(nl="Nummer niet bruikbaar", en="Identifier not usable")


class Blocked(ExchangeError):
    """An earlier event of the same case in the same request was refused."""

    code = "blocked"
    title = Message(nl="Niet behandeld", en="Not handled")


class Unresolvable(ExchangeError):
    """An organisation's URN in an event does not name exactly one participant."""

    code = "unresolvable"
    status = 422
    title = Message(nl="Organisatie niet bepaald", en="Organisation not resolved")


class UnknownOrganisation(Unresolvable):
    """The organisation is not registered, or not in a role and territory that fit."""

    code = "unknown_organisation"
    title = Message(nl="Onbekende organisatie", en="Unknown organisation")


class TargetAmbiguous(Unresolvable):
    """The organisation takes part in several roles that fit; `target_role` has to choose."""

    code = "target_ambiguous"
    title = Message(nl="Meerdere rollen mogelijk", en="Several roles possible")
