"""`schakel up`: the whole hub on one machine, in one terminal."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.embedded.demo import WITH, prepare
from gateway.embedded.hub import TICK_SECONDS, Hub
from schemas.cli import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

app = typer.Typer(add_completion=False)


@app.command()
def up(
    data: Annotated[
        Path, typer.Option(envvar="SCHAKEL_DATA", help="Folder of everything the hub keeps.")
    ] = Path("data"),
    port: Annotated[
        int | None, typer.Option(help="Port of the gateway, at the first start.")
    ] = None,
    with_: Annotated[
        str | None, typer.Option("--with", help="`demo`: load the demo registry and its clients.")
    ] = None,
) -> None:
    """Start the gateway, Kafka and the workers, and keep them running until SIGTERM or Ctrl-C.

    One JSON line on standard output says where everything is, as soon as the first event can come.
    """
    if with_ not in (None, WITH):
        known = say(f"kent alleen `{WITH}`", f"knows only `{WITH}`")
        raise typer.BadParameter(known, param_hint="--with")
    stop = threading.Event()
    _on_signals(signal.default_int_handler)
    hub = Hub(data, port=port, report=_tell)
    try:
        # A start may take minutes and leaves nothing half done, so a signal interrupts it.
        hub.start()
        _on_signals(lambda *_: stop.set())
        if with_ == WITH:
            hub.wait_for_registry(prepare(hub.settings, _tell))
        sys.stdout.write(json.dumps(hub.ready_line(), separators=(",", ":")) + "\n")
        sys.stdout.flush()
        while not stop.wait(TICK_SECONDS):
            hub.watch()
        _tell(say("Stopt: wat aanvaard is, blijft", "Stopping: what was accepted is kept"))
    except KeyboardInterrupt:
        _tell(say("Gestopt voor alles draaide", "Stopped before everything ran"))
    finally:
        _on_signals(lambda *_: stop.set())
        hub.stop()


def _on_signals(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
