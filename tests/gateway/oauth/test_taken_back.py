"""What is taken back at one gateway is refused at another with its next look at the registry.

The look itself comes every two seconds (`test_registry_live`); here it is asked for.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from consumers.database import open_engine
from gateway.errors import InvalidToken
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.registry_store import RegistryStore
from gateway.oauth.keys import SigningKeys
from gateway.oauth.proofs import Proofs
from gateway.oauth.senders import Senders
from gateway.oauth.tokens import GATEWAY, mint
from gateway.oauth.verifier import Verifier
from tests.hub_front import ISSUER, PARTNER, HubFront
from tests.registry_fixtures import demo_content, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine


class Gateway:
    """A gateway's verifier with eyes of its own on the shared store."""

    def __init__(self, engine: Engine, folder: Path, publish_ahead_seconds: int = 0) -> None:
        self.live = LiveRegistry(RegistryStore(engine, environment="test"))
        self.signing = SigningKeys(
            engine,
            FileKeyEncryption(folder / "kek"),
            publish_ahead_seconds=publish_ahead_seconds,
        )
        self.live.before_change(self.signing.reload)
        self.verifier = Verifier(
            issuer=ISSUER,
            keys=self.signing,
            registry=self.live.current,
            senders=Senders(Proofs([ISSUER])),
        )

    def token(self) -> str:
        """A token of the partner's, as this gateway signs it now."""
        client = self.live.current().clients[PARTNER]
        return mint(
            self.signing.current(),
            client,
            issuer=ISSUER,
            resource=GATEWAY,
            scope="sj_feed_read",
            now_seconds=time.time(),
        )


@pytest.fixture
def beside(front: HubFront, tmp_path: Path) -> Iterator[Callable[[], Gateway]]:
    """Makes gateways beside the front, on its store."""
    del front  # which made the store
    engine = open_engine(sqlite_url(tmp_path))
    yield lambda: Gateway(engine, tmp_path)
    engine.dispose()


def revoke_client(front: HubFront, token: str) -> None:
    """The administrator takes the client back."""
    del token
    front.administer(f"/v1/clients/{PARTNER}/revoke", {})


def revoke_token(front: HubFront, token: str) -> None:
    """The client takes its own token back (RFC 7009)."""
    assert front.ask(front.assertion(), "/oauth/revoke", token=token).status_code == 200


def revoke_participant(front: HubFront, token: str) -> None:
    """The registry file says that the participant is revoked."""
    del token
    content = demo_content()
    for organisation in content["organisations"]:
        for one in organisation["participants"]:
            if one["id"] == front.live.current().clients[PARTNER].participant:
                one["revoked"] = True
    front.store.apply(parse(content, "test"), "test")


def rotate_at_once(front: HubFront, token: str) -> None:
    """The signing key leaked."""
    del token
    front.signing.rotate(actor="test", emergency=True)


@pytest.mark.parametrize(
    "take_back", [revoke_client, revoke_token, revoke_participant, rotate_at_once]
)
def test_another_gateway_refuses_with_its_next_look(
    front: HubFront, beside: Callable[[], Gateway], take_back: Callable[[HubFront, str], None]
) -> None:
    """A token that it verified and remembers is refused once it has looked."""
    other = beside()
    token = front.token()
    assert other.verifier.verify(token).client_id == PARTNER
    take_back(front, token)
    other.live.refresh()

    with pytest.raises(InvalidToken):
        other.verifier.verify(token)


def test_planned_rotations_fail_no_request(beside: Callable[[], Gateway]) -> None:
    """Two threads sign and verify at another gateway all the while: every token is good."""
    here, other = beside(), beside()
    done = threading.Event()
    failures: list[object] = []
    verified: list[int] = []

    def use(signs: Gateway, checks: Gateway) -> None:
        while not done.is_set():
            try:
                checks.verifier.verify(signs.token())
                verified.append(1)
            except InvalidToken as error:
                failures.append(error.facts["reason"])

    threads = [threading.Thread(target=use, args=pair) for pair in ((here, other), (other, here))]
    for one in threads:
        one.start()
    used = set()
    for _ in range(3):
        seen = len(verified) + 20
        while len(verified) < seen and not failures:
            done.wait(0.005)
        used.add(here.signing.rotate(actor="test")[0])
        other.live.refresh()
    done.set()
    for one in threads:
        one.join()

    assert not failures
    assert len(used) == 3
