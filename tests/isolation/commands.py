"""What every command of `schakel` may ask the hub, so that none has a door of its own.

A command that is not here fails the matrix. `LOCAL` commands work on files of whoever runs them.
"""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from typer.main import get_command

from tests.isolation.ways import GET, POST, PUBLISH

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
Operation = tuple[str, str]
LOCAL: Final[tuple[Operation, ...]] = ()
_CLIENTS, _AGREEMENTS = "/v1/clients", "/v1/agreements"
_ONE_AGREEMENT = f"{_AGREEMENTS}/{{agreement_id}}"
_DOCUMENT = (GET, f"{_ONE_AGREEMENT}/document")
_CASES = (GET, "/v1/trajectories")
_CASE = (GET, "/v1/trajectories/{trajectory_id}")
_EVENT = (GET, "/v1/events/{event_id}")
_RULES = (GET, "/v1/programmes")
_FEED = (GET, "/v1/feed")
_WEBHOOKS = "/v1/subscriptions"
_DEAD = f"{_WEBHOOKS}/{{subscription_id}}/dead-letters"
_METADATA = (GET, "/.well-known/oauth-authorization-server")

COMMANDS: Final[dict[str, tuple[Operation, ...]]] = {
    "agreement check": ((POST, f"{_AGREEMENTS}/preview"), _DOCUMENT),
    "agreement diff": (_DOCUMENT,),
    "agreement key": LOCAL,
    "agreement list": ((GET, _AGREEMENTS),),
    "agreement new": LOCAL,
    "agreement reject": (_DOCUMENT, (POST, f"{_ONE_AGREEMENT}/reject")),
    "agreement revoke": (_DOCUMENT, (POST, f"{_ONE_AGREEMENT}/revoke")),
    "agreement show": ((GET, _ONE_AGREEMENT), _DOCUMENT),
    "agreement sign": (_DOCUMENT, (POST, _AGREEMENTS), (POST, f"{_ONE_AGREEMENT}/accept")),
    "audit disclosures": ((POST, "/v1/audit/disclosures"),),
    "audit own": ((GET, "/v1/disclosures"),),
    "broker path": LOCAL,
    "broker start": LOCAL,
    "broker status": LOCAL,
    "broker stop": LOCAL,
    "client create": ((POST, _CLIENTS), _METADATA),
    "client list": ((GET, _CLIENTS),),
    "client revoke": ((POST, f"{_CLIENTS}/{{client_id}}/revoke"),),
    "client rotate": ((POST, f"{_CLIENTS}/{{client_id}}/rotate"), _METADATA),
    "client recover": LOCAL,
    "client token": ((POST, "/oauth/token"),),
    "connector check": LOCAL,
    "connector run": (PUBLISH, _FEED, (GET, "/v1/me")),
    "db retention": LOCAL,
    "dead-letters discard": ((GET, _WEBHOOKS), (POST, f"{_DEAD}/discard")),
    "dead-letters list": ((GET, _WEBHOOKS), (GET, _DEAD)),
    "dead-letters redrive": ((GET, _WEBHOOKS), (POST, f"{_DEAD}/redrive")),
    "dead-letters show": ((GET, _WEBHOOKS), (GET, f"{_DEAD}/{{letter_id}}")),
    "db upgrade": LOCAL,
    "events offers": ((GET, "/v1/offers"),),
    "events record-key": ((GET, "/v1/records/key"),),
    "events records": ((GET, "/v1/records"), (GET, "/v1/records/consistency")),
    "events refer": ((POST, "/v1/referrals"),),
    "events show": (_EVENT, _CASE, _CASES),
    "events stopped": ((GET, "/v1/stopped"),),
    "events tail": (_FEED,),
    "evidence": ((GET, "/v1/evidence"), (GET, "/v1/evidence/indicators")),
    "keys rotate": LOCAL,
    "keys rotate-signing": ((POST, "/v1/signing-keys/rotate"),),
    "keys status": LOCAL,
    "programmes check": LOCAL,
    "programmes comment": ((POST, "/v1/programmes/publications/{reference}/comments"),),
    "programmes convert": ((GET, "/v1/programmes/conversions"),),
    "programmes diff": (_RULES, (GET, "/v1/programmes/publications")),
    "programmes explain": (_RULES, (GET, "/v1/programmes/publications")),
    "programmes publish": (
        (POST, "/v1/programmes/plan"),
        (POST, "/v1/programmes/publications"),
    ),
    "registry apply": ((POST, "/v1/registry/plan"), (POST, "/v1/registry/apply")),
    "run": LOCAL,
    "schemas asyncapi": LOCAL,
    "schemas check": LOCAL,
    "schemas codes": LOCAL,
    "schemas diagrams": LOCAL,
    "schemas indicators": LOCAL,
    "schemas list": LOCAL,
    "schemas publish": LOCAL,
    "schemas show": LOCAL,
    "subject access": ((GET, "/v1/trajectories/{trajectory_id}/disclosures"), _CASES),
    "subject confirm": ((POST, "/v1/erasures/{order_id}/receipts"),),
    "subject erase": ((POST, "/v1/erasures"),),
    "subject erasures": ((GET, "/v1/erasures"),),
    "subject lift": (PUBLISH, (GET, "/v1/me")),
    "subject merge": (PUBLISH, (GET, "/v1/me")),
    "subject object": (PUBLISH, (GET, "/v1/me")),
    "subject rectify": (PUBLISH, (GET, "/v1/me")),
    "subject report": ((GET, "/v1/erasures/{order_id}/report"),),
    "subject withdraw-consent": (PUBLISH, (GET, "/v1/me")),
    "subject verify": LOCAL,
    "trace": (_EVENT, _CASE, _CASES),
    "up": LOCAL,
    "verify": LOCAL,
    "world generate": LOCAL,
    "world list": LOCAL,
    "world play": (PUBLISH, _FEED, _CASE, (POST, "/v1/programmes/publications")),
    "world story": (PUBLISH, _FEED, _CASE, (POST, "/v1/programmes/publications")),
}


def apps() -> dict[str, Any]:
    """The Typer application behind each first word, by the entry points of this source."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = project["entry-points"]["schakel.commands"]
    places = {name: where.partition(":") for name, where in declared.items()}
    return {name: getattr(import_module(at), app) for name, (at, _, app) in places.items()}


def tree() -> dict[str, Any]:
    """Every command by its words."""
    found: dict[str, Any] = {}
    for name, app in apps().items():
        found.update(_commands(get_command(app), name))
    return found


def asks_the_hub(command: Any) -> bool:
    """Whether it takes a hub's address."""
    return any("--hub" in one.opts for one in command.params)


def _commands(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if not inner:
        yield words, command
        return
    for name, one in inner.items():
        yield from _commands(one, f"{words} {name}")
