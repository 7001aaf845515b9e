"""What an alert says: how many wait, since when and why, and where to look. Nothing of any event.

As a CloudEvent for programs, as a letter in Dutch and English for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from consumers.challenge import message
from consumers.clock import BRUSSELS, datetime_of
from schemas.errors import Message
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumers.waiting import Waiting

TYPE: Final = "be.schakel.webhook.v1.dead_letters_waiting"
MOST_CODES: Final = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """What one alert tells.

    Attributes:
        subscription_id: None when it is about the Kafka door.
        hub: where partners reach the hub, without a slash at its end.
        sentence: of a code, for people.
    """

    id: str
    subscription_id: str | None
    waiting: Waiting
    hub: str
    sentence: Callable[[str], Message]

    @property
    def look(self) -> str:
        """The address that lists what waits."""
        if self.subscription_id is None:
            return f"{self.hub}/v1/stopped?leg=unpublishable"
        return f"{self.hub}/v1/subscriptions/{self.subscription_id}/dead-letters"


def cloud_event(notice: Notice) -> bytes:
    """The body for the receiver of alerts, about the subscription that it names."""
    codes = notice.waiting.codes[:MOST_CODES]
    data = {
        "subscription_id": notice.subscription_id,
        "count": notice.waiting.count,
        "since": to_rfc3339(notice.waiting.since),
        "codes": [_why(notice, code, count) for code, count in codes],
        "look": notice.look,
        "redrive": f"{notice.look}/redrive",
        "command": f"schakel dead-letters list --subscription {notice.subscription_id}",
    }
    return message(notice.id, TYPE, data)


def _why(notice: Notice, code: str, count: int) -> dict[str, Any]:
    told = notice.sentence(code)
    return {"code": code, "count": count, "why": {"nl": told.nl, "en": told.en}}


def subject(notice: Notice) -> str:
    """The letter's subject, in both languages."""
    count = notice.waiting.count
    return f"Schakel: {count} onbestelbaar / {count} undeliverable"


def text(notice: Notice) -> str:
    """The letter, Dutch first."""
    said = _of_kafka(notice) if notice.subscription_id is None else _of_subscription(notice)
    return f"{said.nl}\n\n---- English ----\n\n{said.en}\n"


def _of_subscription(notice: Notice) -> Message:
    one, count = notice.subscription_id, notice.waiting.count
    show = f"  schakel dead-letters list --subscription {one}\n  GET {notice.look}"
    again = (
        f'  schakel dead-letters redrive --subscription {one} --reason "..."\n'
        f"  POST {notice.look}/redrive"
    )
    where = f"  POST {notice.hub}/v1/subscriptions/{one}/alerts"
    since = _day(notice.waiting.since)
    return Message(
        nl=f"Van uw webhook wachten {count} gebeurtenissen die niet bezorgd raakten, de oudste "
        f"sinds\n{since} (Belgische tijd). De hub probeert ze niet opnieuw; wat daarna komt gaat "
        f"door.\n\nAbonnement: {one}\n\nWaarom:\n{_codes(notice, 'nl')}\n\nBekijken:\n{show}\n\n"
        f"Opnieuw laten versturen, nadat de ontvanger hersteld is:\n{again}\n\n"
        "Zolang er iets wacht, komt deze mail hoogstens één keer per dag.\n"
        f"Een ander adres, of geen mail:\n{where}",
        en=f"Of your webhook {count} events wait that could not be delivered, the oldest since\n"
        f"{since} (Belgian time). The hub tries them no more; what came later goes on.\n\n"
        f"Subscription: {one}\n\nWhy:\n{_codes(notice, 'en')}\n\nLook:\n{show}\n\n"
        f"Have them sent again, once the receiver is mended:\n{again}\n\n"
        "As long as something waits, this mail comes once a day at most.\n"
        f"Another address, or no mail:\n{where}",
    )


def _of_kafka(notice: Notice) -> Message:
    count, since = notice.waiting.count, _day(notice.waiting.since)
    show = f"  schakel events stopped --leg unpublishable\n  GET {notice.look}"
    return Message(
        nl=f"{count} gebeurtenissen uit uw inbox konden niet in uw Kafka-topic komen, de oudste "
        f"sinds\n{since} (Belgische tijd).\n\nWaarom:\n{_codes(notice, 'nl')}\n\n"
        f"Bekijken:\n{show}\n\nOphalen kan via de feed, als uw afspraak die toelaat.\n"
        "Deze mail komt hoogstens één keer per dag.",
        en=f"{count} events of your inbox could not be put into your Kafka topic, the oldest "
        f"since\n{since} (Belgian time).\n\nWhy:\n{_codes(notice, 'en')}\n\n"
        f"Look:\n{show}\n\nThe feed hands them over, if your agreement opens that door.\n"
        "This mail comes once a day at most.",
    )


def _codes(notice: Notice, language: str) -> str:
    return "\n".join(
        f"  {count} x {code}: {notice.sentence(code).text(language)}"
        for code, count in notice.waiting.codes[:MOST_CODES]
    )


def _day(moment: int) -> str:
    return datetime_of(moment).astimezone(BRUSSELS).strftime("%d/%m/%Y %H:%M")
