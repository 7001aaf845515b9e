"""The read side is what the log says: read again from its beginning, it comes out the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.world.replay import replayed, settled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scenarios.stage import Stage


def test_the_log_read_again_gives_the_same(stage: Stage, tmp_path: Path) -> None:
    """Every inbox, with its order in each case, and every fact; nothing was parked."""
    data = stage.where.data
    assert data is not None
    again = replayed(data, tmp_path)
    first = settled(data, again)

    assert again.inbox_rows > 500
    assert again.fact_rows > 50
    assert again.parked == 0
    assert first == again


def test_the_crowd_is_taken_too(stage: Stage) -> None:
    """Beside the journeys, everybody else's events are accepted without a surprise."""
    played = stage.player.played

    assert not played.surprises
    assert played.counts["accepted"] > stage.events / 2
