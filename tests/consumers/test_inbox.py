"""The inbox numbers rows without gaps, writes each once and never lets a reader miss one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumers import inbox, views
from consumers.inbox import InboxRow
from consumers.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

OCMW, ORGANISER = "ocmw-tienen", "wijk-werk-hageland"
ROW = InboxRow(
    participant=OCMW,
    event_id="0195a000-0000-7000-8000-000000000001",
    event_name="referral.created",
    trajectory_id="0195a000-0000-7000-8000-00000000000a",
    agreement_id="prot-1",
    relations=("handler", "target"),
    nis="24107",
    programme="wijk_werken",
    backfill=False,
    recorded_at=1_000,
)


def _event(number: int, participant: str = OCMW) -> InboxRow:
    return replace(ROW, participant=participant, event_id=f"0195a000-0000-7000-8000-{number:012d}")


def _numbers(engine: Engine, participant: str) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        page = views.feed_page(connection, Scope(participant), after=0, limit=1000)
    return [(entry.seq, entry.event_id[-3:]) for entry in page]


def test_rows_are_numbered_per_participant(engine_of: Callable[..., Engine]) -> None:
    """Each participant's rows are numbered from one, in the order given."""
    engine = engine_of("consumers")
    with engine.begin() as connection:
        touched = inbox.append(
            connection, [_event(1), _event(1, ORGANISER), _event(2), _event(3)], now=5
        )

    assert touched == {OCMW, ORGANISER}
    assert _numbers(engine, OCMW) == [(1, "001"), (2, "002"), (3, "003")]
    assert _numbers(engine, ORGANISER) == [(1, "001")]


def test_a_replay_writes_nothing_and_burns_no_number(engine_of: Callable[..., Engine]) -> None:
    """A batch seen before leaves rows and counters as they were; only what is new is added."""
    engine = engine_of("consumers")
    batch = [_event(1), _event(2), _event(2)]
    for _ in range(2):
        with engine.begin() as connection:
            inbox.append(connection, batch, now=5)
    with engine.begin() as connection:
        touched = inbox.append(connection, [*batch, _event(3)], now=6)

    assert touched == {OCMW}
    assert _numbers(engine, OCMW) == [(1, "001"), (2, "002"), (3, "003")]


def test_a_rolled_back_batch_leaves_no_gap(engine_of: Callable[..., Engine]) -> None:
    """Numbers drawn in a transaction that fails are given again."""
    engine = engine_of("consumers")
    connection = engine.connect()
    transaction = connection.begin()
    inbox.append(connection, [_event(1)], now=5)
    transaction.rollback()
    connection.close()
    with engine.begin() as connection:
        inbox.append(connection, [_event(2)], now=5)

    assert _numbers(engine, OCMW) == [(1, "002")]


def test_everything_about_a_row_is_kept(engine_of: Callable[..., Engine]) -> None:
    """A row reads back as it was appended."""
    engine = engine_of("consumers")
    row = replace(ROW, backfill=True, agreement_id=None, relations=(), programme=None)
    with engine.begin() as connection:
        inbox.append(connection, [row, _event(2)], now=77)
    with engine.connect() as connection:
        first, second = views.feed_page(connection, Scope(OCMW), after=0, limit=10)

    assert (first.backfill, first.agreement_id, first.relations, first.programme) == (
        True,
        None,
        (),
        None,
    )
    assert second.relations == ("handler", "target")
    assert (second.status, second.stopped_leg, second.routed_at) == ("ready", None, 77)


def test_a_row_can_be_stopped_and_made_ready_again(engine_of: Callable[..., Engine]) -> None:
    """The leg that stops a row is kept until a later hand-over succeeds."""
    engine = engine_of("consumers")
    with engine.begin() as connection:
        inbox.append(connection, [_event(1), _event(2)], now=5)
        inbox.mark(connection, OCMW, [2], "no_agreement")
    with engine.connect() as connection:
        page = views.feed_page(connection, Scope(OCMW), after=0, limit=10)

    assert [(one.status, one.stopped_leg) for one in page] == [
        ("ready", None),
        ("stopped", "no_agreement"),
    ]

    with engine.begin() as connection:
        inbox.mark(connection, OCMW, [2], None)
    with engine.connect() as connection:
        page = views.feed_page(connection, Scope(OCMW), after=1, limit=10)

    assert [(one.status, one.stopped_leg) for one in page] == [("ready", None)]


def test_writers_at_once_give_each_number_once(engine_of: Callable[..., Engine]) -> None:
    """Overlapping writers neither lose a row, nor share a number, nor block for ever."""
    engine = engine_of("consumers")

    def write(start: int) -> None:
        for number in range(start, start + 20):
            names = (OCMW, ORGANISER) if number % 2 else (ORGANISER, OCMW)
            with engine.begin() as connection:
                rows = [_event(number, name) for name in names]
                inbox.append(connection, rows, now=5)

    # The second and third overlap: both try to write the same events.
    threads = [threading.Thread(target=write, args=(start,)) for start in (100, 200, 210)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    for participant in (OCMW, ORGANISER):
        numbers = _numbers(engine, participant)
        assert [seq for seq, _ in numbers] == list(range(1, 51))
        assert len({event for _, event in numbers}) == 50


def test_a_closer_reader_gets_its_row_again(engine_of: Callable[..., Engine]) -> None:
    """A row moves to the end with the relations of both; a replay leaves it where it is."""
    engine = engine_of("consumers")
    narrow = replace(_event(1), relations=("offered_holder",), backfill=True)
    wide = replace(narrow, relations=("case_holder",))
    with engine.begin() as connection:
        inbox.append(connection, [narrow, _event(2)], now=5)
    for _ in range(2):
        with engine.begin() as connection:
            again = inbox.withdraw_narrower(connection, [wide, _event(2)])
            inbox.append(connection, again, now=6)
    with engine.connect() as connection:
        page = views.feed_page(connection, Scope(OCMW), after=0, limit=10)

    assert [(one.seq, one.event_id[-3:]) for one in page] == [(2, "002"), (3, "001")]
    assert page[1].relations == ("case_holder", "offered_holder")


def test_a_row_that_waits_is_taken_back_too(engine_of: Callable[..., Engine]) -> None:
    """What comes in one transaction ends as if each event had come in one of its own."""
    engine = engine_of("consumers")
    narrow = replace(_event(1), relations=("offered_holder",), backfill=True)
    wide = replace(narrow, relations=("case_holder",))
    with engine.begin() as connection:
        rows = inbox.withdraw_narrower(connection, [wide, _event(2)], [narrow, _event(2)])
        inbox.append(connection, rows, now=5)
    with engine.connect() as connection:
        page = views.feed_page(connection, Scope(OCMW), after=0, limit=10)

    assert [(one.seq, one.event_id[-3:]) for one in page] == [(1, "002"), (2, "001")]
    assert page[1].relations == ("case_holder", "offered_holder")
