"""Isolation: every operation, every participant of every role, own and other things.

Generated from the served description. A thing of others answers as one that does not exist: same
status, same headers, same words, so that nobody learns that there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from schemas import json_schema
from schemas.catalogue import catalogue
from schemas.roles import PARTNER_LETTERS
from tests.isolation import held
from tests.isolation.calls import Told, call, told
from tests.isolation.ways import PUBLISH, WAYS, Administrative, Everyone, Own, Public, Thing
from tests.letter.partners import CAW, OCMW, VDAB
from tests.letter.region import PREFIX, region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.isolation.held import Held
    from tests.isolation.ways import Way
    from tests.letter.region import Region

REFUSED = range(400, 500)
ACTS = {"read", "list", "search", "trace", "replay", "dead letter", "write", "look up"}
DESKS = {OCMW, VDAB}
TAKING = {"trajectory.case_holder_assigned", "trajectory.reopened"}
FREE = {one.name for one in catalogue().all() if one.aggregate_type == "offer"}
"""About no case, whatever the event names."""
TRIED = [(operation, way) for operation, ways in WAYS.items() for way in ways]


class Matrix:
    """The hub, who calls, and the things that are somebody's."""

    def __init__(self, around: Region) -> None:
        self.around = around
        self.held = (held.referred_by_partner(around), held.at_work(around))
        registry = around.parts.registry.live.current()
        self.roles = {one.id: one.role for one in registry.participants.values()}

    def outsiders(self, things: Held, kind: str) -> list[str]:
        """Participants that have no part in a thing of that kind."""
        return sorted(self.roles.keys() - things.parties[kind])

    def gives_nothing_away(self, text: str, who: str | None) -> None:
        """Nothing in an answer tells of a thing that is others'."""
        for things in self.held:
            for kind, marks in things.marks.items():
                if who is None or who not in things.parties[kind]:
                    assert not [one for one in marks if one in text], (who, kind)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """One hub for the whole matrix; no call of it changes anything."""
    with region(tmp_path_factory.mktemp("isolation") / "hub") as around:
        yield Matrix(around)


def test_every_operation_is_in_the_matrix(matrix: Matrix) -> None:
    """An operation that the matrix cannot address has no place in the description, and reverse."""
    paths = matrix.around.client.call("GET", "/openapi.json").json()["paths"]
    described = {(method.upper(), path) for path, found in paths.items() for method in found}

    assert described == WAYS.keys() | {PUBLISH}
    assert {way.act for _, way in TRIED} == ACTS
    assert set(matrix.roles.values()) >= PARTNER_LETTERS


def _name(tried: tuple[tuple[str, str], Way]) -> str:
    (method, path), way = tried
    return f"{method} {path} {way.act}"


def _of(kind: type[Way]) -> pytest.MarkDecorator:
    found = [one for one in TRIED if isinstance(one[1], kind)]
    return pytest.mark.parametrize(("operation", "way"), found, ids=map(_name, found))


@_of(Thing)
def test_a_thing_of_others_does_not_exist(
    matrix: Matrix, operation: tuple[str, str], way: Thing
) -> None:
    """Whoever has no part in it is told what it would be told of nothing; parties may read."""
    tried = [things for things in matrix.held if way.of in things.parties]
    assert tried
    for things in tried:
        for who in matrix.outsiders(things, way.of):
            there = call(matrix.around, who, operation, way, things.things)
            nothing = call(matrix.around, who, operation, way, things.made_up())
            assert there.status_code in REFUSED, (who, there.text)
            assert told(there) == told(nothing), who
        for who in things.parties[way.readers or way.of] if operation[0] == "GET" else ():
            assert call(matrix.around, who, operation, way, things.things).status_code == 200
            assert call(matrix.around, who, operation, way, things.made_up()).status_code == 404


@_of(Own)
def test_a_view_shows_the_callers_own_and_nothing_else(
    matrix: Matrix, operation: tuple[str, str], way: Own
) -> None:
    """What is somebody's shows to its parties, whoever asks otherwise gets an answer without it."""
    for things in [one for one in matrix.held if way.of in one.parties]:
        for who in matrix.roles:
            response = call(matrix.around, who, operation, way, things.things)
            assert response.status_code == 200, (who, response.text)
            matrix.gives_nothing_away(response.text, who)
            marks = things.marks.get(way.of, things.marks["case"])
            shows = any(one in response.text for one in marks)
            assert shows is (who in things.parties[way.of]), who


