"""The partner's client of the hub, over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

import connectors.client
from connectors.answers import Warned, item_of, page_of, receipt_of
from connectors.client import HubClient, InvalidEvents, MemoryCursor, Patience, Wanted
from connectors.credentials import Credentials, load_credentials, parse_credentials
from connectors.errors import HubRefused, HubUnavailable, InvalidCredentials
from connectors.sdk import Secret
from tests.connectors.workshop import credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.following import Form
    from tests.connectors.stub_hub import StubHub


ROOT = Path(__file__).parents[2]
WITHOUT_THE_HUB = """
import importlib, pkgutil, re, sys
from importlib.metadata import packages_distributions, requires
from packaging.requirements import Requirement


def plain(name):
    return re.sub("[-_.]+", "-", name).lower()


def closure(name, extra, found):
    for text in requires(name) or ():
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            if plain(one.name) not in found:
                found.add(plain(one.name))
                closure(one.name, "", found)
    return found


installed = closure("schakel", "connectors", set())
owners = packages_distributions()


class Absent:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in ("gateway", "consumers"):
            raise ModuleNotFoundError(name + " is the hub's")
        if top in owners and top not in ("connectors", "schemas") and (
            not installed & {plain(one) for one in owners[top]}
        ):
            raise ModuleNotFoundError(name + " does not come with schakel[connectors]")


sys.meta_path.insert(0, Absent())
import connectors
for found in pkgutil.walk_packages(connectors.__path__, "connectors."):
    if ".ready." not in found.name:
        importlib.import_module(found.name)
        print(found.name)
try:
    import fastapi
except ModuleNotFoundError:
    print("alone")
