"""Everything the work behind the log may refuse or fail with, as one tree.

    SchakelError
    └── ConsumersError                503 consumers_error
        ├── CursorExpired             410 cursor_expired
        └── UnknownEvent              404 not_found

Codes are stable and documented; sentences are for the partner's operator, in Dutch and English.
"""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from schemas.errors import Message, SchakelError


class ConsumersError(SchakelError):
    """The root of what this package raises."""

    code = "consumers_error"
    status = 503
    title = Message(nl="Verwerking niet beschikbaar", en="Processing unavailable")


class CursorExpired(ConsumersError):
    """A feed cursor points before what the inbox still keeps; ask for a backfill."""

    code = "cursor_expired"
    status = 410
    title = Message(nl="Cursor verlopen", en="Cursor expired")


class UnknownEvent(ConsumersError):
    """No such event, or not the caller's: both are told the same way."""

    code = "not_found"
    status = 404
    title = Message(nl="Niet gevonden", en="Not found")
