"""The feed's cursor: a position in one participant's inbox, opaque to the one who holds it.

It carries a check of the participant's id, so that a cursor mixed up between two inboxes is refused
instead of silently skipping events. It is no secret and grants nothing.
"""

import base64
import binascii
import hashlib
import struct
from typing import Final

from gateway import errors
from schemas.errors import InvalidParam, Message

_FORM: Final = struct.Struct(">BQ4s")
_VERSION: Final = 1


def encode(participant: str, seq: int) -> str:
    """The cursor that stands after inbox row `seq`."""
    packed = _FORM.pack(_VERSION, seq, _check(participant))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(participant: str, cursor: str) -> int:
    """The inbox row a cursor stands after.

    Raises:
        InvalidCursor: 400, it was not made here, or for another participant.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        version, seq, check = _FORM.unpack(packed)
    except (binascii.Error, ValueError, struct.error) as error:
        raise invalid_cursor() from error
    if version != _VERSION or check != _check(participant) or seq >= 2**63:
        raise invalid_cursor()
    return int(seq)


def _check(participant: str) -> bytes:
    return hashlib.sha256(b"feed:" + participant.encode()).digest()[:4]


def invalid_cursor() -> errors.InvalidCursor:
    """The refusal of a cursor that was never given out for this inbox."""
    reason = Message(
        nl="Gebruik de cursor uit next van een vorig antwoord, ongewijzigd.",
        en="Use the cursor from next of an earlier answer, unchanged.",
    )
    return errors.InvalidCursor(reason, invalid=(InvalidParam("after", "cursor_invalid", reason),))
