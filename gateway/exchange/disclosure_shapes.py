"""Lines of the disclosure log in the shapes that others read: pure, one document a line.

`auditregister` has what the Flemish MAGDA Auditregister keeps of a question: reference, what, who,
user, why, when and about whom. `logboek` has the interface of the Dutch standard Logboek
Dataverwerkingen: one line for each data subject, its id encrypted, and nothing of any staff.
The two contradict each other on the user, so the log holds an opaque one, which the organisation
itself resolves, and the second shape leaves even that out.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from consumers.disclosures import Disclosure

STATUS_OK: Final = "STATUS_CODE_OK"
SUBJECT_TYPE: Final = "urn:schakel:subject"


class Seals(Protocol):
    """Encrypts the id of a data subject, the same one always to the same text."""

    def __call__(self, subject_id: str) -> str:
        """The encrypted id."""
        ...


def sealed_with(key: bytes) -> Seals:
    """Encryption under a key of the hub's: AES-SIV (RFC 5297), base64url.

    Deterministic, so that lines about one person can be told to be so by whoever may read them,
    and only the hub can say who it is.
    """
    cipher = AESSIV(key)

    def seal(subject_id: str) -> str:
        sealed = cipher.encrypt(subject_id.encode(), [SUBJECT_TYPE.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    return seal


def unsealed(key: bytes, text: str) -> str:
    """The inverse, for the hub alone. Raises `cryptography.exceptions.InvalidTag`."""
    sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return AESSIV(key).decrypt(sealed, [SUBJECT_TYPE.encode()]).decode()


def reference_of(line: Disclosure) -> str:
    """The line's own reference, unique in the log."""
    return f"{line.event_id}/{line.participant}/{line.door}/{line.revision}"


def auditregister(line: Disclosure, seal: Seals, hub: str) -> dict[str, Any]:
    """One line as the Auditregister keeps it."""
    return {
        "referentie": reference_of(line),
        "wat": {"dienst": hub, "gebeurtenis": line.event_name, "kanaal": line.door},
        "wie": line.participant,
        "gebruiker": line.actor,
        "waarom": {
            "doel": line.purpose,
            "rechtsgrond": line.legal_basis,
            "overeenkomst": line.agreement_id,
            "overeenkomst_sha256": line.agreement_hash,
        },
        "wanneer": to_rfc3339(line.disclosed_at),
        "over_wie": None if line.subject_id is None else seal(line.subject_id),
    }


def logboek(line: Disclosure, seal: Seals, hub: str) -> dict[str, Any]:
    """One line as the Logboek Dataverwerkingen keeps it; of a line about a person only.

    The trace is the one that the event came in with; without one the event's id, which has the
    same sixteen bytes. The processing activity is the agreement that the register publishes.
    """
    moment = line.disclosed_at // 1000
    return {
        "trace_id": line.trace_id or UUID(line.event_id).hex,
        "operation_id": hashlib.sha256(reference_of(line).encode()).hexdigest()[:16],
        "status_code": STATUS_OK,
        "name": f"disclosure.{line.door}",
        "start_time": moment,
        "end_time": moment,
        "resource": {
            "attributes": [
                {"key": "service.name", "value": "schakel"},
                {"key": "service.namespace", "value": hub},
            ]
        },
        "attributes": [
            {"key": "dpl.core.processing_activity_id", "value": _activity(line, hub)},
            {"key": "dpl.core.data_subject_id", "value": seal(line.subject_id or "")},
            {"key": "dpl.core.data_subject_id_type", "value": SUBJECT_TYPE},
        ],
    }


def _activity(line: Disclosure, hub: str) -> str:
    if line.agreement_id is None:  # what the hub owes its participant about its own event
        return f"urn:schakel:purpose:{quote(line.purpose or 'own_event', safe='')}"
    purpose = quote(line.purpose or "", safe="")
    return f"{hub}/v1/agreements/{quote(line.agreement_id, safe='')}#{purpose}"


SHAPES: Final = {"auditregister": auditregister, "logboek": logboek}
