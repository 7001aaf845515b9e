"""Who says where alerts go: the owner alone, and to nobody who did not ask for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import standardwebhooks

from consumers.alerting import Alerting
from gateway.exchange import audit
from gateway.exchange.alert_addresses import owner_of
from gateway.exchange.legs import reason
from tests.consumers.alert_world import mailer
from tests.consumers.mail_servers import MailServer
from tests.consumers.receivers import Receiver
from tests.gateway.api.parties import PARTNER
from tests.gateway.api.samples import CANARY
from tests.gateway.api.test_subscriptions import ADMIN, PATH, Behaviour, arrive, create, post
from tests.gateway.api.whole_hub import CONTACT, HUB, OCMW, STRANGER, Hub, hub, with_contact
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    import httpx

__all__ = ["hub"]

ELSEWHERE = "wacht@ocmw.example.org"


def redirect(hub: Hub, made: Any, who: str = OCMW, **alerts: Any) -> httpx.Response:
    """Say where the alerts of a subscription go."""
    return post(hub, who, f"{PATH}/{made['id']}/alerts", alerts)


def worker(hub: Hub, port: int) -> Alerting:
    """What the deliverer's process runs beside its turns."""
    day = cast.TODAY
    return Alerting(
        hub.turns.reading,
        hub.turns.writing,
        sender=hub.turns.sender,
        seal=hub.turns.seal,
        clock=hub.clock,
        owner=lambda participant: owner_of(with_contact(), participant, day),
        mailer=mailer(port),
        hub=HUB,
        sentence=reason,
    )


def test_an_owner_is_told_by_mail_and_by_webhook(hub: Hub) -> None:
    """Of a referral that was refused, without a word about the person."""
    events, told = Behaviour(422), Behaviour()
    with Receiver(events) as receiver, Receiver(told) as other, MailServer() as mails:
        made = create(hub, receiver.url, alerts={"url": other.url}).json()
        event_id = arrive(hub)
        hub.deliver()
        hub.clock.advance(60)
        worker(hub, mails.port).step()
    (letter,), (alert,) = mails.got, told.events

    sent: Any = standardwebhooks.Webhook(made["secret"]).verify(alert.body, dict(alert.headers))
    assert sent["type"] == "be.schakel.webhook.v1.dead_letters_waiting"
    (why,) = sent["data"]["codes"]
    assert why["why"]["en"] == "The receiver answered 422."
    assert made["alerts"] == {"email": CONTACT, "is_contact": True, "url": other.url}
    assert mails.recipients == [CONTACT]
    assert "De ontvanger antwoordde 422." in letter.get_content()
    for text in (letter.get_content(), alert.body.decode()):
        assert CANARY not in text
        assert event_id not in text
    look = hub.call(OCMW, "GET", sent["data"]["look"].removeprefix(HUB)).json()
    assert [one["event_id"] for one in look["dead_letters"]] == [event_id]


def test_an_owner_says_where(hub: Hub) -> None:
    """Mail elsewhere in its own domain, none at all, or the contact again; auditors read a host."""
    with Receiver(Behaviour()) as receiver:
        made = create(hub, receiver.url).json()
        shown = [
            redirect(hub, made, **one).json()["alerts"]
            for one in ({"email": ELSEWHERE}, {"mail": False, "url": receiver.url}, {})
        ]
        (seen,) = hub.call(ADMIN, "GET", PATH).json()["subscriptions"]
    with hub.route.ledger.connect() as connection:
        lines = audit.lines(connection, act="webhook.alerts", target=made["id"])

    assert shown == [
        {"email": ELSEWHERE, "is_contact": False, "url": None},
        {"email": None, "is_contact": False, "url": receiver.url},
        {"email": CONTACT, "is_contact": True, "url": None},
    ]
    assert seen["alerts"] == shown[-1]
    assert [one.reason for one in lines[::-1]] == ["by mail", "to 127.0.0.1", "by mail"]


REFUSED: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"email": "someone@elsewhere.example.org"}, "alerts.email", "mailbox_unknown"),
    ({"email": f"{ELSEWHERE}\r\nBcc: x@example.org"}, "alerts.email", "mailbox_unknown"),
    ({"email": ELSEWHERE, "mail": False}, "alerts.mail", "contradicts"),
    ({"url": "http://10.0.0.1/x"}, "alerts.url", "address_refused"),
    ({"url": "https://169.254.169.254/latest"}, "alerts.url", "address_refused"),
    ({"url": "ftp://hook.example.org/"}, "alerts.url", "not_https"),
    ({"url": "https://hook..example.org/"}, "alerts.url", "malformed"),
    ({"url": "http://127.0.0.1:9/"}, "alerts.url", "connection_failed"),
)


def test_what_cannot_be_is_refused(hub: Hub) -> None:
    """At creation, of which nothing is left, and later; what was there before stays."""
    with Receiver(Behaviour()) as receiver:
        refused = [create(hub, receiver.url, alerts=alerts) for alerts, _, _ in REFUSED]
        none = hub.call(OCMW, "GET", PATH).json()["subscriptions"]
        made = create(hub, receiver.url, alerts={"email": ELSEWHERE}).json()
        later = [redirect(hub, made, **alerts) for alerts, _, _ in REFUSED]
    kept = hub.call(OCMW, "GET", f"{PATH}/{made['id']}").json()

    for answers in (refused, later):
        assert {one.status_code for one in answers} == {422}
        faults = [fault for one in answers for fault in one.json()["invalidParams"]]
        assert [(one["name"], one["code"]) for one in faults] == [one[1:] for one in REFUSED]
        assert "elsewhere" not in "".join(one.text for one in answers)
    assert none == []
    assert kept["alerts"]["email"] == ELSEWHERE


def test_a_receiver_that_wants_no_alerts_gets_none(hub: Hub) -> None:
    """It has to repeat the word, as the receiver of events does."""
    other = Behaviour(passes=False)
    with Receiver(Behaviour()) as receiver, Receiver(other) as stranger:
        refused = create(hub, receiver.url, alerts={"url": stranger.url})
        other.passes = True
        made = create(hub, receiver.url, alerts={"url": stranger.url})
    again = create(hub, receiver.url, alerts={"url": stranger.url})

    assert refused.json()["invalidParams"][0]["code"] == "challenge_not_repeated"
    assert made.status_code == 201
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])


def test_it_is_the_owners_alone(hub: Hub) -> None:
    """Others are told that there is none; an administrator keeps the contact, and no more."""
    with Receiver(Behaviour()) as receiver:
        made = create(hub, receiver.url).json()
    others = [redirect(hub, made, who, email=ELSEWHERE) for who in (STRANGER, ADMIN, PARTNER)]
    foreign = post(hub, STRANGER, PATH, {"url": receiver.url, "alerts": {"email": ELSEWHERE}}, "k")

    assert [one.status_code for one in others][:2] == [404, 403]
    assert others[2].status_code in (403, 404)
    assert foreign.status_code in (403, 422)
    assert CONTACT not in json.dumps([one.json() for one in others])
    shown = hub.call(OCMW, "GET", f"{PATH}/{made['id']}").json()
    assert shown["alerts"]["email"] == CONTACT
