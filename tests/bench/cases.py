"""The hub that is measured, with cases on it whose every event has three recipients.

A CAW refers to the organiser, OCMW Tienen endorses, VDAB takes the case and the organiser
acknowledges. From then on each intake that the organiser plans reaches OCMW, VDAB and CAW.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from connectors.credentials import load_credentials
from connectors.tokens import TokenSource
from consumers.log import Record
from gateway.exchange.drains import log_headers
from tests.e2e.running_hub import OCMW, ORGANISER, VDAB, event, referral

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.e2e.running_hub import RunningHub

CAW = "caw-hageland"
VDAB_URN = "urn:be:kbo:0887010362"
RECIPIENTS = (OCMW, VDAB, CAW)
ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"
BATCH = 100
ROLES = ("gateway", "relay", "route", "deliver", "kafka-door", "kafka")
_TICKS = 100
BUDGETS = {
    f"SCHAKEL_BUDGET_{what}_{how}": str(10**12)
    for what in ("CALLS", "EVENTS", "BYTES")
    for how in ("AT_ONCE", "PER_SECOND")
}
"""Settings of a hub whose own speed is measured, not what one participant may ask of it."""


@dataclass(slots=True)
class Bench:
    """One running hub and the referrals that events can be sent to."""

    hub: RunningHub
    referrals: list[str] = field(default_factory=list)
    _people: Iterator[int] = field(default_factory=count)
    _turn: Iterator[int] = field(default_factory=count)

    @property
    def port(self) -> int:
        """The gateway's port."""
        return int(str(self.hub.where["gateway"]).rsplit(":", 1)[1])

    def open_cases(self, number: int) -> None:
        """Bring so many cases to where the organiser plans intakes."""
        while len(self.referrals) < number:
            self._open_batch()

    def ordinary(self) -> dict[str, Any]:
        """An everyday event on a known case, with three recipients."""
        known = self.referrals[next(self._turn) % len(self.referrals)]
        data = {"on": "2026-12-01", "time": "09:30", "place": "Sociaal huis, lokaal 2"}
        return event("referral.intake_scheduled", ORGANISER, data, subject=known)

    def newcomer(self) -> dict[str, Any]:
        """A first referral of a person whom nobody referred before: two events, new keys."""
        return referral(next(self._people))

    def requests(self, events: Sequence[dict[str, Any]], of: str, size: int = 1) -> list[bytes]:
        """Whole HTTP requests, so many events in each, under a fresh token."""
        token = self.token(of)
        if size == 1:
            return [_request(self.port, ONE, token, one) for one in events]
        starts = range(0, len(events), size)
        return [_request(self.port, MANY, token, events[n : n + size]) for n in starts]

    def token(self, participant: str) -> str:
        """A fresh access token of a participant's connector."""
        path = self.hub.data / "clients" / f"{participant}-connector.json"
        with httpx.Client(base_url=str(self.hub.where["gateway"])) as http:
            return TokenSource(http, load_credentials(path)).token()

    def inbox_rows(self) -> int:
        """How many rows all inboxes have."""
        return int(self._ask("consumers", "select count(*) from inbox")[0][0])

    def last_in_inbox(self, participant: str) -> int:
        """The last number of one inbox."""
        with self.reading("consumers") as connection:
            row = connection.execute(
                "select coalesce(max(seq), 0) from inbox where participant = ?", (participant,)
            ).fetchone()
        return int(row[0])

    @contextmanager
    def reading(self, store: str) -> Iterator[sqlite3.Connection]:
        """A reader of one of the hub's stores."""
        path = self.hub.data / f"{store}.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            yield connection

    def sealed_records(self, number: int) -> list[Record]:
        """What the log gets of ordinary events: key, headers and sealed value as they are."""
        rows = self._ask(
            "ledger",
            "select trajectory_id, record, event_id, participant, event_name, traceparent"
            " from ledger"
            " where event_name = 'referral.intake_scheduled' limit ?",
            number,
        )
        return [
            Record("", key.encode(), value, list(log_headers(*event)))
            for key, value, *event in rows
        ]

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time that each process has used."""
        return {name: cpu_seconds(self.hub.pid(name)) for name in ROLES}

    def resident_mib(self) -> dict[str, float]:
        """Memory that each process holds."""
        return {name: _resident(self.hub.pid(name)) for name in ROLES}

    def _open_batch(self) -> None:
        people = [self._of_caw(referral(next(self._people))) for _ in range(BATCH)]
        made = self._send(CAW, people)
        cases = [(one["aggregate_id"], one["trajectory_id"]) for one in made]
        self._send(OCMW, [event("referral.endorsed", OCMW, {}, subject=one) for one, _ in cases])
        holding = {"holder": VDAB_URN, "contact": {"name": "Bemiddeling"}}
        taken = "trajectory.case_holder_assigned"
        self._send(VDAB, [event(taken, VDAB, holding, subject=one) for _, one in cases])
        seen = "referral.acknowledged"
        self._send(ORGANISER, [event(seen, ORGANISER, {}, subject=one) for one, _ in cases])
        self.referrals += [one for one, _ in cases]

    def _send(self, sender: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = httpx.post(
            f"{self.hub.where['gateway']}/v1/events",
            content=json.dumps(events).encode(),
            headers={"Authorization": f"Bearer {self.token(sender)}", "Content-Type": MANY},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text[:2000]
        return [one["receipt"] for one in answer.json()["items"]]

    @staticmethod
    def _of_caw(sent: dict[str, Any]) -> dict[str, Any]:
        sent["source"] = f"urn:schakel:participant:{CAW}"
        sent["data"]["informed"]["by_role"] = "local_partner"
        return sent

    def _ask(self, store: str, query: str, *values: int) -> list[Any]:
        with self.reading(store) as connection:
            return connection.execute(query, values).fetchall()


def _request(port: int, kind: str, token: str, content: Any) -> bytes:
    body = json.dumps(content).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - no path of ours
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123 - no path of ours
        line = next(line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
