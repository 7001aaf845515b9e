"""A process that rotates and dies by its own hand after so many steps.

Arguments: the keys' store, the ledger's store, the key file, after how many calls to die.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from consumers.database import open_engine
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import KeyRotation


class Mortal(FileKeyEncryption):
    """Dies before the call that is one too many."""

    left = 0

    def wrap(self, key: bytes, bound_to: str) -> bytes:
        """Wrap, unless it is over."""
        self._live()
        return super().wrap(key, bound_to)

    def renew(self) -> str:
        """Renew, and perhaps die before anything else knows."""
        made = super().renew()
        self._live()
        return made

    def destroy(self, key_id: str) -> None:
        """Destroy, and perhaps die before anything else knows."""
        super().destroy(key_id)
        self._live()

    def _live(self) -> None:
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def main(keys: str, ledger: str, file: str, calls: str) -> None:
    """Rotate until death."""
    kek = Mortal(Path(file))
    kek.left = int(calls)
    rotation = KeyRotation(open_engine(keys), kek, open_engine(ledger), slice_size=2)
    rotation.run(1, actor="operator", reason="test")


if __name__ == "__main__":
    main(*sys.argv[1:])
