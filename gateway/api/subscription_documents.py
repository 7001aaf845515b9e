"""What is asked of webhook subscriptions and their dead letters, and what is answered: shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from consumers.errors import LOST
from consumers.subscriptions import Wanted
from consumers.webhook_secrets import Oauth
from gateway.api import parameters
from schemas import territory
from schemas.catalogue import catalogue
from schemas.errors import InvalidParam, Message, UnknownEventType, UnknownMunicipality
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consumers.dead_letters import DeadLetter
    from consumers.deliveries import Attempt, Delivery
    from consumers.subscriptions import Subscription

HOUR_US: Final = 3_600_000_000
MOST_NAMES: Final = 200
MOST_IDS: Final = 500
QUIET: Final = frozenset({"active", "paused"})

WHY: Final = {
    **LOST,
    "unreachable": Message(
        nl="De ontvanger faalt telkens; wij proberen het geregeld opnieuw.",
        en="The receiver keeps failing; we try again at intervals.",
    ),
    "http_410": Message(
        nl="De ontvanger antwoordde 410; hervat als dat een vergissing was.",
        en="The receiver answered 410; resume if that was a mistake.",
    ),
    "challenge_not_repeated": Message(
        nl="De ontvanger herhaalde het woord van de proef niet; pas hem aan en hervat.",
        en="The receiver did not repeat the word of the challenge; mend it and resume.",
    ),
}
"""Why a subscription does not deliver; other codes are those of a failed attempt."""

Name = Annotated[str, Field(max_length=80)]


class OauthAsked(BaseModel):
    """Client credentials with which the hub gets a token for the receiver."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token_endpoint: Annotated[str, Field(max_length=2048)]
    client_id: Annotated[str, Field(min_length=1, max_length=256)]
    client_secret: Annotated[str, Field(min_length=1, max_length=1024)]
    scope: Annotated[str, Field(max_length=1024)] = ""

    def kept(self) -> Oauth:
        """As they are kept."""
        return Oauth(**self.model_dump())


class CredentialsAsked(BaseModel):
    """Other credentials; null sends without a token."""

    model_config = ConfigDict(extra="forbid", strict=True)

    oauth: OauthAsked | None

    def kept(self) -> Oauth | None:
        """As they are kept."""
        return None if self.oauth is None else self.oauth.kept()


class AlertsAsked(BaseModel):
    """Where the hub tells, once a day at most, that dead letters wait.

    Attributes:
        email: in a domain where the registry has a contact of the organisation; absent is that
            contact of this participant.
        url: https, challenged as the subscription's own; absent is nowhere.
        mail: false for no mail at all.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    email: Annotated[str | None, Field(max_length=254)] = None
    url: Annotated[str | None, Field(max_length=2048)] = None
    mail: bool = True

    def kept_email(self) -> str | None:
        """As it is kept: an empty text is no mail, None the contact."""
        return self.email if self.mail else ""


class NewSubscription(BaseModel):
    """A subscription to be made; absent filters let everything through.

    Attributes:
        since: replay from this time; absent begins with what comes from now on.
        secret: `whsec_` and 24 to 64 bytes in base64; absent makes the hub choose one.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str, Field(max_length=2048)]
    event_types: Annotated[list[Name], Field(max_length=MOST_NAMES)] = []
    programmes: Annotated[list[Name], Field(max_length=MOST_NAMES)] = []
    municipalities: Annotated[list[Name], Field(max_length=MOST_NAMES)] = []
    concurrency: Annotated[int, Field(ge=1, le=16)] = 4
    rate: Annotated[int, Field(ge=1, le=5000)] = 1000
    retry_hours: Annotated[int, Field(ge=1, le=168)] = 72
    since: Annotated[str | None, Field(max_length=40)] = None
    secret: Annotated[str | None, Field(max_length=120)] = None
    oauth: OauthAsked | None = None
    alerts: AlertsAsked | None = None

    def wanted(self) -> Wanted:
        """As it is kept."""
        return Wanted(
            url=self.url,
            event_names=tuple(dict.fromkeys(self.event_types)),
            programmes=tuple(dict.fromkeys(self.programmes)),
            municipalities=tuple(dict.fromkeys(self.municipalities)),
            concurrency=self.concurrency,
            rate=self.rate,
            window_us=self.retry_hours * HOUR_US,
            oauth=None if self.oauth is None else self.oauth.kept(),
            alert_email=None if self.alerts is None else self.alerts.kept_email(),
            alert_url=None if self.alerts is None else self.alerts.url,
        )

    def faults(self, programmes: Collection[str]) -> list[InvalidParam]:
        """Names in the filters that mean nothing, so that no filter silently lets nothing by."""
        found = [
            _unknown("event_types", "unknown_event_type")
            for one in self.event_types
            if not _is_event(one)
        ]
        found += [
            _unknown("programmes", "unknown_programme")
            for one in self.programmes
            if one not in programmes
        ]
        found += [
            _unknown("municipalities", "unknown_municipality")
            for one in self.municipalities
            if not _is_municipality(one)
        ]
        return list(dict.fromkeys(found))


