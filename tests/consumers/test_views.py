"""Reading inboxes: pages, positions and times, always within one scope."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError, IntegrityError

from consumers import disclosures, inbox, tables, views
from consumers.disclosures import Disclosure
from consumers.inbox import InboxRow
from consumers.scope import WHOLE_HUB, Scope
from consumers.views import Position, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

OCMW, ORGANISER = "ocmw-tienen", "wijk-werk-hageland"
TRAJECTORY = "0195a000-0000-7000-8000-00000000000a"
LINE = Disclosure(
    event_id="e-1",
    participant=OCMW,
    door="feed",
    revision=0,
    disclosed_at=50,
    event_name="referral.created",
    producer="caw",
    producer_org="urn:be:kbo:1999000150",
    subject_id="s-1",
    trajectory_id=TRAJECTORY,
    agreement_id="prot-1",
    agreement_hash="ab" * 32,
    actor="ocmw-tienen-connector",
    purpose="activation_referral",
    legal_basis="public_task_6_1_e",
    withheld="insz,person.phone",
    trace_id=None,
)


def _fill(engine: Engine, count: int, participant: str = OCMW) -> None:
    for number in range(1, count + 1):
        with engine.begin() as connection:
            inbox.append(connection, [_row(number, participant)], now=number * 10)


def _row(number: int, participant: str = OCMW) -> InboxRow:
    return InboxRow(
        participant=participant,
        event_id=f"e-{number}",
        event_name="referral.created",
        trajectory_id=TRAJECTORY if number % 2 else None,
        agreement_id=None,
        relations=("target",),
        nis="24107",
        programme=None,
        backfill=False,
        recorded_at=number,
    )


def test_a_page_follows_the_cursor(engine_of: Callable[..., Engine]) -> None:
    """A page begins after the cursor and holds at most the limit."""
    engine = engine_of("consumers")
    _fill(engine, 5)
    with engine.connect() as connection:
        page = views.feed_page(connection, Scope(OCMW), after=2, limit=2)

    assert [entry.event_id for entry in page] == ["e-3", "e-4"]


def test_a_reader_may_ask_for_less(engine_of: Callable[..., Engine]) -> None:
    """By event, programme and municipality, and by all of them at once."""
    engine = engine_of("consumers")
    rows = [
        _row(1),
        structs.replace(_row(2), event_name="placement.started", programme="wijk_werken"),
        structs.replace(_row(3), programme="wijk_werken", nis="24020"),
        structs.replace(_row(4), programme="wijk_werken"),
        structs.replace(_row(5, ORGANISER), programme="wijk_werken"),
    ]
    with engine.begin() as connection:
        inbox.append(connection, rows, now=1)

    def found(wanted: Wanted) -> list[str]:
        with engine.connect() as connection:
            page = views.feed_page(connection, Scope(OCMW), after=0, limit=9, wanted=wanted)
        return [entry.event_id for entry in page]

    referrals = frozenset({"referral.created"})
    programme = frozenset({"wijk_werken"})
    assert found(Wanted(event_names=referrals)) == ["e-1", "e-3", "e-4"]
    assert found(Wanted(programmes=programme)) == ["e-2", "e-3", "e-4"]
    assert found(Wanted(codes=frozenset({"24020"}))) == ["e-3"]
    assert found(Wanted(referrals, programme, frozenset({"24107"}))) == ["e-4"]


def test_the_newest_of_many_inboxes_is_one_question(engine_of: Callable[..., Engine]) -> None:
    """Inboxes that were never given anything are not among the answers."""
    engine = engine_of("consumers")
    _fill(engine, 3)
    _fill(engine, 2, ORGANISER)
    with engine.connect() as connection:
        found = views.newest_of(connection, [OCMW, ORGANISER, "nobody"])

    assert found == {OCMW: 3, ORGANISER: 2}


def test_positions_belong_to_one_inbox(engine_of: Callable[..., Engine]) -> None:
    """Begin and end of an inbox are its own; an empty one has neither."""
    engine = engine_of("consumers")
    _fill(engine, 3)
    with engine.connect() as connection:
        found = views.position(connection, Scope(OCMW))
        empty = views.position(connection, Scope(ORGANISER))

    assert found == Position(oldest=1, newest=3)
    assert empty == Position(oldest=0, newest=0)


def test_a_time_becomes_the_cursor_before_it(engine_of: Callable[..., Engine]) -> None:
    """Reading from a time gives everything that arrived at or after it, and nothing earlier."""
    engine = engine_of("consumers")
    _fill(engine, 7)
    with engine.connect() as connection:
        found = [
            views.seq_before(connection, Scope(OCMW), moment) for moment in (0, 10, 11, 40, 70, 71)
        ]
        empty = views.seq_before(connection, Scope(ORGANISER), 10)

    assert found == [0, 0, 1, 3, 6, 7]
    assert empty == 0


def test_retention_is_noted_for_each_inbox(engine_of: Callable[..., Engine]) -> None:
    """How far an inbox was emptied is known, also when nothing is left in it."""
    engine = engine_of("consumers")
    _fill(engine, 5)
    _fill(engine, 2, ORGANISER)
    with engine.begin() as connection:
        removed = inbox.forget(connection, before=40)
    with engine.connect() as connection:
        found = [views.position(connection, Scope(one)) for one in (OCMW, ORGANISER)]

    assert removed == 5
    assert found == [Position(4, 5, 3, 30), Position(0, 2, 2, 20)]


def test_rows_taken_back_are_not_forgotten(engine_of: Callable[..., Engine]) -> None:
    """What is given again under another number has not expired for those who stand before it."""
    engine = engine_of("consumers")
    _fill(engine, 3)
    with engine.begin() as connection:
        rows = [
            structs.replace(_row(number), relations=("handler", "target"), backfill=True)
            for number in (1, 2)
        ]
        inbox.append(connection, inbox.withdraw_narrower(connection, rows), now=40)
    with engine.connect() as connection:
        found = views.position(connection, Scope(OCMW))

    assert found == Position(oldest=3, newest=5)


def test_entries_of_an_event_are_limited_to_the_scope(engine_of: Callable[..., Engine]) -> None:
    """A participant finds its own row of an event, the hub finds all."""
    engine = engine_of("consumers")
    _fill(engine, 2)
    _fill(engine, 2, ORGANISER)
    with engine.connect() as connection:
        own = views.entries_of(connection, Scope(OCMW), ["e-1", "e-2"])
        every = views.entries_of(connection, WHOLE_HUB, ["e-1"])

    assert {entry.participant for entry in own} == {OCMW}
    assert len(own) == 2
    assert {entry.participant for entry in every} == {OCMW, ORGANISER}


def test_trajectories_of_a_participant(engine_of: Callable[..., Engine]) -> None:
    """The trajectories in an inbox are found; events about none are left out."""
    engine = engine_of("consumers")
    _fill(engine, 3)
    with engine.connect() as connection:
        own = views.trajectories_of(connection, Scope(OCMW))
        other = views.trajectories_of(connection, Scope(ORGANISER))

    assert own == [TRAJECTORY]
    assert other == []


def test_one_disclosure_line_a_door(engine_of: Callable[..., Engine]) -> None:
    """Another door adds a line, a wider copy too; the first time and the last limits are told."""
    engine = engine_of("consumers")
    wider = replace(LINE, revision=1, disclosed_at=60, withheld="insz")
    with engine.begin() as connection:
        lines = [LINE, wider, replace(LINE, door="webhook", disclosed_at=61)]
        disclosures.disclose(connection, lines)
    with engine.connect() as connection:
        found = views.hand_overs_of(connection, Scope(OCMW), ["e-1"])
        others = views.hand_overs_of(connection, Scope(ORGANISER), ["e-1"])

    assert [(one.door, one.disclosed_at) for one in found] == [("feed", 50), ("webhook", 61)]
    assert (found[0].withheld, found[0].revision) == (("insz",), 1)
    assert others == []


def test_a_line_of_the_disclosure_log_cannot_be_changed(engine_of: Callable[..., Engine]) -> None:
    """Neither written twice nor rewritten: the database itself refuses."""
    engine = engine_of("consumers")
    with engine.begin() as connection:
        disclosures.disclose(connection, [LINE])
    with pytest.raises(IntegrityError), engine.begin() as connection:
        disclosures.disclose(connection, [replace(LINE, disclosed_at=51)])
    with pytest.raises(DBAPIError, match="stays as it was"), engine.begin() as connection:
        connection.execute(update(tables.disclosures).values(withheld=""))
