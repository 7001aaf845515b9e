"""The deliverer's process, as it is composed, tells the contact that the registry file names."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from consumers import alerts, dead_letters, subscriptions
from consumers.clock import SystemClock
from consumers.database import open_engine
from consumers.dead_letters import DeadLetter
from consumers.scope import Scope
from consumers.subscriptions import Wanted
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.text_seal import TextSeal
from gateway.registry_parts import RegistryParts
from gateway.settings import HubSettings
from gateway.webhook_parts import DeliverParts
from tests.consumers.mail_servers import MailServer
from tests.consumers.webhook_world import SECRET
from tests.registry_fixtures import demo_document
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from pathlib import Path

OCMW = "ocmw-tienen"
FROM = "schakel@hub.example.org"


def given_up_on(settings: HubSettings) -> str:
    """A subscription with one dead letter, of which an alert was owed a day ago; its id."""
    now = SystemClock().now_us()
    engine = open_engine(settings.stores.consumers)
    with engine.begin() as connection:
        made, _ = subscriptions.create(
            connection,
            OCMW,
            Wanted("https://hook.example.org/"),
            key="k",
            content_hash="h",
            secret=SECRET,
            seal=TextSeal(FileKeyEncryption(settings.key_file)),
            position=0,
            now=now,
        )
        letter = DeadLetter(
            "l-1", OCMW, made.id, 1, "e-1", "referral.created", None, None, "timeout", 9, None, now
        )
        dead_letters.add(connection, [letter])
        current = subscriptions.one(connection, Scope(OCMW), made.id, locked=True)
        assert current is not None
        alerts.owe(connection, current, now - 2 * alerts.GATHER_US)
    engine.dispose()
    return made.id


def test_the_process_tells_the_contact(tmp_path: Path) -> None:
    """By the mail server of the settings, with the hub's public address in it."""
    with MailServer() as server:
        settings = HubSettings(
            data=tmp_path,
            public_url="https://hub.example.org/",
            mail_host="127.0.0.1",
            mail_port=server.port,
            mail_security="none",
            mail_from=FROM,
        )
        migrated(settings.stores)
        settings.run_dir.mkdir()
        registry = RegistryParts(settings)
        registry.store.apply(demo_document(), "test")
        registry.live.refresh()
        made = given_up_on(settings)
        stop = threading.Event()
        process = threading.Thread(target=DeliverParts(settings, registry).run, args=(stop,))
        process.start()
        deadline = time.monotonic() + 30
        while not server.got and process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        stop.set()
        process.join()

    (letter,) = server.got
    text = letter.get_content()
    assert letter["To"] == "activering@ocmw-tienen.example.org"
    assert f"https://hub.example.org/v1/subscriptions/{made}/dead-letters" in text
    assert "De ontvanger antwoordde niet op tijd." in text