"""


def event(name: str, **changed: Any) -> dict[str, Any]:
    """A CloudEvent that the stub records."""
    kind = "be.schakel.activation.v1.referral.created"
    return {"specversion": "1.0", "id": name, "type": kind, "data": {}} | changed


def test_a_duplicate_gives_the_receipt_of_the_first(hub: StubHub) -> None:
    """Publishing the same event again is safe and tells the same."""
    with HubClient(hub.url, credentials()) as client:
        assert client.publish(event("a")) == client.publish(event("a"))
    assert len(hub.events) == 1


def test_other_content_under_one_id_is_refused(hub: StubHub) -> None:
    """An id belongs to one content."""
    with HubClient(hub.url, credentials()) as client:
        client.publish(event("a"))
        with pytest.raises(HubRefused) as refused:
            client.publish(event("a", data={"x": 1}))
    assert refused.value.problem_code == "id_reused"


def test_a_refused_token_is_asked_for_anew_once(hub: StubHub) -> None:
    """One 401 is an expired token; a second one is the credentials."""
    with HubClient(hub.url, credentials()) as client:
        hub.failures.append((401, {}))
        client.publish(event("a"))
        hub.failures.extend([(401, {}), (401, {})])
        with pytest.raises(InvalidCredentials):
            client.publish(event("b"))
    assert hub.authorizations.count("DPoP t2") >= 1


def test_retry_after_is_told(hub: StubHub) -> None:
    """What the hub asks for reaches whoever decides how long to wait."""
    hub.failures.append((503, {"retry-after": "7"}))
    with HubClient(hub.url, credentials()) as client, pytest.raises(HubUnavailable) as error:
        client.publish(event("a"))
    assert error.value.retry_after_seconds == 7


def quick() -> Patience:
    """Patience that does not really wait."""
    return Patience(give_up_seconds=60, pause=lambda _seconds: None)


def test_only_what_has_no_answer_is_sent_again(hub: StubHub) -> None:
    """Outages repeat the same batch under the same ids; refused and blocked come back as such."""
    hub.failures.extend([(503, {"retry-after": "1"}), (429, {})])
    hub.refuse = lambda one: ("not_now", "no") if one["id"] == "b" else None
    events = [event("a"), event("b", sourcerecordid="n"), event("c", sourcerecordid="n")]
    with HubClient(hub.url, credentials()) as client:
        answers = client.publish_many(events, quick())

    assert [one.status for one in answers] == ["accepted", "rejected", "blocked"]
    assert (answers[1].code, answers[1].step) == ("not_now", "lifecycle")
    assert [one["id"] for one in hub.events] == ["a"]
    assert hub.calls.count("POST /v1/events") == 3


@pytest.mark.parametrize("ids", [["a", "a"], ["a", ""], ["a", None], ["a", 5]])
def test_events_that_cannot_be_told_apart_are_not_sent(hub: StubHub, ids: list[Any]) -> None:
    """Their answers could not be told apart either."""
    with HubClient(hub.url, credentials()) as client, pytest.raises(InvalidEvents):
        client.publish_many([event("x") | {"id": one} for one in ids])
    assert not hub.calls


@pytest.mark.parametrize("form", ["json", "ndjson", "sse"])
def test_each_form_of_the_feed_gives_the_same_events(hub: StubHub, form: Form) -> None:
    """With the filter in the query, and a cursor that a restart goes on from."""
    hub.inbox = [event(name) for name in "abcde"]
    store = MemoryCursor()
    wanted = Wanted(types=("referral.created",), programmes=("wijk_werken",))
    with HubClient(hub.url, credentials()) as client:
        found = client.follow(store, form=form, limit=2, wanted=wanted, patience=quick())
        first = [one.id for one in islice(found, 3)]
        del found
        again = client.catch_up(store, limit=2, wanted=wanted)
        rest = [one.id for one in again]

    assert first == ["a", "b", "c"]
    assert rest == ["c", "d", "e"]
    asked = {name: hub.queries[0][name] for name in ("type", "programme", "limit")}
    assert asked == {"type": ["referral.created"], "programme": ["wijk_werken"], "limit": ["2"]}
    assert "nis" not in hub.queries[0]


@pytest.mark.parametrize("form", ["json", "ndjson", "sse"])
def test_an_inbox_that_forgot_is_filled_again(hub: StubHub, form: Form) -> None:
    """The client asks for the backfill by itself and misses nothing."""
    hub.inbox = [event(name, recordedtime="2026-03-02T09:00:00Z") for name in "abcd"]
    store = MemoryCursor()
    with HubClient(hub.url, credentials()) as client:
        found = [one.id for one in islice(client.follow(store, limit=1), 3)]
        hub.forgotten = 3
        found += [one.id for one in islice(client.follow(store, form=form), 4)]

    assert found == ["a", "b", "c", "a", "b", "c", "d"]
    assert hub.bodies == [("/v1/feed/backfill", b'{"from":"2026-03-01T09:00:00Z"}')]


class Cut(httpx.SyncByteStream):
    """An answer whose connection breaks after its first bytes."""

    def __init__(self, first: bytes) -> None:
        self._first = first

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        raise httpx.ReadError("cut")


def test_a_stream_that_breaks_off_is_unknown_and_not_the_end() -> None:
    """What came before is given; then the caller hears that the hub does not answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            token = {"access_token": "t", "token_type": "DPoP", "expires_in": 300}
            return httpx.Response(200, json=token)
        assert request.headers["accept"] == "application/x-ndjson"
        return httpx.Response(200, stream=Cut(json.dumps(event("a")).encode() + b"\n"))

    transport = httpx.MockTransport(answer)
    with HubClient("http://hub.test", credentials(), transport=transport) as client:
        steps = client.steps(None, form="ndjson")
        first = next(steps).event
        with pytest.raises(HubUnavailable):
            next(steps)

    assert first is not None
    assert first.id == "a"


