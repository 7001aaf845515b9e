"""The partner's page and client on a real hub: its own issuer, DPoP, ledger, feed and webhooks."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa
import standardwebhooks

from connectors.client import HubClient, HubRefused, MemoryCursor, Wanted, new_webhook_secret
from consumers import inbox
from consumers.scope import Scope, scoped
from consumers.tables import disclosures
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry import Credential
from tests.letter.partners import CAW, OCMW, VDAB
from tests.letter.region import region
from tests.ports import distant_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.letter.region import Region

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "connectors" / "README.md").read_text("utf-8")
FIRST, FEED, RECEIVER, SUBSCRIBE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@dataclass(frozen=True)
class Place:
    """A hub that listens, and a folder for each partner with its credentials."""

    around: Region
    address: str
    root: Path

    def folder(self, participant: str) -> Path:
        """Where a partner's programs run; its client gets its first key here."""
        folder = self.root / participant
        path = folder / "credentials.json"
        if folder.exists():
            return folder
        folder.mkdir()
        client_id, key = f"{participant}-connector", new_private_jwk()
        registry = self.around.parts.registry
        credential = Credential(jwk=public_part(key))
        registry.store.rotate_client(client_id, credential, "test", overlap_seconds=0)
        registry.live.refresh()
        path.touch(0o600)
        told = {"client_id": client_id, "private_key": key, "gateway": self.address}
        path.write_text(json.dumps(told))
        return folder

    def client(self, participant: str) -> HubClient:
        """A client of a partner's."""
        return HubClient.from_file(self.folder(participant) / "credentials.json", language="en")

    def run(self, participant: str, script: str, **environment: str) -> str:
        """Run a program of the page as it stands; what it printed."""
        folder = self.folder(participant)
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=_environment(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.around.deliver()
        return done.stdout

    def inbox(self, participant: str) -> list[tuple[str, str, str]]:
        """The rows that the page's programs wrote."""
        with sqlite3.connect(self.folder(participant) / "inbox.db") as db:
            return db.execute("select id, type, data from inbox order by rowid").fetchall()


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The hub around Tienen, today, where partners reach it."""
    root, (port,) = tmp_path_factory.mktemp("partners"), distant_ports(1)
    address = f"http://127.0.0.1:{port}"
    changes = {"issuer": address, "webhook_loopback": True}
    with region(root / "hub", **changes) as around, around.client.listening(port):
        around.clock.move(time.time() - around.clock.now_us() / 1_000_000)
        yield Place(around, address, root)


@contextmanager
def receiving(place: Place, participant: str, secret: str) -> Iterator[str]:
    """The page's receiver, and where it listens."""
    (port,) = distant_ports(1)
    environment = _environment({"PORT": str(port), "WEBHOOK_SECRET": secret})
    command = [sys.executable, "-c", RECEIVER]
    with subprocess.Popen(
        command, cwd=place.folder(participant), env=environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def referral(client: HubClient, number: int, **changes: Any) -> dict[str, Any]:
    """A good referral of an invented person."""
    data = {
        "programme": "samenlevingsjob",
        "reason_codes": ["work_rhythm"],
        "person": {
            "given_name": "Amina",
            "family_name": f"Testers-{number}",
            "phone": f"+32 000 {number:06d}",
            "postcode": "3300",
        },
        "contact_person": {"name": "Onthaal"},
        "informed": {
            "on": time.strftime("%Y-%m-%d", time.gmtime()),
            "channel": "oral",
            "notice_version": "2026-1",
            "language": "nl",
            "by_role": "local_partner",
        },
    }
    return client.event(
        "referral.created", data | changes, id=f"r-{number}", sourcerecordid=f"n-{number}"
    )


def test_the_page_takes_a_partner_from_a_first_event_to_its_receipt(place: Place) -> None:
    """Twenty lines, and the event is in the sender's own list of cases."""
    told = place.run(CAW, FIRST).splitlines()
    event_id, case = re.findall(r"recorded as (\S+) in case (\S+)", told[-1])[0]
    shown = place.around.get(CAW, f"/v1/trajectories/{case}")

    assert len([line for line in FIRST.splitlines() if line.strip()]) <= 20
    assert told[0].startswith("referral.created for")
    assert any(OCMW in line for line in told[:-1])
    assert event_id in {one["event_id"] for one in shown["timeline"]}


def test_the_page_receives_by_feed_and_goes_on_where_it_was(place: Place) -> None:
    """A second run gets what came since, and nothing twice."""
    with place.client(CAW) as client:
        client.publish(referral(client, 11))
        place.around.deliver()
        place.run(OCMW, FEED)
        before = place.inbox(OCMW)
        client.publish(referral(client, 12))
    place.around.deliver()
    place.run(OCMW, FEED)
    after = place.inbox(OCMW)

    assert len(after) > len(before) > 0
    assert after[: len(before)] == before
    assert "referral.advertised" in {kind for _, kind, _ in after}


def test_the_page_receives_by_webhook_what_the_hub_signs(place: Place) -> None:
    """The challenge makes the subscription active; a message of the hub's then comes through."""
    secret = new_webhook_secret()
    with receiving(place, CAW, f"{new_webhook_secret()} {secret}") as url:
        told = place.run(CAW, SUBSCRIBE, RECEIVER_URL=url, WEBHOOK_SECRET=secret)
        subscription_id, state = told.split()[:2]
        path = f"/v1/subscriptions/{subscription_id}/test"
        tried = place.around.call(CAW, "POST", path).json()

    assert state == "active"
    assert tried["delivered"] is True, tried
    assert [kind for _, kind, _ in place.inbox(CAW)] == ["be.schakel.webhook.v1.test"]


def test_the_page_keeps_the_fuller_copy_of_the_feed(place: Place) -> None:
    """What comes again with a higher number replaces what is there; what merely comes again not."""
    with place.client(CAW) as client:
        client.publish(referral(client, 71))
        place.around.deliver()
        place.run(OCMW, FEED)
        folder = place.folder(OCMW)
        (first, *others) = [one for one, _, _ in place.inbox(OCMW)]
        with sqlite3.connect(folder / "inbox.db") as db:
            db.execute("update inbox set data = '{}'")
        (folder / "feed.cursor").unlink()
        with place.around.parts.doors.writing.begin() as connection:
            lines = sa.select(disclosures).where(
                disclosures.c.event_id == first, disclosures.c.participant == OCMW
            )
            line = connection.execute(scoped(lines, Scope(OCMW))).mappings().first()
            assert line is not None
            connection.execute(sa.insert(disclosures).values({**line, "revision": 1}))
        place.run(OCMW, FEED)
    data = {one: given for one, _, given in place.inbox(OCMW)}

    assert data[first] != "{}"
    assert {data[one] for one in others} == {"{}"}


def test_the_page_keeps_the_fuller_copy_of_a_webhook(place: Place) -> None:
    """In whatever order they come, and however often."""
    secret = new_webhook_secret()
    with receiving(place, VDAB, secret) as url:
        for number, name in ((None, "-"), (1, "Amina"), (None, "-"), (1, "-")):
            mark: dict[str, Any] = {} if number is None else {"redelivery": number}
            event = {"specversion": "1.0", "id": "e-1", "type": "t", "data": {"name": name}}
            body = {**event, **mark}
            _signed(url, secret, json.dumps(body))

    assert place.inbox(VDAB) == [("e-1", "t", '{"name": "Amina"}')]


def _signed(url: str, secret: str, body: str) -> None:
    """One call as the hub makes it."""
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "e-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign("e-1", now, body),
    }
    assert httpx.post(url, content=body, headers=headers, timeout=10).status_code == 200


def test_many_events_come_back_with_their_codes(place: Place) -> None:
    """Recorded, refused with the field, and blocked behind the refused one."""
    with place.client(CAW) as client:
        good, bad = referral(client, 21), referral(client, 22, programme="nope")
        behind = referral(client, 22) | {"id": "r-22-again"}
        answers = client.publish_many([good, bad, behind])

    assert [one.status for one in answers] == ["accepted", "rejected", "blocked"]
    assert answers[0].receipt is not None
    assert "programme" in {one.name.removeprefix("data.") for one in answers[1].invalid}


def test_an_event_in_avro_is_recorded_and_given_in_json(place: Place) -> None:
    """The same again is a duplicate; the reader does not see in what form it came."""
    with place.client(CAW) as client:
        event = referral(client, 31)
        receipt, again = client.publish_avro(event), client.publish_avro(event)
    place.around.deliver()
    with place.client(OCMW) as reader:
        found = [one for one in reader.feed_events() if one.type == "referral.advertised"]

    assert (receipt.is_duplicate, again.is_duplicate) == (False, True)
    assert receipt.event_id == again.event_id
    (told,) = [one for one in found if one["trajectoryid"] == receipt.trajectory_id]
    assert told.data["programme"] == "samenlevingsjob"


def test_each_form_of_the_feed_tells_the_same(place: Place) -> None:
    """Pages, lines and a stream, with a filter that leaves the rest out."""
    with place.client(CAW) as client:
        receipt = client.publish(referral(client, 41))
    place.around.deliver()
    wanted = Wanted(types=("referral.advertised",), municipalities=("24107",))
    with place.client(OCMW) as reader:
        paged = list(reader.catch_up(MemoryCursor(), wanted=wanted))
        pages = [one.id for one in paged]
        lines = [
            one.event.id for one in reader.steps(None, form="ndjson", wanted=wanted) if one.event
        ]
        stream, store = [], MemoryCursor()
        for one in reader.follow(store, form="sse", wanted=wanted):
            stream.append(one.id)
            if len(stream) >= len(pages):
                break
        with pytest.raises(HubRefused) as refused:
            reader.feed(wanted=Wanted(types=("referral.creatd",)))

    assert receipt.trajectory_id in {one["trajectoryid"] for one in paged}
    assert {one.type for one in paged} == {"referral.advertised"}
    assert pages == lines == stream
    assert refused.value.problem_code == "invalid_parameter"


def test_who_comes_back_too_late_gets_what_was_forgotten_and_what_was_kept(place: Place) -> None:
    """The hub keeps the newest rows; the client has the others put back and passes over neither."""
    with place.client(CAW) as client:
        for number in (61, 62, 63):
            client.publish(referral(client, number))
        place.around.deliver()
        with place.client(OCMW) as reader:
            store = MemoryCursor()
            late = reader.catch_up(store, limit=1)
            next(late)
            next(late)
            del late
            assert store.load().cursor is not None
            everything = {one.id for one in reader.feed_events()}
            with place.around.parts.doors.writing.begin() as connection:
                assert inbox.forget(connection, before=place.around.clock.now_us())
            client.publish(referral(client, 64))
            place.around.deliver()
            with pytest.raises(HubRefused) as expired:
                reader.feed(store.load().cursor)
            found = [one.id for one in reader.catch_up(store)]
            kept = {one.id for one in reader.feed_events()}

    assert expired.value.problem_code == "cursor_expired"
    assert everything < set(found)
    assert set(found) == kept
    assert len(found) == len(set(found))


def test_a_dry_run_writes_nothing(place: Place) -> None:
    """It says who would get it and what not; a wrong event is refused as it would be."""
    with place.client(CAW) as client:
        event = referral(client, 51)
        told = client.dry_run(event)
        with pytest.raises(HubRefused):
            client.dry_run(referral(client, 52, programme="nope"))
        receipt = client.publish(event)

    assert told.events[0].type == "referral.created"
    reached = {who.participant for one in told.events for who in one.recipients if not who.excluded}
    assert OCMW in reached
    assert receipt.is_duplicate is False


def test_agreements_are_read_with_their_hashes(place: Place) -> None:
    """The own ones only, each with its document's hash."""
    with place.client(CAW) as client:
        listed = client.agreements()
        one = client.agreement(listed[0]["agreement_id"])

    assert len(one["document_hash"]) == 64
    assert one["document_hash"] == listed[0]["document_hash"]
    assert "acts" in one
