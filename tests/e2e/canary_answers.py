"""Asks everything of everybody: each operation, each form of the feed, commands, and bad input."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from typer.testing import CliRunner

from connectors.world.organisations import CAW, OCMW_LEUVEN, OCMW_TIENEN, TOWN_TIENEN, VDAB
from tests.e2e.canary_values import OWN_CAW, PERSON, VALUES
from tests.e2e.canary_world import ADMINISTRATOR, CALLERS
from tests.isolation.commands import apps
from tests.isolation.ways import GET, WAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.e2e.canary_world import CanaryWorld

PERIOD: Final = {"from": "2025-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z"}
STREAM_SECONDS: Final = 10.0
ONE: Final = {"content-type": "application/cloudevents+json"}
WEBHOOKS: Final = (
    "/v1/subscriptions",
    "/v1/subscriptions/{subscription_id}",
    "/v1/subscriptions/{subscription_id}/deliveries",
    "/v1/subscriptions/{subscription_id}/dead-letters",
)
HEADERS: Final = ("traceparent", "tracestate", "baggage", "user-agent", "referer", "x-request-id")
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    OCMW_TIENEN: (
        "events show {event_id}",
        "events tail -n 200 --json",
        "trace {trajectory_id}",
        "trace {event_id} --json",
        "events stopped --json",
        "events records --out {file} --salts {file}.salts",
        "audit own --from {from} --to {to} --json",
        "subject erasures --json",
    ),
    VDAB: ("subject access {trajectory_id} --json", "events tail -n 200 --data-too"),
    CAW: ("trace {own}", "events tail -n 200 --data-too"),
    OCMW_LEUVEN: ("trace {own}", "trace {trajectory_id}", "events tail -n 200 --data-too"),
    ADMINISTRATOR: (
        "trace {trajectory_id}",
        "trace {trajectory_id} --json",
        "events stopped --json",
        "audit disclosures --shape logboek --from {from} --to {to} --reason canary --json",
        "audit disclosures --from {from} --to {to} --reason canary",
        "client list --json",
    ),
}
"""Who runs which command; what is written to a file is looked at too."""


def everything(
    world: CanaryWorld, when: str, things: Mapping[str, str], events: Sequence[str]
) -> None:
    """Every answer that reads, as everybody, in every form; commands too.

    Args:
        world: the hub.
        when: names the place where answers are kept.
        things: what paths and queries name.
        events: ids whose journeys are asked.
    """
    for who in CALLERS:
        for path, query in [*_readings(), *((f"/v1/events/{one}", {}) for one in events)]:
            options = {"params": _filled(query, things)}
            answer = world.call(who, GET, _filled(path, things), **options)
            assert answer.status_code < 500, (who, path, answer.text)
            assert answer.status_code != 429, (who, path)
            world.keep(f"answers/{when}", who, answer)
        _streams(world, when, who)
    for shape in ("auditregister", "logboek"):
        body = {**PERIOD, "reason": "canary", "shape": shape}
        found = world.call(ADMINISTRATOR, "POST", "/v1/audit/disclosures", json=body)
        assert found.status_code == 200, found.text
        world.keep(f"answers/{when}", ADMINISTRATOR, found)
    metrics = world.http.get(f"{world.where.management}/metrics")
    world.keep(f"answers/{when}", "management", metrics)
    _commands(world, when, things)


def _readings() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every operation that reads, as the isolation matrix addresses it; and webhooks."""
    yield from ((path, {}) for path in WEBHOOKS)
    for (method, path), ways in WAYS.items():
        if method == GET:
            for way in ways:
                yield path, way.query


def _streams(world: CanaryWorld, when: str, who: str) -> None:
    """The feed as lines and as a stream, each to its end."""
    whole = world.call(who, GET, "/v1/feed", params={"limit": "500"})
    lines = {"accept": "application/x-ndjson"}
    found = world.call(who, GET, "/v1/feed", params={"limit": "500"}, headers=lines)
    world.keep(f"answers/{when}", who, found)
    if whole.status_code != 200:
        return
    wanted, got, came = len(whole.json()["events"]), 0, []
    headers = {**world.bearer(who), "accept": "text/event-stream"}
    with world.http.stream(GET, "/v1/feed", headers=headers, timeout=STREAM_SECONDS) as stream:
        for line in stream.iter_lines() if wanted else ():
            came.append(line)
            got += line.startswith("data:")
            if got == wanted:
                break
    world.write(f"answers/{when}", who, "\n".join(came).encode())
    assert got == wanted, who


