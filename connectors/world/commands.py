"""`schakel world generate|play|story`: an invented world, for tests and for whoever wants to see.

Progress goes to stderr when it takes more than two seconds, the answer to stdout.
Exit codes: 0 done, 1 the hub did otherwise than the world says, or something must be put right.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectors.credentials import load_credentials, parse_credentials
from connectors.errors import WorldDiffers
from connectors.world import journeys, printing, registry, telling, world
from connectors.world.keys import private_jwk
from connectors.world.own_hub import Installation, own_hub
from connectors.world.performance import performance
from schemas.cli import language
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.credentials import Credentials
    from connectors.world.playing import Played

app = typer.Typer(
    help="Make, play and tell an invented world.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
QUIET_SECONDS = 2.0
STORY_SEED = 1

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Hub = Annotated[
    str | None, typer.Option(help="The gateway of a test installation; default: one of its own.")
]
Management = Annotated[str | None, typer.Option(help="Its management address, for the clock.")]
Admin = Annotated[
    Path | None,
    typer.Option("--credentials", help="Its administrator's; without it the registry is left."),
]


@app.command()
def generate(
    *,
    seed: Annotated[int, typer.Option(help="One seed, one world.")],
    people: Annotated[int, typer.Option(help="How many besides the journeys'.", min=0)] = 40,
    out: Annotated[Path, typer.Option(help="The folder, made when missing.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Write a world: registry, clients, and what everybody sends when. All of it is invented."""
    progress = Progress()
    summary = world.generate(
        seed,
        people,
        out,
        lambda done: progress.say(_say(f"{done} mensen verzonnen", f"{done} people invented")),
    )
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    typer.echo(world.INVENTED[language()])
    events, cases = summary["events"], summary["cases"]
    typer.echo(
        _say(
            f"{events} gebeurtenissen van {cases} dossiers, {summary['from']} tot {summary['to']}.",
            f"{events} events of {cases} cases, {summary['from']} to {summary['to']}.",
        )
    )


@app.command()
def play(
    folder: Annotated[Path, typer.Argument(help="A world.", show_default=False)],
    *,
    hub: Hub = None,
    management: Management = None,
    credentials: Admin = None,
    as_json: AsJson = False,
) -> None:
    """Play a world on a test installation, day by day, as each participant's own client."""
    world.read_summary(folder)
    progress = Progress()
    began = time.monotonic()
    with (
        _installation(hub, management, credentials) as where,
        performance(
            where,
            lambda who: load_credentials(folder / world.CLIENTS / f"{who}.json"),
            world.read_registry(folder),
            language=language(),
            report=progress.day,
            remembers=world.is_of_journey,
        ) as player,
    ):
        played = player.play(world.read_steps(folder))
    _report(played, round(time.monotonic() - began, 1), as_json=as_json)


@app.command()
def story(
    letter: Annotated[str, typer.Argument(metavar="JOURNEY", help="A letter.")],
    *,
    hub: Hub = None,
    management: Management = None,
    credentials: Admin = None,
    seed: Annotated[int, typer.Option(help="Who the people are.")] = STORY_SEED,
    as_json: AsJson = False,
) -> None:
    """Play one journey and print it as each participant saw it."""
    journey = journeys.journey(letter)
    script = journeys.scripted(seed, journey)
    progress = Progress()
    with (
        _installation(hub, management, credentials) as where,
        performance(
            where,
            lambda who: _derived(seed, who),
            registry.document(seed),
            language=language(),
            report=progress.day,
            remembers=lambda _case: True,
        ) as player,
    ):
        played = player.play(world.in_order(script.steps))
        found = telling.told(journey, player)
    if as_json:
        typer.echo(json.dumps(telling.as_json(found, language()), ensure_ascii=False))
    else:
        typer.echo(printing.text(found, language()), nl=False)
    _fail_on(played)


@app.command("list")
def list_journeys(*, as_json: AsJson = False) -> None:
    """The journeys, with their letters."""
    spoken = language()
    rows = [
        {"journey": one.letter, "title": one.title.text(spoken)}
        for one in journeys.JOURNEYS.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['journey']}  {row['title']}")


class Progress:
    """Says how far it is, every two seconds at most and never in the first two."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def say(self, sentence: str) -> None:
        """Say it, if there was silence for two seconds."""
        if time.monotonic() - self._said_at >= QUIET_SECONDS:
            self._said_at = time.monotonic()
            sys.stderr.write(f"{sentence}\n")
            sys.stderr.flush()

    def day(self, day: str, sent: int) -> None:
        """The day that is played, and what was sent before it."""
        self.say(_say(f"{day}: {sent} verstuurd", f"{day}: {sent} sent"))


def _installation(
    hub: str | None, management: str | None, administrator: Path | None
) -> AbstractContextManager[Installation]:
    if hub is None:
        return own_hub()
    if management is None:
        raise typer.BadParameter(
            _say("hoort bij --hub: de klok wordt verzet", "goes with --hub: the clock is moved"),
            param_hint="--management",
        )
    found = None if administrator is None else load_credentials(administrator)
    return nullcontext(Installation(hub, management, found))


def _derived(seed: int, participant: str) -> Credentials:
    client = registry.client_id(participant)
    document = {
        "client_id": client,
        "participant": participant,
        "private_key": private_jwk(seed, client),
    }
    return parse_credentials(json.dumps(document))


def _report(played: Played, seconds: float, *, as_json: bool) -> None:
    if as_json:
        body: dict[str, Any] = {
            "ok": not played.surprises,
            "answers": dict(sorted(played.counts.items())),
            "checks": played.sights,
            "given_up": played.given_up,
            "seconds": seconds,
            "surprises": [asdict(one) for one in played.surprises],
        }
        typer.echo(json.dumps(body, ensure_ascii=False))
    else:
        answers = ", ".join(f"{count} {name}" for name, count in sorted(played.counts.items()))
        typer.echo(f"{answers} ({seconds} s)")
    _fail_on(played)


def _fail_on(played: Played) -> None:
    if not played.surprises:
        return
    for one in played.surprises:
        sentence = f"{one.on} {one.case} {one.who} {one.event}: {one.wanted}, {one.got}"
        typer.echo(f"{sentence} {one.detail}".rstrip(), err=True)
    count = len(played.surprises)
    raise WorldDiffers(
        Message(
            nl=f"De hub deed {count} keer iets anders dan de wereld zegt.",
            en=f"The hub did otherwise than the world says {count} times.",
        )
    )


def _say(nl: str, en: str) -> str:
    return Message(nl=nl, en=en).text(language())
