"""`schakel subject` sends the one event that it is named after, as the caller."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from gateway.commands import subject
from gateway.commands.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from gateway.commands.hub_place import Place

CASE = "01a20b43-1826-7e2d-b345-6afdde7a5ffb"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events that a hub was sent; it records each of them."""
    events: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t"})
        if request.url.path == "/v1/me":
            return httpx.Response(200, json={"participant": "ocmw-tienen"})
        assert request.headers["content-type"] == "application/cloudevents+json"
        events.append(json.loads(request.content))
        return httpx.Response(201, json={"event_id": "event-1"})

    def session(place: Place, language: str) -> Session:
        return Session(place, language, httpx.MockTransport(answer))

    monkeypatch.setattr(subject, "Session", session)
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    return events


def run(folder: Path, *options: str, given: str = "") -> Result:
    """The command as a client of an OCMW."""
    file = folder / "client.json"
    file.write_text(json.dumps({"client_id": "c", "client_secret": "s", "hub": "http://hub.test"}))
    return CliRunner().invoke(subject.app, [*options, "--credentials", str(file)], input=given)


@pytest.mark.parametrize(
    ("command", "name", "data"),
    [
        ("merge --old-ref a --new-ref b", "subject.merged", {"old_ref": "a", "new_ref": "b"}),
        ("rectify", "subject.details_changed", {"person": {"phone": "+32 000 12 34 56"}}),
        ("object --purpose evidence", "subject.objection_recorded",
         {"scope": {"purpose": "evidence"}}),
        ("lift --organisation urn:x", "subject.objection_lifted",
         {"scope": {"organisation": "urn:x"}}),
        ("withdraw-consent", "subject.consent_withdrawn", {"scope": {}}),
    ],
)  # fmt: skip
def test_each_command_sends_its_event(
    sent: list[dict[str, Any]],
    tmp_path: Path,
    command: str,
    name: str,
    data: dict[str, Any],
) -> None:
    """On the case that was named, and says under which id it was recorded."""
    verb, *options = command.split()
    given = json.dumps(data) if verb == "rectify" else ""
    done = run(tmp_path, verb, CASE, *options, "--id", "own-1", given=given)

    assert done.exit_code == 0, done.output
    assert "event-1" in done.output
    (event,) = sent
    assert event.pop("time")
    assert event == {
        "specversion": "1.0",
        "id": "own-1",
        "source": "urn:schakel:participant:ocmw-tienen",
        "type": f"be.schakel.activation.v1.{name}",
        "trajectoryid": CASE,
        "data": data,
    }


def test_what_is_no_object_is_not_sent(sent: list[dict[str, Any]], tmp_path: Path) -> None:
    """Neither something else nor nothing at all."""
    for given in ("", "[]", "{}"):
        done = run(tmp_path, "rectify", CASE, given=given)
        assert (done.exit_code, getattr(done.exception, "code", "")) == (1, "form_incomplete")
    assert sent == []
