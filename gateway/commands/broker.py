"""`schakel broker`: the embedded Kafka node by itself, without the rest of the hub.

It has the ports of DATA/hub.toml and runs in the foreground until Ctrl-C, SIGTERM or `broker stop`.
"""

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from gateway.embedded.broker import Broker, is_held
from gateway.embedded.hub import HUB_LOCK
from gateway.embedded.installation import ensure_installation
from gateway.embedded.locks import is_locked
from gateway.embedded.resources import cache_folder, kafka_folder
from gateway.errors import BrokerFailed, BrokerNotRunning, DataInUse
from gateway.settings import LOOPBACK, HubSettings, load
from schemas.cli import say
from schemas.errors import Message

app = typer.Typer(
    help="The embedded Kafka node by itself.", no_args_is_help=True, add_completion=False
)

Data = Annotated[Path, typer.Option(envvar="SCHAKEL_DATA", help="The hub's data folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

_NOT_RUNNING = 3
_STOP_SECONDS = 40.0


@app.command()
def start(data: Data = Path("data"), *, as_json: AsJson = False) -> None:
    """Start the broker and stay with it until Ctrl-C, SIGTERM or `broker stop`."""
    cache_folder(os.environ)  # what cannot work is said before anything is written
    _require_alone(data.resolve())
    ensure_installation(data, None)
    settings = load(data)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with _key_set(settings) as jwks_url:
        broker = _broker(settings, jwks_url)
        broker.start()
        try:
            with _owner(settings.data):
                _print(_described(settings, running=True), as_json=as_json)
                while not ended.wait(0.25):
                    if broker.has_ended():
                        raise _ended(broker.log)
        finally:
            broker.stop()


@app.command()
def stop(data: Data = Path("data")) -> None:
    """Stop the broker that `broker start` runs on this data folder."""
    folder = data.resolve()
    if not is_held(folder):
        raise BrokerNotRunning(
            Message(nl=f"Op {folder} draait geen broker.", en=f"No broker runs on {folder}.")
        )
    owner = _owner_of(folder)
    if owner is None:
        raise _of_a_hub(folder)
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while is_held(folder):
        if time.monotonic() > deadline:
            raise BrokerFailed(
                Message(
                    nl=f"De broker op {folder} stopt niet.",
                    en=f"The broker on {folder} does not stop.",
                )
            )
        time.sleep(0.05)


@app.command()
def status(data: Data = Path("data"), *, as_json: AsJson = False) -> None:
    """Say whether a broker runs on this data folder; exit code 3 when none does."""
    running = is_held(data.resolve())
    ensure = data / "hub.toml"
    settings = load(data) if ensure.exists() else None
    facts = _described(settings, running=running) if settings else {"running": running}
    _print(facts, as_json=as_json)
    if not running:
        raise typer.Exit(_NOT_RUNNING)


@app.command()
def path(data: Data = Path("data"), *, as_json: AsJson = False) -> None:
    """Say where the broker's files lie: data, log, settings, certificates, downloads."""
    folder = data.resolve()
    facts = {
        "data": str(folder / "kafka" / "data"),
        "log": str(folder / "kafka" / "broker.log"),
        "settings": str(folder / "kafka" / "server.properties"),
        "tls": str(folder / "tls"),
        "lock": str(kafka_folder() / "jgo.lock.toml"),
        "cache": str(cache_folder(os.environ)),
    }
    _print(facts, as_json=as_json)


def _require_alone(folder: Path) -> None:
    """Say at once who runs a broker here; only what is ending is worth waiting for.

    Raises:
        DataInUse: another `broker start`, or a hub.
    """
    if is_held(folder) and _owner_of(folder) is not None:
        raise DataInUse(
            Message(
                nl=f"Op {folder} draait al een broker; stop die met `schakel broker stop`.",
                en=f"A broker already runs on {folder}; stop it with `schakel broker stop`.",
            )
        )
    if is_locked(folder / HUB_LOCK):
        raise _of_a_hub(folder)


def _of_a_hub(folder: Path) -> DataInUse:
    return DataInUse(
        Message(
            nl=f"De broker op {folder} hoort bij een draaiende hub; stop de hub.",
            en=f"The broker on {folder} belongs to a running hub; stop the hub.",
        )
    )


def _broker(settings: HubSettings, jwks_url: str) -> Broker:
    return Broker(
        settings.data,
        client_port=_port(settings.kafka_client_address),
        internal_port=_port(settings.kafka_bootstrap),
        controller_port=settings.kafka_controller_port,
        issuer=settings.issuer,
        jwks_url=jwks_url,
    )


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _described(settings: HubSettings, *, running: bool) -> dict[str, Any]:
    return {
        "running": running,
        "client": settings.kafka_client_address,
        "internal": settings.kafka_bootstrap,
        "log": str(settings.data / "kafka" / "broker.log"),
    }


def _print(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        typer.echo(f"{name:{width}}  {value}")


@contextmanager
def _key_set(settings: HubSettings) -> Iterator[str]:
    """Give the address of the gateway's key set, or of an empty one while no gateway runs."""
    theirs = f"{settings.issuer}/oauth/jwks"
    if _answers(theirs):
        yield theirs
        return
    told = say(
        "Geen gateway antwoordt: deelnemers kunnen niet aanmelden bij deze broker.",
        "No gateway answers: participants cannot log in to this broker.",
    )
    typer.echo(told, err=True)
    server = ThreadingHTTPServer((LOOPBACK, 0), _EmptyKeySet)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/jwks"
    finally:
        server.shutdown()
        server.server_close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


class _EmptyKeySet(BaseHTTPRequestHandler):
    """Kafka starts only while its key set answers; an empty one admits nobody."""

    def do_GET(self) -> None:
        """Answer with no keys."""
        body = b'{"keys": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def _owner(data: Path) -> Iterator[None]:
    """Note in DATA/kafka/owner.pid who runs the broker; the note counts while its lock is held."""
    with (data / "kafka" / "owner.pid").open("a+") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        note.truncate(0)
        note.write(str(os.getpid()))
        note.flush()
        yield


def _owner_of(data: Path) -> int | None:
    try:
        with (data / "kafka" / "owner.pid").open() as note:
            fcntl.flock(note, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int((data / "kafka" / "owner.pid").read_text())
    except FileNotFoundError:
        return None
    return None


def _ended(log: Path) -> BrokerFailed:
    return BrokerFailed(
        Message(
            nl=f"De broker is onverwacht gestopt; zie {log}.",
            en=f"The broker ended unexpectedly; see {log}.",
        )
    )
