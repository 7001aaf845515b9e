"""How tests are shared out when several processes run them (`pytest -n 3`).

One more process than a small machine has cores: a test that has started a hub mostly waits for it.
A file stays in one process, because its tests share a hub; so does a folder whose files share one.
What takes longest begins first: begun last, one process would work while the others wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

TOGETHER: Final = ("tests/scenarios/",)
"""Folders that play one story once, for all their files."""
APART: Final = (
    "tests/bench/",
    "tests/contract/",
    "tests/fuzz/",
    "tests/gateway/commands/test_broker.py",
)
"""Long tests that share nothing: each goes where there is room."""
LONG: Final = (
    "tests/scenarios/",
    "tests/e2e/",
    "tests/faults/",
    "tests/connectors/test_crashes.py",
    "tests/connectors/test_partner_page.py",
    "tests/connectors/world/test_world.py",
    "tests/consumers/test_deliver.py",
    "tests/consumers/test_log.py",
    "tests/bench/",
    "tests/contract/",
    "tests/gateway/commands/test_broker.py",
    "tests/gateway/embedded/test_broker.py",
    "tests/gateway/exchange/test_two_gateways.py",
    "tests/isolation/",
    "tests/fuzz/",
)
"""What takes ten seconds or more: a whole hub, brokers of its own, or long play on one."""


class LongestFirst(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hands out files as they were collected, and no file twice."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """What a test has to stay together with: its folder or its file, or nothing."""
    if nodeid.startswith(APART):
        return nodeid
    together = next((one for one in TOGETHER if nodeid.startswith(one)), None)
    return together or nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst:
    """Distribute in our own way, whatever `--dist` says."""
    # xdist would begin with the files that have most tests, and those are the quick ones.
    config.option.loadscopereorder = False
    return LongestFirst(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long in front; within both parts the order stays the random one."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
