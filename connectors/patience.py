"""How long a patient call of the client waits, and with what."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Patience:
    """How failures are waited out.

    Attributes:
        give_up_seconds: how long to wait in all for one answer; None waits for ever.
        pause: waits that many seconds; what it raises ends the reading.
        chance: uniform in [0, 1), for the jitter.
    """

    give_up_seconds: float | None = None
    pause: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
