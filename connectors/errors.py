"""What connectors refuse or cannot do.

    SchakelError
    └── ConnectorError
        ├── InvalidConnector     the folder, its map or its settings are wrong; nothing was started
        ├── InvalidCredentials   the credentials file is missing, readable by others or refused
        ├── StateUnusable        the state is locked, damaged or lost its key
        ├── SinkNotReady         what was received could not be written for too long; it comes again
        ├── RowRefused           one row cannot become an event; carries the stable code
        ├── FileRefused          one file cannot be read at all; carries the stable code
        ├── InvalidEvents        events without an id, or two of one id; nothing was sent
        ├── WebhookRefused       a call is not the hub's, or comes too late; carries the stable code
        ├── HubRefused           the hub answered 4xx: never written, the same again gives the same
        ├── UnknownJourney       the synthetic world has no journey of that letter
        ├── WorldUnreadable      a folder holds no synthetic world, or one of another version
        ├── WorldDiffers         the hub did not do what the synthetic world says it does
        └── HubUnavailable       no answer, 429 or 5xx: unknown, the same call may be sent again

No sentence holds a value from a row: reports and logs are read by more people than the row is.
"""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from __future__ import annotations

from schemas.errors import InvalidParam, Message, SchakelError


class ConnectorError(SchakelError):
    """The root of what `connectors` raises."""

    code = "connector_error"
    status = 500
    title = Message(nl="Fout in de koppeling", en="Connector error")


class InvalidConnector(ConnectorError):
    """The connector's folder, map or settings are wrong; `invalid` lists every fault."""

    code = "invalid_connector"
    title = Message(nl="Ongeldige koppeling", en="Invalid connector")


class InvalidCredentials(ConnectorError):
    """The credentials cannot be read or the hub does not take them; trying again does not help."""

    code = "invalid_credentials"
    status = 401
    title = Message(nl="Ongeldige toegangsgegevens", en="Invalid credentials")


class StateUnusable(ConnectorError):
    """The state file is held by another process, damaged, or without the key of its ids."""

    code = "state_unusable"
    title = Message(nl="Onbruikbare toestand", en="Unusable state")


class SinkNotReady(ConnectorError):
    """What was received could not be written for too long; nothing is lost, it comes again.

    Args:
        sink: its name.
        what: what is not ready, such as a file; may be empty.
        kind: the kind of the cause; never its text.
    """

    code = "sink_not_ready"
    status = 503
    title = Message(nl="Inbox niet beschrijfbaar", en="Inbox not writable")

    def __init__(self, sink: str, what: str, kind: str) -> None:
        where = f"{sink} ({what})" if what else sink
        super().__init__(
            Message(
                nl=f"Wat ontvangen is, kan niet geschreven worden naar {where}: {kind}. "
                "Maak het beschrijfbaar en start opnieuw; er gaat niets verloren.",
                en=f"What was received cannot be written to {where}: {kind}. "
                "Make it writable and start again; nothing is lost.",
            )
        )


class RowRefused(ConnectorError):
    """One row cannot become an event; it becomes a dead letter and the rest goes on.

    Args:
        reason: a stable code, such as `not_a_date`.
        detail: what is wrong and what to do; never holds a value of the row.
        column: the column it is about, when it is about one.
    """

    code = "row_refused"
    status = 422
    title = Message(nl="Rij geweigerd", en="Row refused")

    def __init__(self, reason: str, detail: Message, *, column: str | None = None) -> None:
        invalid = () if column is None else (InvalidParam(column, reason, detail),)
        super().__init__(detail, invalid=invalid, facts={"reason": reason})
        self.reason = reason
        self.column = column


class FileRefused(ConnectorError):
    """One file cannot be read at all; it is set aside with a report and the next one is taken.

    Args:
        reason: a stable code, such as `unknown_column`.
        detail: what is wrong and what to do.
    """

    code = "file_refused"
    status = 422
    title = Message(nl="Bestand geweigerd", en="File refused")

    def __init__(self, reason: str, detail: Message) -> None:
        super().__init__(detail, facts={"reason": reason})
        self.reason = reason


class InvalidEvents(ConnectorError):
    """The events cannot be told apart by their ids; nothing was sent."""

    code = "invalid_events"
    status = 422
    title = Message(nl="Ongeldige gebeurtenissen", en="Invalid events")


class WebhookRefused(ConnectorError):
    """A call on a webhook that is not the hub's, or that comes again too late.

    Args:
        reason: a stable code: `header`, `signature`, `timestamp` or `body`.
        detail: what is wrong; never holds anything of the call.
    """

    code = "webhook_refused"
    status = 401
    title = Message(nl="Geen oproep van de hub", en="Not a call of the hub")

    def __init__(self, reason: str, detail: Message) -> None:
        super().__init__(detail, facts={"reason": reason})
        self.reason = reason


class HubRefused(ConnectorError):
    """The hub answered with a problem of the 4xx kind: nothing was written.

    Args:
        answer_status: the HTTP status.
        problem_code: the `code` of the problem document.
        detail: the problem's own sentence.
        invalid: its invalid parameters.
    """

    code = "hub_refused"
    status = 422
    title = Message(nl="Geweigerd door de hub", en="Refused by the hub")

    def __init__(
        self,
        answer_status: int,
        problem_code: str,
        detail: Message,
        *,
        invalid: tuple[InvalidParam, ...] = (),
    ) -> None:
        super().__init__(detail, invalid=invalid, facts={"problem": problem_code})
        self.answer_status = answer_status
        self.problem_code = problem_code


class HubUnavailable(ConnectorError):
    """No answer, 429 or 5xx: whether it was written is unknown, the same call may be sent again.

    Args:
        retry_after_seconds: what the hub asked for, when it did.
        is_fault: the hub answered 500: it may be this very call that it cannot bear.
    """

    code = "hub_unavailable"
    status = 503
    title = Message(nl="Hub niet bereikbaar", en="Hub unavailable")

    def __init__(
        self,
        detail: Message,
        *,
        retry_after_seconds: float | None = None,
        is_fault: bool = False,
    ) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds
        self.is_fault = is_fault


class UnknownJourney(ConnectorError):
    """The synthetic world has no journey of that letter."""

    code = "unknown_journey"
    status = 404
    title = Message(nl="Onbekend verhaal", en="Unknown journey")


class WorldUnreadable(ConnectorError):
    """The folder holds no synthetic world, or one that another version wrote."""

    code = "world_unreadable"
    title = Message(nl="Geen wereld", en="No world")


class WorldDiffers(ConnectorError):
    """The hub refused what the synthetic world says it takes, or did not tell what it should."""

    code = "world_differs"
    status = 409
    title = Message(nl="De hub doet iets anders", en="The hub does otherwise")