@_of(Administrative)
def test_what_is_the_administrators_is_refused_before_anything_is_read(
    matrix: Matrix, operation: tuple[str, str], way: Administrative
) -> None:
    """Every participant is refused in the same words, of what there is and of what there is not."""
    for who in matrix.roles:
        there = call(matrix.around, who, operation, way, matrix.held[0].things)
        nothing = call(matrix.around, who, operation, way, {"client_id": "x", "trajectory_id": "x"})
        assert there.status_code == 403, (who, there.text)
        assert told(there) == told(nothing), who


@_of(Everyone)
def test_what_is_for_everyone_holds_nothing_of_anyone(
    matrix: Matrix, operation: tuple[str, str], way: Everyone
) -> None:
    """Figures, rules and forms tell of no case to whoever has no part in it."""
    for who in matrix.roles:
        response = call(matrix.around, who, operation, way, matrix.held[0].things)
        assert response.status_code < 500
        matrix.gives_nothing_away(response.text, who)


@pytest.mark.parametrize(("operation", "way"), TRIED, ids=map(_name, TRIED))
def test_without_a_token_nothing_is_told(
    matrix: Matrix, operation: tuple[str, str], way: Way
) -> None:
    """Public operations hold nothing of anybody; all others are 401, whatever is asked."""
    things = matrix.held[0]
    answer = call(matrix.around, None, operation, way, things.things)

    matrix.gives_nothing_away(answer.text, None)
    if not isinstance(way, Public):
        assert answer.status_code == 401, answer.text
        assert told(answer) == told(call(matrix.around, None, operation, way, things.made_up()))


@pytest.mark.parametrize("event", [one.name for one in catalogue().all() if not one.hub_only])
def test_no_event_reaches_a_case_of_others(matrix: Matrix, event: str) -> None:
    """Published about others' cases, every event is refused as one about no case.

    The desks of the place may take a case there (`schemas/lifecycles/README.md`), so to them it is
    no secret that there is one; they do nothing else to it.
    """
    data = json_schema.examples(catalogue().event(event))[0]
    for things in matrix.held:
        for who in matrix.outsiders(things, "case"):
            there, nothing = (
                _published(matrix, who, event, data, one["trajectory_id"])
                for one in (things.things, things.made_up())
            )
            if who not in DESKS:
                assert there == nothing, who
            assert there.status in REFUSED or event in FREE or (who in DESKS and event in TAKING)
            matrix.gives_nothing_away(repr(there), who)


@pytest.mark.parametrize(
    ("check", "tried", "caller"),
    [
        (
            test_a_thing_of_others_does_not_exist,
            (("GET", "/v1/trajectories/{trajectory_id}"), Thing("read")),
            CAW,
        ),
        (
            test_a_view_shows_the_callers_own_and_nothing_else,
            (("GET", "/v1/trajectories"), Own("list")),
            CAW,
        ),
        (
            test_what_is_the_administrators_is_refused_before_anything_is_read,
            (("GET", "/v1/clients"), Administrative("list")),
            "hub-admin+sj_admin",
        ),
    ],
)
def test_a_hub_that_takes_one_for_another_is_caught(
    matrix: Matrix,
    monkeypatch: pytest.MonkeyPatch,
    check: Callable[..., None],
    tried: tuple[tuple[str, str], Way],
    caller: str,
) -> None:
    """The matrix fails on a planted leak of each kind: everybody is answered as one of them."""
    asked = matrix.around.client.call

    def mixed_up(method: str, path: str, **options: Any) -> httpx.Response:
        options["headers"] = {**options["headers"], "authorization": f"Bearer {caller}"}
        return asked(method, path, **options)

    check(matrix, *tried)
    monkeypatch.setattr(matrix.around.client, "call", mixed_up)
    with pytest.raises(AssertionError):
        check(matrix, *tried)


def _published(matrix: Matrix, who: str, event: str, data: Any, case: str) -> Told:
    """What a dry run tells of one event about a case, without the ids of what it would make."""
    sent = {
        "specversion": "1.0",
        "id": "matrix",
        "source": f"urn:schakel:participant:{who}",
        "type": PREFIX + event,
        "time": matrix.around.today.isoformat().replace("+00:00", "Z"),
        "trajectoryid": case,
        "data": data,
    }
    headers = {"content-type": "application/cloudevents+json", "authorization": f"Bearer {who}"}
    path = "/v1/events?dry_run=true"
    found = told(matrix.around.client.call("POST", path, json=sent, headers=headers))
    return found if found.status in REFUSED else Told(found.status, found.headers, None)