class Rotation(BaseModel):
    """A new secret, and for how long the former one signs too."""

    model_config = ConfigDict(extra="forbid", strict=True)

    secret: Annotated[str | None, Field(max_length=120)] = None
    grace_hours: Annotated[int, Field(ge=0, le=168)] = 24


class Replay(BaseModel):
    """From when everything is sent again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    since: Annotated[str, Field(max_length=40)]


class Choosing(BaseModel):
    """Which dead letters, and why; bounds are RFC 3339 times at which they were given up on.

    Attributes:
        after: where the same call stopped before, as its answer says; absent begins at the oldest.
        dry_run: only say how many, and show some.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: Annotated[list[Name] | None, Field(max_length=MOST_IDS)] = None
    code: Annotated[str | None, Field(max_length=40)] = None
    event_type: Annotated[str | None, Field(max_length=80)] = None
    trajectory_id: Annotated[str | None, Field(max_length=36)] = None
    since: Annotated[str | None, Field(max_length=40)] = None
    until: Annotated[str | None, Field(max_length=40)] = None
    after: Annotated[str | None, Field(max_length=64)] = None
    reason: Annotated[str, Field(max_length=500)] = ""
    dry_run: bool = False


def instant(text: str | None, name: str) -> int | None:
    """A time in microseconds, None for none. Raises InvalidParameter."""
    return None if text is None else parameters.instant_us(text, name)


def subscription(
    found: Subscription, open_letters: int, forgotten: int, alerts: dict[str, Any]
) -> dict[str, Any]:
    """A subscription without its secrets.

    Args:
        found: the row.
        open_letters: how many dead letters wait.
        forgotten: the newest row that retention took from its participant's inbox.
        alerts: where they go.
    """
    has_missed = forgotten > found.position
    return _present(
        {
            "id": found.id,
            "participant": found.participant,
            "url": found.url,
            "state": found.state,
            "reason": found.reason,
            "why": _why(found.reason),
            "event_types": list(found.event_names),
            "programmes": list(found.programmes),
            "municipalities": list(found.municipalities),
            "concurrency": found.concurrency,
            "rate": found.rate,
            "retry_hours": found.window_us // HOUR_US,
            "oauth": found.oauth is not None,
            "created_at": to_rfc3339(found.created_at),
            "failing_since": _time(found.failing_since),
            "delivered_at": _time(found.delivered_at),
            "next_attempt_at": _time(found.due_at),
            "dead_letters": open_letters,
            "alerts": alerts,
            "missed": has_missed,
            "attention": bool(open_letters) or has_missed or found.state not in QUIET,
        }
    )


def delivery(found: Delivery) -> dict[str, Any]:
    """What became of one event."""
    return _present(
        {
            "seq": found.seq,
            "event_id": found.event_id,
            "state": found.state,
            "attempts": found.tries,
            "code": found.code,
            "first_attempt_at": _time(found.first_at),
            "next_attempt_at": _time(found.next_at),
            "ended_at": _time(found.ended_at),
        }
    )


def dead_letter(found: DeadLetter, attempts: Sequence[Attempt] | None = None) -> dict[str, Any]:
    """A dead letter, with its failed attempts when they are given; never a payload."""
    return _present(
        {
            "id": found.id,
            "subscription_id": found.subscription_id,
            "participant": found.participant,
            "event_id": found.event_id,
            "type": found.event_name,
            "trajectory_id": found.trajectory_id,
            "dataschema": found.dataschema,
            "code": found.code,
            "attempts": found.tries,
            "excerpt": found.excerpt,
            "dead_at": to_rfc3339(found.dead_at),
            "state": found.state,
            "ended_at": _time(found.ended_at),
            "ended_by": found.ended_by,
            "why": found.why,
            "failed": None if attempts is None else [_attempt(one) for one in attempts],
        }
    )


def _attempt(found: Attempt) -> dict[str, Any]:
    return _present(
        {
            "number": found.number,
            "at": to_rfc3339(found.at),
            "duration_us": found.duration_us,
            "code": found.code,
            "excerpt": found.excerpt,
        }
    )


def _why(reason: str | None) -> dict[str, str] | None:
    told = None if reason is None else WHY.get(reason)
    return None if told is None else {"nl": told.nl, "en": told.en}


def _time(moment: int | None) -> str | None:
    return None if moment is None else to_rfc3339(moment)


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _unknown(name: str, code: str) -> InvalidParam:
    return InvalidParam(
        name,
        code,
        Message(nl="Dit kent de hub niet.", en="The hub does not know this."),
    )


def _is_event(name: str) -> bool:
    try:
        catalogue().event(name)
    except UnknownEventType:
        return False
    return True


def _is_municipality(nis: str) -> bool:
    try:
        territory.municipality(nis)
    except UnknownMunicipality:
        return False
    return True
