"""`schakel events refer|offers`: seven fields from a terminal, and open places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from gateway.commands import events
from gateway.commands.hub_place import Place
from gateway.commands.refer import QUESTIONS, complete, search, send, told
from gateway.commands.session import Session
from gateway.errors import FormIncomplete, RefusedByHub
from tests.gateway.api.conftest import PARTNER, hub
from tests.gateway.api.samples import CANARY, form
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.errors import Message
    from tests.gateway.api.whole_hub import Hub

__all__ = ["hub"]


def reached(hub: Hub) -> httpx.MockTransport:
    """The way to a hub whose issuer gives the partner a token."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": PARTNER})
        path = request.url.raw_path.decode()
        found = hub.client.call(
            request.method, path, content=request.content, headers=dict(request.headers)
        )
        return httpx.Response(found.status_code, content=found.content)

    return httpx.MockTransport(handle)


def session(hub: Hub, language: str = "nl") -> Session:
    """The partner's session."""
    place = Place("http://hub.test", {"client_id": "partner", "client_secret": "geheim"})
    return Session(place, language, reached(hub))


def test_a_referral_tells_who_answers_by_when(hub: Hub) -> None:
    """The hub's own sentence, the number, and the same again for the same key."""
    with session(hub) as asked:
        first = send(asked, form(), "k-1", dry_run=False)
        again = send(asked, form(), "k-1", dry_run=False)
    lines = told(first, "nl")

    assert first == again
    assert lines[0].startswith(f"{cast.RELATED['O']} antwoordt vóór 11 juni")
    assert first["referral_id"] in lines[1]


def test_a_dry_run_says_that_nothing_was_sent(hub: Hub) -> None:
    """Who would answer, and no number."""
    with session(hub, "en") as asked:
        answer = send(asked, form(), "k-1", dry_run=True)

    assert told(answer, "en")[1] == "Nothing was sent."
    assert "referral_id" not in answer


def test_a_refusal_names_the_fields(hub: Hub) -> None:
    """What is wrong comes through with its field and reason, and without the value."""
    with session(hub) as asked, pytest.raises(RefusedByHub) as refused:
        send(asked, form(postcode="1804"), "k-1", dry_run=False)
    error = refused.value

    assert (error.status, error.invalid[0].name) == (422, "postcode")
    assert "Vilvoorde" in error.invalid[0].reason.nl
    assert CANARY not in repr(error.invalid)


def test_a_terminal_is_asked_for_what_is_missing() -> None:
    """In the order of the form; with a phone number nobody is asked for e-mail."""
    asked: list[str] = []
    answers = {**form(), "phone": ""}

    def ask(name: str, _question: Message) -> str:
        asked.append(name)
        return str(answers.get(name, "amina@example.org"))

    whole = complete({"programme": "wijk_werken"}, ask)

    assert asked == [name for name in QUESTIONS if name != "programme"]
    assert whole["email"] == "amina@example.org"
    assert "phone" not in whole
    assert "email" not in complete(form(), None)


def test_elsewhere_everything_missing_is_named() -> None:
    """All at once, as options."""
    with pytest.raises(FormIncomplete) as refused:
        complete({"given_name": "Amina", "nis": "24107"}, None)

    assert "--family-name" in refused.value.detail.nl
    assert "--phone of --email" in refused.value.detail.nl
    assert "--phone or --email" in refused.value.detail.en
    assert {one.name for one in refused.value.invalid} == {
        *("programme", "reason", "family_name", "email", "informed_person_at"),
    }


@pytest.mark.parametrize("text", ["", "[]", "no json"])
def test_standard_input_is_one_object(text: str) -> None:
    """Anything else is an error before the hub is asked."""
    result = CliRunner().invoke(events.app, ["refer", "--stdin"], input=text)

    assert isinstance(result.exception, FormIncomplete)


def test_offers_need_no_credentials(hub: Hub, tmp_path: Path) -> None:
    """All pages, by the filters that were given; a wrong one is named."""
    (tmp_path / "hub.toml").write_text('gateway = "http://hub.test"')
    found: list[dict[str, Any]] = search("http://hub.test", {"free": "true"}, "nl", reached(hub))
    with pytest.raises(RefusedByHub) as refused:
        search("http://hub.test", {"nis": "99999"}, "nl", reached(hub))

    assert found == []
    assert refused.value.invalid[0].name == "nis"
    nowhere = CliRunner().invoke(events.app, ["offers", "--data", str(tmp_path / "none")])
    assert nowhere.exit_code == 1
    assert json.dumps(found) == "[]"
