"""Owners are told what waits once a day, whatever breaks, and nothing of anybody is in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import standardwebhooks
from sqlalchemy import event, select

from connectors.webhooks import verify_webhook
from consumers import alerts, inbox, kafka_positions
from consumers.alerting import Owner
from consumers.alerts import wait_us
from consumers.kafka_door import UNPUBLISHABLE
from consumers.scope import WHOLE_HUB, scoped
from consumers.tables import alerts as rows
from tests.consumers.alert_world import CONTACT, EXCERPT, HUB, Telling
from tests.consumers.mail_servers import MailServer
from tests.consumers.receivers import Receiver, Reply, always
from tests.consumers.webhook_world import OCMW, ORGANISER, SECRET, World, event_id, on_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

OK = Reply(200)
ELSEWHERE = "wacht@ocmw-tienen.example.org"


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[Telling]:
    """On SQLite."""
    with on_sqlite(tmp_path) as world:
        yield Telling(world)


@pytest.fixture
def either(engine_of: Callable[..., Engine]) -> Iterator[Telling]:
    """On either database."""
    world = World(engine_of("consumers", read_only=True), engine_of("consumers"))
    yield Telling(world)
    world.close()


def outcomes(telling: Telling) -> list[tuple[str, str | None]]:
    """Channel and outcome of every row, the oldest first."""
    query = select(rows.c.channel, rows.c.outcome).order_by(rows.c.id, rows.c.channel)
    with telling.world.reading.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(scoped(query, WHOLE_HUB))]


def test_a_thousand_dead_letters_are_one_mail_a_day(either: Telling) -> None:
    """The next day another, while something waits; then none."""
    made = either.give_up(1000)
    with MailServer() as server:
        worker = either.worker(server.port)
        either.pass_by(worker, hours=22)
        first = len(server.got)
        either.fail(2)
        either.pass_by(worker, hours=5)
        second = len(server.got)
        either.mend(made)
        either.pass_by(worker, hours=48)

    assert (first, second, len(server.got)) == (1, 2, 2)
    told, again = (one.get_content() for one in server.got)
    assert server.recipients == [CONTACT] * 2
    assert "wachten 1000 gebeurtenissen" in told
    assert "1000 x http_422: sentence on http_422" in told
    assert "1002 x http_422: zin over http_422" in again
    for part in (made, f"{HUB}/v1/subscriptions/{made}/dead-letters/redrive", "25/02/2026"):
        assert part in told


def test_what_fails_together_is_told_together(telling: Telling) -> None:
    """And what its owner saw to within that minute is not told, nor does a day of silence begin."""
    made = telling.give_up()
    with MailServer() as server:
        worker = telling.worker(server.port)
        worker.step()
        telling.mend(made)
        telling.pass_by(worker, minutes=1)
        assert (server.got, outcomes(telling)) == ([], [("mail", "moot"), ("webhook", "moot")])

        telling.fail()
        telling.pass_by(worker, minutes=1)
    assert len(server.got) == 1


def test_nothing_of_anybody_is_told(telling: Telling) -> None:
    """No event, no case, no answer of the receiver: counts, codes and the way to look."""
    with Receiver(always(OK)) as receiver, MailServer() as server:
        telling.give_up(3, alert_url=receiver.url)
        telling.pass_by(telling.worker(server.port), minutes=1)
        (letter,), (got,) = server.got, receiver.got

    for text in (letter.as_string(), letter.get_content(), got.body.decode(), str(got.headers)):
        for secret in (EXCERPT, "Testers", "trajectory", "referral", event_id(1)[-12:], OCMW):
            assert secret not in text.replace(CONTACT, "")


def test_the_receiver_of_alerts_gets_a_signed_event(telling: Telling) -> None:
    """Under one id until it takes it; its refusals make no dead letters."""
    answers = iter([Reply(503), OK, Reply(422)])
    with Receiver(lambda _got, _number: next(answers)) as receiver:
        made = telling.give_up(2, alert_url=receiver.url)
        worker = telling.worker(None)
        telling.pass_by(worker, minutes=3)
        taken = [one.headers["webhook-id"] for one in receiver.got]
        telling.pass_by(worker, hours=48)
    got = receiver.got[1]
    alert = verify_webhook(got.headers, got.body, SECRET)

    assert taken == [alert.id] * 2
    assert standardwebhooks.Webhook(SECRET).verify(got.body, dict(got.headers))
    assert alert.type == "be.schakel.webhook.v1.dead_letters_waiting"
    look = f"{HUB}/v1/subscriptions/{made}/dead-letters"
    assert alert.data == {
        "subscription_id": made,
        "count": 2,
        "since": alert.data["since"],
        "codes": [
            {
                "code": "http_422",
                "count": 2,
                "why": {"nl": "zin over http_422", "en": "sentence on http_422"},
            }
        ],
        "look": look,
        "redrive": f"{look}/redrive",
        "command": f"schakel dead-letters list --subscription {made}",
    }
    assert [outcome for channel, outcome in outcomes(telling) if channel == "webhook"][:2] == [
        "sent",
        "refused",
    ]
    assert len(telling.world.letters(made)) == 2
    assert telling.world.one(made).state == "active"


def test_a_webhook_that_cannot_be_signed_is_told_of_by_mail(telling: Telling) -> None:
    """Its alert waits for a new secret, and is signed with that."""
    with MailServer() as server, Receiver(always(OK)) as receiver:
        made = telling.give_up(1, alert_url=receiver.url)
        telling.world.seal.key, telling.world.seal.destroyed = "k2", {"k1"}
        worker = telling.worker(server.port)
        telling.pass_by(worker, minutes=3)
        before = len(receiver.got), len(server.got)
        fresh = telling.world.replace_secret(made)
        telling.pass_by(worker, minutes=3)

    assert before == (0, 1)
    (got,) = receiver.got
    assert verify_webhook(got.headers, got.body, fresh).data["subscription_id"] == made


def test_a_mail_server_that_is_away_loses_nothing(telling: Telling) -> None:
    """One letter when it is back, however long that took; webhooks do not wait for it."""
    with MailServer() as server:
        port = server.port
    with Receiver(always(OK)) as receiver:
        telling.give_up(1, alert_url=receiver.url)
        worker = telling.worker(port)
        telling.pass_by(worker, hours=52)
        told = len(receiver.got)
        with MailServer(port) as server:
            telling.pass_by(worker, hours=23)

    assert told == 3
    assert len(server.got) == 1


def test_only_one_letter_finds_out_that_the_server_is_away(telling: Telling) -> None:
    """The others wait without an attempt of their own."""
    with MailServer() as server:
        port = server.port
    for _ in range(3):
        telling.world.subscribe(f"http://127.0.0.1:9/{_}")
    telling.fail()
    telling.world.clock.advance(61)
    worker = telling.worker(port)
    worker.step()
    query = select(rows.c.tries).where(rows.c.channel == "mail")
    with telling.world.reading.connect() as connection:
        tries = [row[0] for row in connection.execute(scoped(query, WHOLE_HUB))]

    assert sorted(tries) == [0, 0, 1]


def test_two_deliverers_tell_once(either: Telling) -> None:
    """Whichever comes first."""
    for number in range(4):
        either.world.subscribe(f"http://127.0.0.1:9/{number}")
    either.fail(2)
    either.world.clock.advance(61)
    with MailServer() as server, ThreadPoolExecutor(2) as pool:
        workers = [either.worker(server.port) for _ in range(2)]
        for done in [pool.submit(worker.step) for worker in workers]:
            done.result()

    assert len(server.got) == 4


@pytest.mark.parametrize(("place", "mails"), [("rcpt", 1), ("data", 0)])
def test_killed_in_the_middle_it_never_tells_twice(
    telling: Telling, place: str, mails: int
) -> None:
    """Before the text is given it is told by the next process; after that by nobody, that day."""
    url = str(telling.world.writing.url)
    telling.give_up()
    telling.world.clock.advance(61)
    said = ["hang"]
    hanging = {place: lambda: said.pop() if said else None}
    with MailServer(**hanging) as server:  # type: ignore[arg-type]  # one of the two
        command = [sys.executable, "-m", "tests.consumers.alerting_process", url]
        command += [str(server.port), str(telling.world.clock.now_us())]
        with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
            assert server.asked.wait(30)
            os.kill(process.pid, signal.SIGKILL)
        before = len(server.got)
        worker = telling.worker(server.port)
        worker.step()
        assert len(server.got) == before  # the claim of the process that was killed holds
        telling.pass_by(worker, hours=23)
        assert len(server.got) - before == mails
        telling.pass_by(worker, hours=4)

    assert len(server.got) - before == mails + 1
    assert outcomes(telling)[0] == ("mail", "sent" if mails else "unsure")


@pytest.mark.parametrize(
    ("answer", "mails"), [("drop", 0), ("452 full", 1), ("554 spam", 0), (None, 0)]
)
def test_a_text_that_may_have_been_taken_is_not_given_again(
    telling: Telling, answer: str | None, mails: int
) -> None:
    """One that was certainly not taken for now is."""
    telling.give_up()
    said = [answer]
    with MailServer(data=lambda: said.pop() if said else None) as server:
        worker = telling.worker(server.port)
        telling.pass_by(worker, minutes=1)
        telling.pass_by(worker, hours=22)

    assert len(server.got) == 1 + mails


def test_no_day_begins_while_a_server_may_be_reading(telling: Telling) -> None:
    """A letter that was late for a day, and whose process was killed, is not followed by one."""
    telling.give_up()
    telling.world.clock.advance(23 * 3600)
    now = telling.world.clock.now_us()
    with telling.world.writing.begin() as connection:
        (seen,) = (one for one in alerts.due(connection, now) if one.channel == "mail")
        assert alerts.claim(connection, seen, now)
        assert not alerts.claim(connection, seen, now)
        assert alerts.hand(connection, seen, now)
        assert not alerts.hand(connection, seen, now)
    with MailServer() as server:
        worker = telling.worker(server.port)
        telling.pass_by(worker, hours=24)
        assert (len(server.got), outcomes(telling)[0]) == (0, ("mail", "unsure"))
        telling.pass_by(worker, hours=3)

    assert len(server.got) == 1


def test_mail_goes_where_its_owner_says_now(telling: Telling) -> None:
    """Also what was owed before; to nobody when it wants none, or takes no part any more."""
    made = telling.give_up()
    with MailServer() as server:
        worker = telling.worker(server.port)
        telling.redirect(made, ELSEWHERE)
        telling.pass_by(worker, minutes=1)
        telling.redirect(made, "")
        telling.pass_by(worker, hours=25)
        telling.redirect(made, "x@example.org\r\nRCPT TO:<y@example.org>")
        telling.pass_by(worker, hours=25)
        telling.redirect(made, None)
        telling.pass_by(worker, hours=25)
        telling.owners[OCMW] = Owner(None)
        telling.pass_by(worker, hours=25)
        del telling.owners[OCMW]
        telling.redirect(made, ELSEWHERE)
        telling.pass_by(worker, hours=25)

    assert server.recipients == [ELSEWHERE, CONTACT]


def test_without_a_mail_server_nothing_piles_up(telling: Telling) -> None:
    """What was owed while there was none is not sent once there is one."""
    telling.give_up()
    telling.pass_by(telling.worker(None), hours=30)
    with MailServer() as server:
        telling.pass_by(telling.worker(server.port), hours=1)

    assert (server.got, {one for _, one in outcomes(telling)}) == ([], {"off", "nobody"})


def test_an_alert_is_written_with_its_dead_letter_or_not_at_all(telling: Telling) -> None:
    """A turn that is not committed leaves neither."""
    made = telling.world.subscribe("http://127.0.0.1:9/hook")
    with _full(telling.world), pytest.raises(OSError, match="full"):
        telling.fail()

    assert (telling.world.letters(made), outcomes(telling)) == ([], [])
    telling.world.settle()
    assert (len(telling.world.letters(made)), len(outcomes(telling))) == (1, 2)


@contextmanager
def _full(world: World) -> Iterator[None]:
    """A store whose disk fills at the last statement of a turn."""

    def refuse(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith('INSERT INTO "alerts"'):
            raise OSError("full")

    event.listen(world.writing, "after_cursor_execute", refuse)
    yield
    event.remove(world.writing, "after_cursor_execute", refuse)


def test_the_kafka_door_tells_what_it_could_not_write(either: Telling) -> None:
    """Once a day, and only while something is new; nobody else is told."""
    either.owners[ORGANISER] = Owner("coordinatie@wijkwerk.example.org")

    def lose(number: int) -> None:
        (one,) = either.world.arrive(number, to=ORGANISER)
        with either.world.writing.begin() as connection:
            inbox.mark(connection, ORGANISER, [number], UNPUBLISHABLE)
            kafka_positions.store(connection, ORGANISER, number, lost=True)
        assert one

    with MailServer() as server:
        worker = either.worker(server.port)
        lose(1)
        either.pass_by(worker, minutes=1)
        lose(2)
        either.pass_by(worker, hours=22)
        first = len(server.got)
        either.pass_by(worker, hours=50)

    assert (first, len(server.got)) == (1, 2)
    assert set(server.recipients) == {"coordinatie@wijkwerk.example.org"}
    assert "2 x unpublishable" in server.got[1].get_content()
    assert f"{HUB}/v1/stopped?leg=unpublishable" in server.got[1].get_content()


def test_attempts_come_less_and_less_often() -> None:
    """From a minute to half an hour."""
    assert [wait_us(one) // 60_000_000 for one in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_what_ended_long_ago_is_forgotten(telling: Telling) -> None:
    """And what is open is not; a subscription that goes takes its alerts along."""
    telling.give_up()
    now = telling.world.clock.now_us()
    with telling.world.writing.begin() as connection:
        (first, second) = alerts.due(connection, now + alerts.GATHER_US)
        alerts.end(connection, first, "sent", now)
        alerts.forget(connection, before=now + 1)

    assert outcomes(telling) == [(second.channel, None)]
