"""Refusals of this kind: a command cannot reach the hub, or was refused by it."""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from collections.abc import Sequence

from gateway.refusals.root import GatewayError
from schemas.errors import InvalidParam, Message


class CommandError(GatewayError):
    """A command of `schakel` that speaks to the hub could not do what was asked."""

    code = "command_failed"
    title = Message(nl="Opdracht mislukt", en="Command failed")


class CredentialsMissing(CommandError):
    """No credentials were given, or the file cannot be used."""

    code = "credentials_missing"
    status = 400
    title = Message(nl="Toegangsgegevens ontbreken", en="Credentials missing")


class HubUnreachable(CommandError):
    """The hub does not answer at its address."""

    code = "hub_unreachable"
    status = 503
    title = Message(nl="Hub niet bereikbaar", en="Hub unreachable")


class RefusedByHub(CommandError):
    """The hub answered with a problem; `status` is the answer's."""

    code = "refused_by_hub"
    title = Message(nl="Geweigerd door de hub", en="Refused by the hub")

    def __init__(
        self, detail: Message, *, status: int, invalid: Sequence[InvalidParam] = ()
    ) -> None:
        super().__init__(detail, invalid=invalid)
        self.status = status  # type: ignore[misc]  # of this one answer, not of the class


class FormIncomplete(CommandError):
    """Fields of a form are missing and nobody can be asked for them."""

    code = "form_incomplete"
    status = 400
    title = Message(nl="Onvolledig formulier", en="Incomplete form")


class NotConfirmed(CommandError):
    """Something asks before it is done, and nobody is there to answer."""

    code = "not_confirmed"
    status = 400
    title = Message(nl="Niet bevestigd", en="Not confirmed")


class NoHubHere(CommandError):
    """The folder is not a hub's."""

    code = "no_hub_here"
    status = 404
    title = Message(nl="Geen hub in deze map", en="No hub in this folder")


class NothingFound(CommandError):
    """Nothing goes by that id or number, for this caller."""

    code = "nothing_found"
    status = 404
    title = Message(nl="Niets gevonden", en="Nothing found")
