"""A real broker for tests: one for the session, and as many more as a test starts itself.

Each ends with the test process, also when that is killed: gateway/embedded/child.py sees to it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from consumers.log import LogSettings
from gateway.embedded.broker import Broker
from tests.ports import distant_ports
from tests.token_issuer import TokenIssuer


def start_test_broker(
    folder: Path, issuer: TokenIssuer | None = None, template: Path | None = None
) -> Broker:
    """Start a broker with its data in `folder`, on ports that are free now; the caller stops it."""
    chosen = issuer or TokenIssuer()
    client, internal, controller = distant_ports(3)
    broker = Broker(
        folder,
        client_port=client,
        internal_port=internal,
        controller_port=controller,
        issuer=chosen.issuer,
        jwks_url=chosen.jwks_url,
        template=template,
    )
    broker.start(timeout_seconds=120)
    return broker


@pytest.fixture(scope="session")
def token_issuer() -> Iterator[TokenIssuer]:
    """The issuer that the session's broker trusts."""
    issuer = TokenIssuer()
    yield issuer
    issuer.close()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, token_issuer: TokenIssuer) -> Iterator[Broker]:
    """The session's broker: use topics of your own, see `topic_name`."""
    running = start_test_broker(tmp_path_factory.mktemp("broker"), token_issuer)
    yield running
    running.stop()


@pytest.fixture
def topic_name() -> Callable[[str], str]:
    """Gives topic names that no other test uses: `topic_name("in")`."""
    return lambda stem: f"{stem}.{uuid4().hex[:12]}"


@pytest.fixture
def admin_settings(broker: Broker) -> LogSettings:
    """How the session broker's administrator connects."""
    return broker.log_settings("admin")
