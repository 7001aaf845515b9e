"""Pairwise pseudonyms: one person is another reference to each participant.

base32(HMAC-SHA256(K[participant], hub subject id)), as `domain.md` §4 has it. It keeps recipients
from joining one person across trajectories; within a trajectory the ids are shared anyway.
"""

import base64
import hashlib
import hmac
from functools import lru_cache


@lru_cache(maxsize=50_000)  # one person has many events, and base32 is slow
def pseudonym(key: bytes, subject_id: str) -> str:
    """The reference of a person for the participant whose pseudonym key this is: 52 characters."""
    digest = hmac.digest(key, subject_id.encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().rstrip("=")
