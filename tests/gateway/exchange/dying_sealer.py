"""A sealer that kills itself with kill -9 in the middle of a transaction.

Run as a module with the ledger's URL, a folder and how many transactions it may finish first.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import event

from consumers.database import open_engine
from gateway.exchange.sealer import SEALER_LOCK, Sealer
from gateway.exchange.seats import open_seat


def main(url: str, folder: Path, finished: int) -> None:
    """Seal one leaf at a time until it dies."""
    engine, reader = open_engine(url), open_engine(url, read_only=True)
    left = finished

    @event.listens_for(engine, "before_cursor_execute")
    def die(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal left
        if statement.startswith("delete from unsealed"):  # the leaf is written, not committed
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    seat = open_seat(engine, SEALER_LOCK, folder / "sealer.lock")
    Sealer(engine, reader, seat=seat, stop=threading.Event(), chunk=1).run()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
