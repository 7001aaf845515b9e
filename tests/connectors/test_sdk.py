"""A two-way connector in Python, as an author writes one."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from connectors import definition
from connectors.client import HubClient
from connectors.runner import Runner, open_state
from connectors.sdk import Secret
from tests.connectors.workshop import credentials

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.connectors.stub_hub import StubHub

SOURCE = """
import json, pathlib
from connectors.sdk import Connector, Record, Reject, opt, secret

c = Connector("jobcenter", config={"path": opt("?"), "token": secret()}, map={
    "guidance.contact_recorded": {
        "id": ["case_no"],
        "set": {"kind": {"const": "phone"}, "on": {"from": "day", "date": "%d.%m.%Y"}},
        "attributes": {"sourcerecordid": "case_no"},
        "drop": ["n"]}})

@c.source("guidance.contact_recorded", every="15s")
def contacts(cfg, since=(0,)):
    for line in json.loads(pathlib.Path(cfg.path).read_text()):
        if line["n"] > since[0]:
            yield Record(line, at=(line["n"],))

@c.sink("outcome.recorded", batch=2)
def outcomes(cfg, events):
    for e in events:
        if e["data"]["type"] == "unknown":
            yield Reject(e, "no such outcome")
"""


def run(folder: Path, hub: StubHub) -> Runner:
    """One run of the connector in `folder`."""
    state, ids = open_state(folder / "state", "jobcenter")
    with state, HubClient(hub.url, credentials()) as client:
        plan = definition.load(folder, ids, overrides={"path": str(folder / "rows.json")})
        assert isinstance(plan.config.token, Secret)
        runner = Runner(
            plan,
            state=state,
            ids=ids,
            hub=client,
            participant="vdab",
            stop=threading.Event(),
            give_up_seconds=5,
        )
        runner.once()
        letters = state.dead_letters()
    assert {letter.code for letter in letters} == {"unknown_column", "rejected"}
    return runner


def test_source_and_sink_in_one_file(
    tmp_path: Path, hub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows go out once, drift is refused, and a rejected event does not hold up the inbox."""
    monkeypatch.setenv("SCHAKEL_SECRET_JOBCENTER_TOKEN", "kanarie")
    (tmp_path / "connector.py").write_text(SOURCE)
    rows = [{"n": 1, "case_no": "A", "day": "01.03.2026"}]
    rows.append({"n": 2, "case_no": "B", "day": "02.03.2026", "national_number": "x"})
    rows.append({"n": 3, "case_no": "C", "day": "03.03.2026"})
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    for number, kind in enumerate(("regular_job", "unknown", "lde")):
        name = "be.schakel.activation.v1.outcome.recorded"
        hub.inbox.append({"id": f"e{number}", "type": name, "data": {"type": kind}})
    first, second = run(tmp_path, hub), run(tmp_path, hub)
    assert [event["sourcerecordid"] for event in hub.events] == ["A", "C"]
    assert first.totals.records == 3
    assert second.totals.records == 0
