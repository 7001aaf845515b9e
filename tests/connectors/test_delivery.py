"""A sink that cannot be written now: said, tried again, and in nobody's way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from connectors.client import HubClient
from connectors.csv_sink import CsvSink
from connectors.errors import SinkNotReady
from connectors.mapping_file import parse_row_map
from connectors.runner import Plan, Runner, open_state
from connectors.sdk import Config, Connector, Event, Record, Retry
from tests.connectors.test_csv_kind import delivered
from tests.connectors.workshop import credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.connectors.stub_hub import StubHub

CONTACT = "guidance.contact_recorded"
MAP = {
    "event": CONTACT,
    "id": ["case"],
    "attributes": {"sourcerecordid": "case"},
    "set": {"kind": {"const": "phone"}, "on": {"const": "2026-03-01"}},
}


class Scene:
    """One row to send, one event to write, and a sink that is not ready at its first calls."""

    def __init__(self, hub: StubHub, *, refusals: int, after: float) -> None:
        self.hub = hub
        self.stop = threading.Event()
        self.reads = 0
        self.written: list[str] = []
        self._refusals = refusals
        self._after = after
        hub.inbox = [delivered(1)]

    def runner(self, state: Any, ids: Any, client: HubClient) -> Runner:
        """A runner that gives up waiting after half a second."""
        connector = Connector("test")
        connector.source("contacts", every="10ms", name="rows")(self._read)
        connector.sink(name="files")(self._write)
        plan = Plan(connector, Config({}), {"contacts": parse_row_map("contacts", MAP)})
        return Runner(
            plan,
            state=state,
            ids=ids,
            hub=client,
            participant="vdab",
            stop=self.stop,
            give_up_seconds=0.5,
        )

    def _read(self, _config: Config, since: int = 0) -> Iterator[Record]:
        self.reads += 1
        if self.reads == 3:
            self.stop.set()
        if since == 0:
            yield Record({"case": "A"}, at=1)

    def _write(self, _config: Config, events: Sequence[Event]) -> None:
        if self._refusals:
            self._refusals -= 1
            raise Retry(self._after, what="opvolging.csv") from PermissionError("A, Amina")
        self.written += [event.id for event in events]


def run(scene: Scene, folder: Path, way: str) -> list[dict[str, Any]]:
    """One run, `once` or until stopped; returns what it logged."""
    state, ids = open_state(folder, "test")
    with state, HubClient(scene.hub.url, credentials()) as client, capture_logs() as logs:
        getattr(scene.runner(state, ids, client), way)()
    return [dict(line) for line in logs]


def test_one_run_says_what_is_not_ready_and_ends(tmp_path: Path, hub: StubHub) -> None:
    """The rows are sent all the same; then the run ends and names the sink and the file."""
    scene = Scene(hub, refusals=1000, after=0.05)
    with pytest.raises(SinkNotReady) as ended:
        run(scene, tmp_path, "once")
    assert hub.names() == [CONTACT]
    assert "files (opvolging.csv): PermissionError" in ended.value.detail.nl
    assert "Amina" not in str(ended.value.detail)


def test_one_run_waits_for_a_sink_that_comes_back(tmp_path: Path, hub: StubHub) -> None:
    """Within its patience nothing is given up."""
    scene = Scene(hub, refusals=2, after=0.01)
    logs = run(scene, tmp_path, "once")
    assert scene.written == ["e-1"]
    told = [(line["sink"], line["attempt"], line["kind"]) for line in logs if is_wait(line)]
    assert told == [("files", 1, "PermissionError"), ("files", 2, "PermissionError")]


def test_a_sink_that_waits_holds_up_no_source(tmp_path: Path, hub: StubHub) -> None:
    """While the sink is not due again, the source is read turn after turn."""
    scene = Scene(hub, refusals=1000, after=60)
    watchdog = threading.Timer(20, scene.stop.set)
    watchdog.start()
    logs = run(scene, tmp_path, "run")
    watchdog.cancel()
    assert scene.reads == 3
    assert [line["attempt"] for line in logs if is_wait(line)] == [1]


def test_the_csv_sink_names_the_file(tmp_path: Path) -> None:
    """A folder where the file should be: the file is named, nothing of the event is."""
    (tmp_path / "overige.csv").mkdir()
    with pytest.raises(Retry) as asked:
        CsvSink(tmp_path, ()).write(Config({}), [Event("e-1", "referral.accepted", {}, {})])
    assert asked.value.what == str(tmp_path / "overige.csv")


def is_wait(line: dict[str, Any]) -> bool:
    """Whether a log line says that a sink is waited for."""
    return bool(line["event"] == "sink_not_ready")