def test_a_drafted_event_says_who_sends_it(hub: StubHub) -> None:
    """The participant comes from the credentials, or once from the hub."""
    with HubClient(hub.url, Credentials("c", secret=Secret("s"))) as client:
        made = client.event("referral.created", {"x": 1}, id="e-1", sourcerecordid="D-1")
        client.event("referral.created", {}, id="e-2")

    assert made["source"] == "urn:schakel:participant:ocmw-tienen"
    assert made["type"] == "be.schakel.activation.v1.referral.created"
    assert (made["sourcerecordid"], made["data"]) == ("D-1", {"x": 1})
    assert hub.calls.count("GET /v1/me") == 1


def test_a_client_from_a_file_needs_to_know_its_hub(hub: StubHub, tmp_path: Path) -> None:
    """Who it is and where it calls stand in one file."""
    path = tmp_path / "credentials.json"
    path.touch(0o600)
    told = {"client_id": "c", "client_secret": "s"}
    path.write_text(json.dumps(told))
    with pytest.raises(InvalidCredentials):
        HubClient.from_file(path)
    path.write_text(json.dumps(told | {"hub": hub.url}))
    with HubClient.from_file(path) as client:
        assert client.me()["participant"] == "ocmw-tienen"


def test_warnings_of_an_acceptance_are_kept() -> None:
    """In a batch and alone, with the rules behind them."""
    warned = [{"code": "cap_near", "detail": "Bijna.", "rules": ["r-1"]}]
    item = {"id": "a", "status": "accepted", "receipt": {"event_id": "e"}, "warnings": warned}

    assert item_of(item).warnings == (Warned("cap_near", "Bijna.", ("r-1",)),)
    assert receipt_of({"event_id": "e", "warnings": warned}).warnings == item_of(item).warnings


def test_what_a_partner_prints_or_logs_holds_nobodys_data() -> None:
    """Events say which they are, receipts keep the salt to themselves."""
    told = event("a", data={"person": {"family_name": "Kanariepiet"}}, subjectref="kanarie")
    page = page_of({"events": [told], "next": "AA", "behind": 0})
    receipt = receipt_of({"event_id": "e-1", "salt": "kanarie"})

    assert "kanarie" not in repr([page, receipt]).lower()
    assert "referral.created" in repr(page)
    assert "e-1" in repr(receipt)


def test_every_public_name_is_there() -> None:
    """What a partner imports is decided in one list."""
    missing = [name for name in connectors.client.__all__ if not hasattr(connectors.client, name)]
    assert not missing
    assert len(set(connectors.client.__all__)) == len(connectors.client.__all__)


def test_a_partner_needs_nothing_of_the_hubs_own() -> None:
    """Every module that a partner may load, with only what `schakel[connectors]` brings."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_HUB],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert {"connectors.client", "alone"} <= set(done.stdout.split())


def test_a_private_key_proves_who_asks(hub: StubHub, tmp_path: Path) -> None:
    """The assertion is short-lived, for the issuer only, and signed with the client's key."""
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    path = tmp_path / "credentials.json"
    path.touch(0o600)
    path.write_text(json.dumps({"client_id": "c", "private_key": key.as_dict(private=True)}))
    with HubClient(hub.url, load_credentials(path)) as client:
        client.publish(event("a"))
    token = jwt.decode(hub.tokens[0]["client_assertion"][0], key, algorithms=["ES256"])
    assert token.header["kid"] == "k1"
    assert token.claims["aud"] == "https://issuer.test"
    assert token.claims["exp"] - token.claims["iat"] == 60


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    """A key that more than one person holds proves nothing."""
    path = tmp_path / "credentials.json"
    path.write_text('{"client_id": "c", "client_secret": "s"}')
    path.chmod(0o644)
    with pytest.raises(InvalidCredentials):
        load_credentials(path)


def test_credentials_never_print_their_secret() -> None:
    """Whatever prints them prints stars."""
    found = parse_credentials('{"client_id": "c", "client_secret": "kanarie"}')
    assert "kanarie" not in repr(found)
