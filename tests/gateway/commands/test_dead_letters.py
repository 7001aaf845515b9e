"""`schakel dead-letters` shows, redrives and discards over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from gateway.commands import dead_letters
from gateway.commands.dead_letters import MOST
from gateway.commands.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from gateway.commands.hub_place import Place

LETTER: dict[str, Any] = {
    "id": "01a2-letter",
    "subscription_id": "sub-2",
    "participant": "ocmw-tienen",
    "event_id": "01a2-event",
    "type": "referral.created",
    "code": "http_422",
    "attempts": 1,
    "excerpt": "[unknown] code",
    "dead_at": "2026-05-28T20:26:40Z",
    "state": "open",
}
WHOLE = {**LETTER, "failed": [{"number": 1, "at": "2026-05-28T20:26:40Z", "code": "timeout"}]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What a hub with two subscriptions, and one dead letter of the second, was asked."""
    found: list[tuple[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/subscriptions")
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t"})
        if request.method == "POST":
            wanted = json.loads(request.content)
            found.append((path, wanted))
            letters = [LETTER] if "sub-2" in path else []
            return httpx.Response(
                200, json={"count": len(letters), "sample": letters, "no_longer_kept": 0}
            )
        documents: dict[str, Any] = {
            "": {"subscriptions": [{"id": "sub-1"}, {"id": "sub-2"}]},
            "/sub-1/dead-letters": {"dead_letters": []},
            "/sub-3/dead-letters": {
                "dead_letters": [LETTER] * (1 if "before" in request.url.params else MOST),
                "before": "01a2-last",
            },
            "/sub-2/dead-letters": {"dead_letters": [LETTER]},
            "/sub-2/dead-letters/01a2-letter": WHOLE,
        }
        if path in documents:
            return httpx.Response(200, json=documents[path])
        return httpx.Response(404, json={"detail": "none"})

    def session(place: Place, language: str) -> Session:
        return Session(place, language, httpx.MockTransport(answer))

    monkeypatch.setattr(dead_letters, "Session", session)
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    return found


def run(folder: Path, *options: str, answer: str = "") -> Result:
    """The command as an administrator."""
    file = folder / "client.json"
    file.write_text(json.dumps({"client_id": "c", "client_secret": "s", "hub": "http://hub.test"}))
    wanted = [*options, "--credentials", str(file)]
    return CliRunner().invoke(dead_letters.app, wanted, input=answer)


def test_they_are_listed_and_shown(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    """With the reason as a sentence; as JSON they are what the hub answered."""
    listed, shown = run(tmp_path, "list"), run(tmp_path, "show", "01a2-letter")
    as_json = run(tmp_path, "list", "--json")

    assert "The receiver answered 422. [unknown] code" in listed.output
    assert "The receiver did not answer in time." in shown.output
    assert json.loads(as_json.output) == [LETTER]
    assert asked == []


def test_one_is_redriven_by_its_id(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    """Its subscription is looked up; no other is asked."""
    done = run(tmp_path, "redrive", "01a2-letter", "--reason", "mended")

    assert done.exit_code == 0, done.output
    assert "1 redriven." in done.output
    assert asked == [
        (
            "/sub-2/dead-letters/redrive",
            {"ids": ["01a2-letter"], "reason": "mended", "dry_run": False},
        )
    ]


def test_many_are_chosen_and_tried_first(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    """A dry run shows count and sample over all subscriptions."""
    done = run(tmp_path, "discard", "--code", "http_422", "--dry-run")

    assert "1 chosen; nothing was done." in done.output
    assert "01a2-event" in done.output
    assert [(path, one["code"], one["dry_run"]) for path, one in asked] == [
        ("/sub-1/dead-letters/discard", "http_422", True),
        ("/sub-2/dead-letters/discard", "http_422", True),
    ]


def test_an_unknown_one_is_said_to_be_none(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    """Nothing is sent."""
    done = run(tmp_path, "redrive", "01a2-other", "--reason", "x")

    assert (done.exit_code, getattr(done.exception, "code", "")) == (1, "nothing_found")
    assert asked == []


def test_a_choice_of_many_takes_several_calls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each goes on where the one before it stopped; stderr tells how far it is."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    answers = [
        {"count": 3, "sample": [LETTER], "more": True, "after": "7:a", "no_longer_kept": 1},
        {"count": 2, "sample": [], "more": True, "after": "9:b", "no_longer_kept": 1},
        {"count": 1, "sample": [], "more": False, "after": None, "no_longer_kept": 0},
    ]
    places: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t"})
        places.append(json.loads(request.content).get("after"))
        return httpx.Response(200, json=answers[len(places) - 1])

    def session(place: Place, language: str) -> Session:
        return Session(place, language, httpx.MockTransport(answer))

    monkeypatch.setattr(dead_letters, "Session", session)
    done = run(tmp_path, "redrive", "--subscription", "sub-2", "--reason", "mended", "--json")

    assert places == [None, "7:a", "9:b"]
    (whole,) = json.loads(done.stdout)
    assert (whole["count"], whole["no_longer_kept"], whole["more"]) == (6, 2, False)
    assert whole["sample"] == [LETTER]
    assert done.stderr.splitlines() == ["3 done, more to do …", "5 done, more to do …"]


def test_giving_up_many_is_asked_with_the_count(
    asked: list[tuple[str, Any]], tmp_path: Path
) -> None:
    """Nothing is given up before the answer; --yes gives it in advance."""
    options = ("discard", "--reason", "seen")
    no, nobody = run(tmp_path, *options, answer="n\n"), run(tmp_path, *options)
    tried = [one["dry_run"] for _, one in asked]
    yes = run(tmp_path, *options, answer="y\n")
    given = len(asked)
    unasked = run(tmp_path, *options, "--yes")

    assert "Give up 1 of 1 subscription(s) for good?" in no.output
    assert (no.exit_code, getattr(nobody.exception, "code", "")) == (1, "not_confirmed")
    assert tried == [True] * 4
    assert "1 discarded." in yes.output
    assert "Give up" not in unasked.output
    assert "0 chosen" in run(tmp_path, *options, "--subscription", "sub-1").output
    assert [one["dry_run"] for _, one in asked[given : given + 2]] == [False] * 2
    assert [one["dry_run"] for _, one in asked[given + 2 :]] == [True] * 2


def test_one_is_given_up_by_its_id_unasked(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    """Whoever names it means it."""
    assert run(tmp_path, "discard", "01a2-letter", "--reason", "seen").exit_code == 0
    assert [(path, one["dry_run"]) for path, one in asked] == [
        ("/sub-2/dead-letters/discard", False)
    ]


@pytest.mark.parametrize("verb", ["redrive", "discard"])
def test_without_a_reason_nothing_is_asked_of_the_hub(
    asked: list[tuple[str, Any]], tmp_path: Path, verb: str
) -> None:
    """The option is named; its help says when it is needed."""
    done = run(tmp_path, verb, "--yes") if verb == "discard" else run(tmp_path, verb)

    assert getattr(done.exception, "code", "") == "form_incomplete"
    assert asked == []
    assert "Required unless --dry-run" in run(tmp_path, verb, "--help").output


@pytest.mark.usefixtures("asked")
def test_a_list_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """Beside the list, with where the rest is."""
    cut = run(tmp_path, "list", "--subscription", "sub-3", "--json")
    whole = run(tmp_path, "list", "--json")

    assert len(json.loads(cut.stdout)) == MOST
    assert "there are more than these 500" in cut.stderr
    assert "before=01a2-last" in cut.stderr
    assert whole.stderr == ""
