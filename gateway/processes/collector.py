"""The garbage collector of processes that handle many events: it finds next to nothing there."""

from __future__ import annotations

import gc


def spare_collections() -> None:
    """Keep the collector off what lives as long as the process, and call it less often.

    Requests and records leave few cycles behind, and walking every schema, table and module for
    them costs as much as a stage of the work itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
