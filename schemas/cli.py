"""The root of the `schakel` command: finds a sub-command, runs it, and says what went wrong.

Sub-commands are the entry points of the group `schakel.commands`, so an installation shows what it
can run. Only the one that is asked for is imported: help answers at once, and a partner's machine
needs none of the hub's packages. Data goes to standard output, everything else to standard error.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 done in part, 4 not authorised, 130 interrupted.
"""

from __future__ import annotations

import difflib
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import EntryPoint, entry_points, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from schemas.command_shape import shape
from schemas.command_summaries import SUMMARIES
from schemas.errors import CommandUnavailable, Message, SchakelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GROUP: Final = "schakel.commands"

DONE: Final = 0
FAILED: Final = 1
WRONG_USE: Final = 2
PARTIAL: Final = 3
UNAUTHORISED: Final = 4
INTERRUPTED: Final = 130

_UNAUTHORISED_STATUSES: Final = frozenset({401, 403})
_HUB_PACKAGE: Final = "fastapi"
_OURS: Final = frozenset({"connectors", "consumers", "gateway", "schemas"})


def language(environment: Mapping[str, str] = os.environ) -> str:
    """Return `nl` or `en` for the sentences on a terminal.

    `SCHAKEL_LANGUAGE` decides, then the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), then Dutch.
    """
    for name in ("SCHAKEL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        chosen = environment.get(name, "").lower()
        if chosen.startswith(("nl", "en")):
            return chosen[:2]
    return "nl"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; the entry point of the `schakel` script.

    Raises:
        SystemExit: always, with the exit code.
    """
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        _write(_help(), sys.stdout)
        return DONE if arguments else WRONG_USE
    if arguments[0] in ("--version", "-V"):
        _write(f"schakel {version('schakel')}", sys.stdout)
        return DONE
    name, *rest = arguments
    found = commands().get(name)
    if found is None:
        _write(_unknown(name), sys.stderr)
        return WRONG_USE
    return guarded(lambda: _invoke(found, rest))


def commands() -> dict[str, EntryPoint]:
    """Return the installed sub-commands by name, without importing them."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def guarded(action: Callable[[], int]) -> int:
    """Run an action at the edge of the process: every failure is one sentence and an exit code."""
    try:
        return action()
    except SchakelError as error:
        _write(described(error), sys.stderr)
        return UNAUTHORISED if error.status in _UNAUTHORISED_STATUSES else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # the edge of the process: a person reads this
        if os.environ.get("SCHAKEL_DEBUG"):
            raise
        _write(_unexpected(error), sys.stderr)
        return FAILED


def described(error: SchakelError) -> str:
    """Return what a person reads about an error: the sentence, each field, and the next command.

    The fact `next` is that command; `next_with` is what the command that ran has to be given too.
    """
    spoken = language()
    lines = [f"schakel: {error.detail.text(spoken)}"]
    lines += [f"  {param.name}: {param.reason.text(spoken)}" for param in error.invalid]
    following = error.facts.get("next")
    if isinstance(following, str):
        lines.append(f"{say('Volgende stap', 'Next')}: {following}")
    return "\n".join(lines)


def _invoke(entry: EntryPoint, arguments: list[str]) -> int:
    import typer  # noqa: PLC0415 - help and unknown commands answer without loading it

    command, called = typer.main.get_command(_loaded(entry)), f"schakel {entry.name}"
    try:
        with _helping(command, entry, arguments):
            return _called(command, called, arguments)
    except SchakelError as error:
        added = error.facts.get("next_with")
        if isinstance(added, str):
            error.facts["next"] = f"{shape(command, called, arguments)} {added}"
        raise
    except SystemExit as ending:
        if isinstance(ending.code, str):
            _write(ending.code, sys.stderr)
            return FAILED
        return ending.code or DONE


def _called(command: Any, called: str, arguments: list[str]) -> int:
    """Run a command of Typer's; what it refuses is told in the language of the terminal."""
    from schemas.wrong_use import Abort, Refused, told  # noqa: PLC0415 - it loads Typer

    try:
        ending = command.main(args=arguments, prog_name=called, standalone_mode=False)
    except Refused as refusal:
        if said := told(refusal, called, language()):
            _write(said, sys.stderr)
        return WRONG_USE
    except Abort:
        _write(say("schakel: afgebroken.", "schakel: ended."), sys.stderr)
        return FAILED
    return ending if isinstance(ending, int) else DONE


def _helping(
    command: Any, entry: EntryPoint, arguments: Sequence[str]
) -> AbstractContextManager[None]:
    """What a command runs within: Dutch texts, when its help is asked in Dutch."""
    is_asked = not arguments or "--help" in arguments
    if not is_asked or language() != "nl":
        return nullcontext()
    from schemas.help_texts import in_dutch  # noqa: PLC0415 - only help needs it

    return in_dutch(command, entry.module.rpartition(".")[0])


def _loaded(entry: EntryPoint) -> Any:
    """Import a sub-command.

    Raises:
        CommandUnavailable: it, or a package it needs, is not installed here.
    """
    try:
        return entry.load()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = "hub" if entry.value.startswith(("gateway", "consumers")) else "connectors"
        if package in _OURS:
            detail = Message(
                nl=f"`schakel {entry.name}` is geen deel van deze installatie.",
                en=f"`schakel {entry.name}` is no part of this installation.",
            )
        else:
            detail = Message(
                nl=f"`schakel {entry.name}` heeft {package} nodig, en dat is niet geïnstalleerd.",
                en=f"`schakel {entry.name}` needs {package}, which is not installed.",
            )
        install = f'pip install "schakel[{extra}]"'
        raise CommandUnavailable(detail, facts={"next": install}) from error


def _can_run(entry: EntryPoint) -> bool:
    """Tell whether this installation has what a sub-command needs; a guess that imports nothing."""
    return not entry.value.startswith("gateway") or find_spec(_HUB_PACKAGE) is not None


def _help() -> str:
    names = [name for name, entry in commands().items() if _can_run(entry)]
    width = max((len(name) for name in names), default=0)
    spoken = language()
    lines = [
        say(
            "Schakel verbindt VDAB, OCMW's en lokale partners: toeleiding, plaatsing, uitkomst.",
            "Schakel links VDAB, OCMWs and local partners: referral, placement, outcome.",
        ),
        "",
        say("Gebruik: schakel OPDRACHT [OPTIES]", "Usage: schakel COMMAND [OPTIONS]"),
        "",
        say("Opdrachten:", "Commands:"),
    ]
    for name in names:
        summary = SUMMARIES[name].text(spoken) if name in SUMMARIES else ""
        lines.append(f"  {name:<{width}}  {summary}".rstrip())
    hint = "`schakel {} --help`"
    lines += [
        "",
        say(f"Meer over één opdracht: {hint}", f"More about one command: {hint}").format(
            say("OPDRACHT", "COMMAND")
        ),
        say(
            "Taal: SCHAKEL_LANGUAGE=nl of en. Versie: `schakel --version`.",
            "Language: SCHAKEL_LANGUAGE=nl or en. Version: `schakel --version`.",
        ),
    ]
    return "\n".join(lines)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, commands(), n=1)
    meant = f" {say('Bedoelt u', 'Did you mean')} `schakel {near[0]}`?" if near else ""
    return (
        say(f"schakel: `{name}` is geen opdracht.", f"schakel: there is no command `{name}`.")
        + meant
        + "\n"
        + say("`schakel --help` toont ze alle.", "`schakel --help` shows them all.")
    )


def _unexpected(error: Exception) -> str:
    kind = type(error).__name__
    return say(
        f"schakel: onverwachte fout ({kind}); dat is onze fout.\n"
        "Herhaal met SCHAKEL_DEBUG=1 om te zien waar het misliep.",
        f"schakel: unexpected error ({kind}); that is our fault.\n"
        "Run it again with SCHAKEL_DEBUG=1 to see where it went wrong.",
    )


def say(nl: str, en: str) -> str:
    """The one of the two that is in the language of this terminal."""
    return Message(nl=nl, en=en).text(language())


def _write(text: str, stream: Any) -> None:
    stream.write(text + "\n")
