"""What participants and subscriptions cost a hub while nothing happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import httpx

from connectors.world.organisations import enterprise
from consumers import signatures, subscriptions
from consumers.clock import SystemClock
from consumers.scope import Scope
from consumers.subscriptions import Wanted
from gateway import settings
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.text_seal import TextSeal
from tests.bench.measures import PATIENCE_SECONDS
from tests.registry_fixtures import demo_content
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from gateway.settings import HubSettings
    from tests.bench.cases import Bench

Figures = dict[str, float]

PARTICIPANTS: Final = 300
SUBSCRIPTIONS: Final = 1_000
FIRST_ENTERPRISE: Final = 2_000
REST_SECONDS: Final = 5.0
"""Seconds in which what was just begun, or made, may come to rest."""
OCMW_URN: Final = "urn:be:kbo:1999000150"


def figures(
    bench: Bench,
    seconds: float,
    *,
    participants: int = PARTICIPANTS,
    subscriptions_: int = SUBSCRIPTIONS,
    rest: float = REST_SECONDS,
) -> Figures:
    """Processor time and memory of all processes, without and with them."""
    time.sleep(rest)
    cpu_empty, memory_empty = _at_rest(bench, seconds)
    _introduce(bench, participants, subscriptions_)
    time.sleep(rest)
    cpu_full, memory_full = _at_rest(bench, seconds)
    return {
        "idle, empty hub, % of a core": cpu_empty,
        "idle, with participants and subscriptions, % of a core": cpu_full,
        "idle, what these cost, % of a core": max(0.0, cpu_full - cpu_empty),
        "idle, empty hub, MiB": memory_empty,
        "idle, what these cost, MiB": max(0.0, memory_full - memory_empty),
    }


def _at_rest(bench: Bench, seconds: float) -> tuple[float, float]:
    before, began = sum(bench.cpu_seconds().values()), time.perf_counter()
    time.sleep(seconds)
    used = sum(bench.cpu_seconds().values()) - before
    return 100 * used / (time.perf_counter() - began), sum(bench.resident_mib().values())


def _introduce(bench: Bench, participants: int, many: int) -> None:
    """Register participants with an agreement each, and give them active subscriptions."""
    found = settings.load(bench.hub.data)
    with opened(found.stores.ledger) as engine:
        store = RegistryStore(engine, environment="test")
        store.apply(parse(_document(participants), "test"), "bench")
        version = store.version()
    _wait_for_version(bench, version)
    _subscribe(found, participants, many)
    _wait_for_turns(bench)


def _document(participants: int) -> Any:
    made = demo_content()
    for number in range(participants):
        made["organisations"].append(_organisation(number))
        made["agreements"].append(_agreement(number))
    return made


def _name(number: int) -> str:
    return f"stil-{number}"


def _urn(number: int) -> str:
    return f"urn:be:kbo:{enterprise(FIRST_ENTERPRISE + number)}"


def _organisation(number: int) -> dict[str, Any]:
    name = _name(number)
    contact = {"name": "Onthaal", "phone": "+32 000 99 00 00", "email": f"{name}@example.org"}
    return {
        "urn": _urn(number),
        "name": f"{name} (verzonnen)",
        "kbo": enterprise(FIRST_ENTERPRISE + number),
        "participants": [
            {
                "id": name,
                "role": "organiser",
                "name": name,
                "territory": ["24107"],
                "notice_version": "2026-01",
                "contact": contact,
                "clients": [
                    {"id": f"{name}-connector", "name": "Lezer", "scopes": ["sj_feed_read"]}
                ],
            }
        ],
    }


def _agreement(number: int) -> dict[str, Any]:
    legal = {
        "instrument": "protocol_art8",
        "ref": f"voorbeeld-{number}",
        "dpia": "voorbeeld-dpia",
        "dpo_advice": "2026-02-11",
        "art9_ground": "social_law_9_2_b",
    }
    return {
        "agreement_id": f"afspraak-{_name(number)}",
        "parties": [OCMW_URN, _urn(number)],
        "legal": legal,
        "validity": {"from": "2026-01-01", "to": "2030-12-31"},
        "grants": [
            {
                "from": OCMW_URN,
                "to": _urn(number),
                "to_role": "organiser",
                "events": ["referral.*", "trajectory.*", "subject.*"],
                "purpose": "activation_referral",
                "fieldsets": ["core", "identify", "name", "staff_contact"],
                "territory_nis": ["24107"],
                "doors": ["feed", "webhook"],
            }
        ],
    }


def _wait_for_version(bench: Bench, version: int) -> None:
    """Until the gateway knows them; the other processes look as often."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    wanted = f"schakel_registry_version {float(version)}"
    while wanted not in httpx.get(f"{bench.hub.where['management']}/metrics").text:
        assert time.monotonic() < deadline, "the gateway never knew the participants"
        time.sleep(0.1)


def _wait_for_turns(bench: Bench) -> None:
    """Until each subscription had its first turn, which finds nothing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with bench.reading("consumers") as reading:
        while reading.execute(
            "select 1 from subscriptions where due_at is not null limit 1"
        ).fetchone():
            assert time.monotonic() < deadline, "not every subscription had its turn"
            time.sleep(0.1)


def _subscribe(found: HubSettings, participants: int, many: int) -> None:
    """Rows as the gateway makes them once a challenge was passed, which takes it a call each."""
    seal = TextSeal(FileKeyEncryption(found.key_file))
    now = SystemClock().now_us()
    with opened(found.stores.consumers) as engine, engine.begin() as connection:
        for number in range(many):
            participant = _name(number % participants)
            made, _ = subscriptions.create(
                connection,
                participant,
                Wanted(f"https://{participant}.example.org/{number}"),
                key=f"bench-{number}",
                content_hash="",
                secret=signatures.new_secret(),
                seal=seal,
                position=0,
                now=now,
            )
            subscriptions.change(
                connection, Scope(participant), made.id, state=subscriptions.ACTIVE, due_at=now
            )
