"""Lines of the disclosure log as people read them, in Dutch or English: who, what, when and why.

Fields are named, never their values. A sensitive sender is named to nobody but a case holder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.catalogue import catalogue
from schemas.codelists import code_list
from schemas.errors import Message
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from consumers.disclosure_log import Count
    from consumers.disclosures import Disclosure
    from gateway.exchange.registry import Registry

HUB: Final = "hub"
_NOTE: Final = Message(
    nl="Dit zijn de gegevens die de hub over dit dossier doorgaf, per ontvanger. Wat een ontvanger "
    "daarna zelf deed, vraagt u bij die ontvanger. Andere dossiers vraagt u bij hun dossierhouder.",
    en="This is what the hub passed on about this case, by receiver. What a receiver did with it "
    "afterwards is to be asked of that receiver; other cases, of their case holders.",
)


class Answer:
    """Tells lines by one registry, in one language."""

    def __init__(self, registry: Registry, language: str) -> None:
        self._registry = registry
        self._language = language

    @property
    def note(self) -> str:
        """What the answer covers, and what it does not."""
        return _NOTE.text(self._language)

    def person_line(self, line: Disclosure) -> dict[str, Any]:
        """A line for the person: all of it, with names and words beside codes."""
        event = catalogue().event(line.event_name)
        return {
            "when": to_rfc3339(line.disclosed_at),
            "who": self._party(line.participant),
            "application": line.actor,
            "from": self._party(line.producer),
            "what": {"code": line.event_name, "label": event.label.text(self._language)},
            "event_id": line.event_id,
            "fields": granted_fields(line),
            "why": self._word("purpose", line.purpose),
            "legal_basis": self._word("legal_basis", line.legal_basis),
            "agreement": line.agreement_id,
            "agreement_hash": line.agreement_hash,
            "door": line.door,
        }

    def own_line(self, line: Disclosure, *, is_received: bool) -> dict[str, Any]:
        """A line for a participant: what it was given, or to whom its event went."""
        is_masked = is_received and self._is_sensitive(line.producer_org)
        return {
            "when": to_rfc3339(line.disclosed_at),
            "participant": line.participant,
            "producer": None if is_masked else line.producer,
            "event": line.event_name,
            "event_id": line.event_id,
            "trajectory_id": line.trajectory_id,
            "withheld": [one for one in line.withheld.split(",") if one],
            "purpose": line.purpose,
            "legal_basis": line.legal_basis,
            "agreement": None if is_masked else line.agreement_id,
            "agreement_hash": None if is_masked else line.agreement_hash,
            # A client is its own organisation's; whoever sent the event need not know its name.
            "application": line.actor if is_received else None,
            "door": line.door,
            "revision": line.revision,
        }

    def count(self, count: Count, *, is_received: bool) -> dict[str, Any]:
        """A count for a participant."""
        sender = self._registry.participant(count.producer)
        is_masked = is_received and sender is not None and self._is_sensitive(sender.organisation)
        return {
            "producer": None if is_masked else count.producer,
            "participant": count.participant,
            "event": count.event_name,
            "purpose": count.purpose,
            "events": count.events,
            "copies": count.copies,
        }

    def _party(self, participant: str) -> dict[str, Any]:
        found = self._registry.participant(participant)
        organisation = self._registry.organisation(found.organisation) if found else None
        name = "Schakel" if participant == HUB else participant
        return {"participant": participant, "name": organisation.name if organisation else name}

    def _is_sensitive(self, organisation: str) -> bool:
        found = self._registry.organisation(organisation)
        return found is not None and found.sensitive_sender

    def _word(self, of: str, code: str | None) -> dict[str, Any] | None:
        if code is None:
            return None
        known = code_list(of).codes.get(code)
        return {"code": code, "label": known.label.text(self._language) if known else code}


def granted_fields(line: Disclosure) -> list[str]:
    """The fields that the copies up to this line held, by their paths; never their values.

    A field may have been empty: the grant is about fields, whatever the event had in them.
    """
    withheld = set(line.withheld.split(","))
    return [
        field.path
        for field in catalogue().event(line.event_name).fields
        if field.path not in withheld
    ]