def _commands(world: CanaryWorld, when: str, things: Mapping[str, str]) -> None:
    for who, lines in COMMANDS.items():
        for number, words in enumerate(lines):
            file = world.folder / f"commands/{when}/{who}/written-{number}"
            file.parent.mkdir(parents=True, exist_ok=True)
            filled = words.format(**PERIOD, **things, own=OWN_CAW, file=file).split()
            code, said = run(world, f"commands/{when}", who, filled)
            assert code in (0, 1), (words, said)


def run(world: CanaryWorld, place: str, who: str, words: list[str]) -> tuple[int, str]:
    """One command as somebody; its exit code and all it says, which is kept."""
    first, *rest = words
    options = ["--hub", world.where.gateway, "--credentials", str(world.credentials(who))]
    done = CliRunner().invoke(apps()[first], [*rest, *options])
    said = f"{done.output}\n{done.exception!r}"
    world.write(place, who, said.encode())
    return done.exit_code, done.output


def _filled(given: Any, names: Mapping[str, str]) -> Any:
    if isinstance(given, str):
        return re.sub(r"{(\w+)}", lambda found: names.get(found[1], "nothing"), given)
    return {key: _filled(value, names) for key, value in given.items()}


def bad_input(world: CanaryWorld, case: str) -> int:
    """Each value in each place where it does not belong, by two participants; how many calls."""
    sent = 0
    for who in (CAW, TOWN_TIENEN):
        for text in sorted(one.text for one in VALUES.values()):
            tried = {"problems": _wrong(who, text, case), "names": _misnamed(who, text, case)}
            for place, calls in tried.items():
                for method, path, options in calls:
                    answer = world.call(who, method, path, **options)
                    assert 400 <= answer.status_code < 500, (path, options, answer.text)
                    world.keep(place, who, answer)
                    sent += 1
    return sent


def _wrong(who: str, text: str, case: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Calls that have to be refused, with the text in each place in turn."""
    event = _event(who, case)
    for name in ("source", "type", "time", "subject", "trajectoryid", "causationid", "purpose"):
        yield "POST", "/v1/events", _one({**event, name: text})
    yield "POST", "/v1/events", _one({**event, "data": text})
    yield "POST", "/v1/events", _one({**event, "data": _misplaced(text)})
    yield "POST", "/v1/events", {"content": f'{{"data": "{text}'.encode(), "headers": ONE}
    yield "POST", "/v1/referrals", {"json": _misplaced(text), "headers": _key()}
    for name in ("url", "since", "secret", "retry_hours"):
        yield "POST", "/v1/subscriptions", {"json": {"url": "x", name: text}, "headers": _key()}
    for name in ("event_types", "programmes", "municipalities"):
        body = {"url": "https://example.org/", name: [text]}
        yield "POST", "/v1/subscriptions", {"json": body, "headers": _key()}
    for name in HEADERS:
        yield "GET", "/v1/events/nothing", {"headers": {name: text.encode()}}
    yield "GET", f"/v1/events/{text}", {}
    yield "GET", f"/v1/trajectories/{text}", {}
    yield "GET", "/v1/feed", {"params": {"after": text}}
    yield "GET", "/v1/feed", {"params": {"limit": text}}


def _misnamed(who: str, text: str, case: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Calls in which it is a field's name: the answer says which name is unknown."""
    event = _event(who, case)
    yield "POST", "/v1/events", _one({**event, text: ""})
    yield "POST", "/v1/events", _one({**event, "data": {text: ""}})
    yield "POST", "/v1/erasures", {"json": {text: ""}, "headers": _key()}
    yield "POST", "/v1/agreements", {"json": {text: ""}, "headers": _key()}


def _event(who: str, case: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"urn:schakel:participant:{who}",
        "type": "be.schakel.activation.v1.referral.withdrawn",
        "time": "2026-01-05T08:00:00Z",
        "trajectoryid": case,
        "subject": str(uuid.uuid4()),
        "data": {"reason": "person_request"},
    }


def _one(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": json.dumps(event).encode(), "headers": ONE}


def _key() -> dict[str, str]:
    return {"idempotency-key": str(uuid.uuid4())}


def _misplaced(text: str) -> dict[str, Any]:
    """A referral in which every field holds it."""
    person = dict.fromkeys(PERSON.details(), text)
    names = ("programme", "reason_codes", "target_org", "insz", "note", "given_name", "phone")
    return {**dict.fromkeys(names, text), "person": person, "competences": [{"scheme": text}]}
