"""`schakel up --with demo`: the demonstration's registry, clients, and a first call to copy."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from consumers.database import open_engine
from gateway.bootstrap import write_credentials
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry import Credential
from gateway.exchange.registry_document import parse, read_yaml
from gateway.exchange.registry_store import RegistryStore
from schemas.cli import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import HubSettings

WITH = "demo"


def demo_folder() -> Path:
    """Where the demonstration's files are: beside the sources, or in the installed package."""
    beside = Path(__file__).parents[2] / "deploy" / "demo"
    return beside if beside.is_dir() else Path(str(files("gateway"))) / "embedded" / "demo_files"


def prepare(settings: HubSettings, report: Callable[[str], None]) -> int:
    """Load the registry and give each of its clients a key, once; idempotent.

    Credentials go to DATA/clients/ID.json, mode 0600. Gives the registry's version.
    """
    engine = open_engine(settings.stores.ledger)
    store = RegistryStore(engine, environment=settings.environment)
    document = parse(read_yaml(demo_folder() / "registry.yaml"), store.environment)
    changes = store.apply(document, WITH)
    count = len(changes.changes)
    report(say(f"Demoregister: {count} wijzigingen", f"Demo registry: {count} changes"))
    folder = settings.data / "clients"
    folder.mkdir(mode=0o700, exist_ok=True)
    for client in store.load().clients.values():
        path = folder / f"{client.id}.json"
        if path.exists() or any(one.jwk for one in client.credentials):
            continue
        key = new_private_jwk()
        store.rotate_client(client.id, Credential(jwk=public_part(key)), WITH, overlap_seconds=0)
        write_credentials(path, client.id, client.participant, settings, private_key=key)
    version = store.version()
    engine.dispose()
    _say_how(settings, report)
    return version


def _say_how(settings: HubSettings, report: Callable[[str], None]) -> None:
    """The three lines that publish a first referral, to be copied into a shell."""
    credentials = settings.data / "clients" / "ocmw-tienen-connector.json"
    report(say("Verstuur een eerste toeleiding:", "Publish a first referral:"))
    report(f"  TOKEN=$(.venv/bin/schakel client token --credentials {credentials})")
    report(
        f'  curl -sS {settings.base_url}/v1/referrals -H "Authorization: Bearer $TOKEN" \\\n'
        "    -H 'Content-Type: application/json' -H \"Idempotency-Key: $(date +%s)\" \\\n"
        '    -d \'{"programme":"wijk_werken","reason":"work_rhythm","given_name":"Amina",'
        '"family_name":"Testers","phone":"+32 000 12 34 56","postcode":"3300",'
        '"informed_person_at":"\'$(date +%F)\'"}\''
    )
