"""What a partner sends: one event, many with patience, one in Avro, or none but the question."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from connectors.answers import (
    DryRun,
    ItemAnswer,
    Receipt,
    dry_run_of,
    item_of,
    receipt_of,
    unreadable,
)
from connectors.avro_events import avro_request
from connectors.errors import InvalidEvents
from connectors.patience import Patience
from connectors.publishing import Publisher
from schemas import envelope
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.calls import Calls

_ONE: Final = {"content-type": "application/cloudevents+json"}
_MANY: Final = {"content-type": "application/cloudevents-batch+json"}
_PATIENCE: Final = Patience(give_up_seconds=600.0)


class Submitting:
    """The half of `HubClient` that publishes.

    Args:
        calls: of the hub.
        participant: the own one, when it is known.
        now: real time in seconds since the epoch.
    """

    def __init__(self, calls: Calls, participant: str | None, now: Callable[[], float]) -> None:
        self._sends = calls
        self._participant = participant
        self._environment: str | None = None
        self._now = now

    def event(
        self,
        name: str,
        data: Mapping[str, Any],
        *,
        id: str,  # noqa: A002 - CloudEvents calls it so
        **attributes: str,
    ) -> dict[str, Any]:
        """A CloudEvent of the own participant, to publish; asks the hub once who that is.

        Args:
            name: of the event, such as `referral.created`.
            data: as its schema says.
            id: of your own making and always the same for the same fact; never a national number.
            attributes: others of CloudEvents, such as `sourcerecordid`, `trajectoryid`, `subject`,
                or `time` (RFC 3339), which is now when left out.
        """
        if self._participant is None:
            self._participant = str(self._sends.get("/v1/me")["participant"])
        moment = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        return {
            "specversion": "1.0",
            "id": id,
            "source": envelope.participant_source(self._participant),
            "type": envelope.event_type(name),
            "time": moment.replace("+00:00", "Z"),
            **attributes,
            "data": dict(data),
        }

    def publish(self, event: Mapping[str, Any]) -> Receipt:
        """Publish one CloudEvent in structured form; a duplicate gives the receipt of the first.

        Raises:
            HubRefused: nothing was written.
            HubUnavailable: unknown; publish the same event again.
            InvalidCredentials: the hub does not take them.
        """
        return receipt_of(self._publish(_ONE, orjson.dumps(event)))

    def publish_avro(self, event: Mapping[str, Any]) -> Receipt:
        """Publish one CloudEvent, given in structured form, with its data in Avro (binary mode).

        Send it again in the same form: the hub takes its JSON form for other content.

        Raises:
            SchakelError: the event does not fit its schema; nothing was sent. Else as `publish`.
        """
        if self._environment is None:
            self._environment = str(self._sends.get("/v1/me")["environment"])
        return receipt_of(self._publish(*avro_request(event, self._environment)))

    def publish_batch(self, events: Sequence[Mapping[str, Any]]) -> tuple[ItemAnswer, ...]:
        """Publish up to 500 events; the answers are in the order of `events`.

        Only what is not recorded needs sending again: see `ItemAnswer.is_recorded`.
        Raises as `publish`; then nothing is known about any of them.
        """
        if not events:
            return ()
        items = self._publish(_MANY, orjson.dumps(events)).get("items")
        if not isinstance(items, list):
            raise unreadable()
        answers = tuple(item_of(item) for item in items)
        if [answer.id for answer in answers] != [event["id"] for event in events]:
            raise unreadable()
        return answers

    def publish_many(
        self, events: Sequence[Mapping[str, Any]], patience: Patience = _PATIENCE
    ) -> tuple[ItemAnswer, ...]:
        """Publish any number of events, in batches and with patience; blocks till all are answered.

        Sent again, under the same ids, is only what has no answer yet: after 429 and 5xx as long as
        `Retry-After` says, or with growing waits with jitter. An event that spoils its whole batch
        is found by halving it and answered `rejected`, as is one that makes the hub fail five times
        (`hub_fault`). After a refusal later events of its case are `blocked`, and never sent by
        themselves: mend the refused one and publish them all again.

        Returns:
            An answer for each event, in the order of `events`.

        Raises:
            InvalidEvents: an event without an id, or two of one id; nothing was sent.
            HubUnavailable: gave up; some may be recorded, so publish them all again.
            HubRefused: this client may not publish. InvalidCredentials: the hub does not take them.
        """
        _check_ids(events)
        publisher = Publisher(
            self,
            patience.pause,
            chance=patience.chance,
            give_up_seconds=patience.give_up_seconds,
            resends_blocked=False,
        )
        answers = publisher.send(events)
        return tuple(answers[event["id"]] for event in events)

    def dry_run(self, event: Mapping[str, Any]) -> DryRun:
        """What the hub would decide about one event, and who would get it; nothing is written.

        Raises as `publish`: what would be refused is refused.
        """
        return dry_run_of(self._publish(_ONE, orjson.dumps(event), dry_run="true"))

    def _publish(
        self, headers: Mapping[str, str], body: bytes, **parameters: str
    ) -> dict[str, Any]:
        return self._sends.send("POST", "/v1/events", headers, body=body, parameters=parameters)


def _check_ids(events: Sequence[Mapping[str, Any]]) -> None:
    ids = [event.get("id") for event in events]
    if not all(isinstance(one, str) and one for one in ids) or len(set(ids)) < len(ids):
        raise InvalidEvents(
            Message(
                nl="Geef elke gebeurtenis een eigen id: er ontbreekt er een of twee zijn gelijk.",
                en="Give each event an id of its own; one is missing or two are the same.",
            )
        )
