"""Pairwise pseudonyms: one person is another reference to each participant.

base32(HMAC-SHA256(K[participant], hub subject id)), as `domain.md` §4 has it. It keeps recipients
from joining one person across trajectories; within a trajectory the ids are shared anyway.
"""

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Any

PERSONS = {
    "subject.linked": ("other_ref",),
    "subject.unlinked": ("other_ref",),
    "subject.merged": ("old_ref", "new_ref"),
    "trajectory.task_raised": ("other_ref",),
}
"""Fields that name another person: the hub's id in the ledger, a pseudonym everywhere else."""


@lru_cache(maxsize=50_000)  # one person has many events, and base32 is slow
def pseudonym(key: bytes, subject_id: str) -> str:
    """The reference of a person for the participant whose pseudonym key this is: 52 characters."""
    digest = hmac.digest(key, subject_id.encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().rstrip("=")


def as_seen_by(key: bytes, event: str, data: dict[str, Any]) -> dict[str, Any]:
    """The data with every person in it named as the participant of this key knows them."""
    named = [one for one in PERSONS.get(event, ()) if one in data]
    return data | {one: pseudonym(key, data[one]) for one in named} if named else data
