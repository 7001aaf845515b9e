"""What a partner receives: pages, streams, an inbox that is followed, a webhook that is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from connectors import feed_lines
from connectors.answers import page_of, refilled_of
from connectors.following import EVERYTHING, Follower, Wanted
from connectors.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.answers import Delivered, Page, Refilled
    from connectors.calls import Calls
    from connectors.following import Form
    from connectors.positions import CursorStore
    from connectors.sdk import Event

_NDJSON: Final = "application/x-ndjson"
_STREAM: Final = "text/event-stream"
_PATIENCE: Final = Patience(give_up_seconds=600.0)
_FOR_EVER: Final = Patience()


class Receiving:
    """The half of `HubClient` that receives.

    Args:
        calls: of the hub.
    """

    def __init__(self, calls: Calls) -> None:
        self._receives = calls

    def feed(
        self,
        after: str | None = None,
        *,
        limit: int = 100,
        wait_seconds: int = 0,
        wanted: Wanted = EVERYTHING,
    ) -> Page:
        """One page of the inbox after the cursor; waits up to `wait_seconds` for a first event."""
        return page_of(self._receives.get("/v1/feed", **_asked(after, limit, wait_seconds, wanted)))

    def feed_events(
        self, after: str | None = None, *, limit: int = 100, wanted: Wanted = EVERYTHING
    ) -> Iterator[Event]:
        """Every event now in the inbox after the cursor. The cursor is the caller's to keep."""
        while True:
            page = self.feed(after, limit=limit, wanted=wanted)
            yield from page.events
            # A page whose events were all stopped is empty, and more may follow it.
            if page.next is None or not (page.events or page.behind):
                return
            after = page.next

    def steps(
        self,
        after: str | None,
        *,
        form: Form = "json",
        wanted: Wanted = EVERYTHING,
        limit: int = 100,
        wait_seconds: int = 0,
    ) -> Iterator[Delivered]:
        """One answer of the feed in the form asked for, step by step, as the bytes come.

        `ndjson` reads many pages in one answer and tells the cursor last; `sse` stays open until
        the token ends, with a cursor for each event. Raises as `publish`, also on the way.
        """
        if form == "json":
            page = self.feed(after, limit=limit, wait_seconds=wait_seconds, wanted=wanted)
            yield from feed_lines.of_page(page)
            return
        asked = _asked(after, limit, wait_seconds if form == "ndjson" else 0, wanted)
        accept = _NDJSON if form == "ndjson" else _STREAM
        with self._receives.stream("/v1/feed", accept, asked) as chunks:
            if form == "ndjson":
                yield from feed_lines.of_json_lines(chunks)
            else:
                yield from feed_lines.of_server_events(chunks)

    def follow(
        self,
        store: CursorStore,
        *,
        wanted: Wanted = EVERYTHING,
        form: Form = "json",
        limit: int = 100,
        backfill_from: str | None = None,
        patience: Patience = _FOR_EVER,
    ) -> Iterator[Event]:
        """Every event of the inbox, for ever and in order; waits for those to come. Patient.

        The cursor is kept when the loop asks for the next event, so write each by its `id`: after a
        crash the last page comes again (all that one answer held, with `ndjson`). An inbox that no
        longer keeps what follows the cursor is filled again; then some come again and late. A copy
        with a higher `redelivery` holds more than what you have under that `id`, and replaces it.
        Arguments and errors are those of `connectors.following.Follower`.
        """
        return Follower(
            self,
            store,
            patience=patience,
            wanted=wanted,
            form=form,
            limit=limit,
            backfill_from=backfill_from,
        ).follow()

    def catch_up(
        self,
        store: CursorStore,
        *,
        wanted: Wanted = EVERYTHING,
        limit: int = 100,
        backfill_from: str | None = None,
        patience: Patience = _PATIENCE,
    ) -> Iterator[Event]:
        """Every event that waits in the inbox now; for a program that runs by the clock.

        As `follow`, but it ends when the inbox is read.
        """
        return Follower(
            self,
            store,
            patience=patience,
            wanted=wanted,
            limit=limit,
            backfill_from=backfill_from,
        ).catch_up()

    def backfill(self, since: str) -> Refilled:
        """Put back into the inbox what it no longer keeps of what was recorded since a time.

        Idempotent. What came lies at the end of the inbox; read that from its beginning.
        """
        return refilled_of(self._receives.post("/v1/feed/backfill", {"from": since}))

    def subscribe(
        self,
        url: str,
        secret: str,
        *,
        key: str,
        wanted: Wanted = EVERYTHING,
        alerts: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Have every event of the inbox from now on sent to a webhook.

        The hub at once asks the receiver for its word (`challenge_of`), so it must listen already.

        Args:
            url: https, reachable for the hub.
            secret: from `new_webhook_secret`; give it to the receiver first.
            key: `Idempotency-Key`; the same again gives the same subscription.
            wanted: which events.
            alerts: where the hub tells that something could not be delivered: `email`, `url`, or
                `mail` false; absent mails your contact in the hub's registry.

        Returns:
            The subscription: `id`, `state`, and `reason` while it is not `active`. Raises as
            `publish`.
        """
        body: dict[str, Any] = {
            "url": url,
            "secret": secret,
            "event_types": list(wanted.types),
            "programmes": list(wanted.programmes),
            "municipalities": list(wanted.municipalities),
        }
        if alerts is not None:
            body["alerts"] = dict(alerts)
        return self._receives.post("/v1/subscriptions", body, key=key)


def _asked(after: str | None, limit: int, wait: int, wanted: Wanted) -> dict[str, str | int]:
    asked: dict[str, str | int] = {"limit": limit, **wanted.parameters()}
    if after is not None:
        asked["after"] = after
    if wait:
        asked["wait"] = wait
    return asked
