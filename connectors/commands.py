"""`schakel connector run|check`: the command line of connectors.

Progress goes to stderr, the answer to stdout; exit codes: 0 done, 1 something must be put right,
75 the hub could not be reached and the same command may be run again.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer

from connectors import definition
from connectors.client import HubClient
from connectors.credentials import Credentials, load_credentials
from connectors.errors import HubUnavailable, InvalidCredentials
from connectors.identity import Identities
from connectors.publishing import Stopped
from connectors.runner import Plan, Runner, open_state
from schemas.cli import language
from schemas.errors import Message, SchakelError

if TYPE_CHECKING:
    from types import FrameType

    from connectors.checkpoint import Checkpoint

app = typer.Typer(
    name="connector",
    help="Connect a partner's system: check a connector and run it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
EXIT_FAILED = 1
EXIT_UNAVAILABLE = 75
STOP_SECONDS = 4
ONCE_GIVE_UP_SECONDS = 60.0

Folder = Annotated[Path, typer.Argument(help="The connector's folder.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on stdout.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of this run, as name=value.")
]
Files = Annotated[
    Path | None,
    typer.Option("--files", help="Where the drop and inbox folders are; default FOLDER."),
]
Secrets = Annotated[
    Path | None, typer.Option("--secrets", help="A folder with one file per secret.")
]


@app.command()
def check(folder: Folder, *, as_json: AsJson = False, settings: Settings = None) -> None:
    """Check a connector offline: its settings, and its maps against the event schemas."""
    ids = Identities(bytes(32), "check")
    try:
        plan = definition.load(folder, ids, overrides=_overrides(settings))
    except SchakelError as error:
        _fail(error, as_json=as_json)
    maps = {name: sorted(one.events) for name, one in sorted(plan.maps.items())}
    if as_json:
        typer.echo(json.dumps({"ok": True, "connector": plan.connector.name, "maps": maps}))
        return
    typer.echo(f"{plan.connector.name}: ok")
    for name, events in maps.items():
        typer.echo(f"  {name}: {', '.join(events)}")


@app.command()
def run(
    folder: Folder,
    *,
    data: Annotated[Path, typer.Option(help="The state folder; keep it.", show_default=False)],
    credentials: Annotated[
        Path, typer.Option(help="The credentials file of the client.", show_default=False)
    ],
    hub: Annotated[
        str | None, typer.Option(help="The gateway's address; default: as in the credentials.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Drain everything once, then end.")] = False,
    files: Files = None,
    settings: Settings = None,
    secrets: Secrets = None,
    batch: Annotated[int, typer.Option(help="Most events to one call.", min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """Run a connector until SIGTERM or SIGINT, or once."""
    _log_to_stderr()
    stop = Flag()
    _stop_on_signals(stop)
    try:
        given = load_credentials(credentials)
        name = definition.connector_name(folder)
        state, ids = open_state(data, name)
        with state:
            plan = definition.load(
                folder, ids, files=files, overrides=_overrides(settings), secrets=secrets
            )
            totals = _run(
                plan,
                state,
                ids,
                credentials=given,
                hub=hub,
                stop=stop,
                once=once,
                batch=batch,
            )
            totals["dead_letters"] = len(state.dead_letters())
    except Stopped:
        totals = {"stopped": True}
    except SchakelError as error:
        _fail(error, as_json=as_json)
    finally:
        signal.alarm(0)
    if as_json:
        typer.echo(json.dumps(totals))


def _run(
    plan: Plan,
    state: Checkpoint,
    ids: Identities,
    *,
    credentials: Credentials,
    hub: str | None,
    stop: Flag,
    once: bool,
    batch: int,
) -> dict[str, Any]:
    address = hub or credentials.hub
    if address is None:
        raise InvalidCredentials(
            Message(nl="Geef het adres van de hub met --hub.", en="Give the hub's address (--hub).")
        )
    with HubClient(address, credentials) as client:
        runner = Runner(
            plan,
            state=state,
            ids=ids,
            hub=client,
            participant=credentials.participant or _participant(client),
            stop=stop,
            give_up_seconds=ONCE_GIVE_UP_SECONDS if once else None,
            batch=batch,
        )
        totals = runner.once() if once else runner.run()
    return {"records": totals.records, "delivered": totals.delivered}


def _participant(client: HubClient) -> str:
    found = client.me().get("participant")
    if isinstance(found, dict):
        found = found.get("id")
    if not isinstance(found, str):
        raise HubUnavailable(
            Message(
                nl="De hub zegt niet wie deze client is.", en="The hub does not say who we are."
            )
        )
    return found


def _stop_on_signals(stop: Flag) -> None:
    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        # What hangs in a call is cut off: nothing of it was acknowledged, so it comes again.
        signal.alarm(STOP_SECONDS)

    def cut(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGALRM, cut)


def _overrides(given: list[str] | None) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in given or [])
    return {name: value for name, mark, value in pairs if mark}


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _fail(error: SchakelError, *, as_json: bool) -> None:
    faults = [
        {"name": one.name, "code": one.code, "reason": one.reason.nl} for one in error.invalid
    ]
    if as_json:
        body = {"ok": False, "code": error.code, "detail": error.detail.nl, "invalidParams": faults}
        typer.echo(json.dumps(body, ensure_ascii=False))
    typer.echo(error.detail.text(language()), err=True)
    for one in error.invalid:
        typer.echo(f"  {one.reason.text(language())}", err=True)
    raise typer.Exit(EXIT_UNAVAILABLE if isinstance(error, HubUnavailable) else EXIT_FAILED)
