"""Published rules live in the registry of both stores, and every snapshot has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from consumers.clock import FixedClock
from gateway.errors import RegistryChanged, UnknownRecord
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.rule_store import Comment, RuleStore
from schemas.rule_publication import parse_publication
from tests.schemas.decree import FROM, decree
from tests.store_fixtures import engine_of, stores  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

FILE = parse_publication(decree())
MAY = int(datetime(2026, 5, 28, 10, tzinfo=UTC).timestamp()) * 1_000_000
SAID = Comment("decree-2026-1", "urn:schakel:org:tienen", "G", "Goed zo.", MAY, "tienen-client")


@pytest.fixture
def store(engine_of: Callable[..., Engine]) -> RuleStore:  # noqa: F811 - the fixture's name
    """The rules of an installation in production, at the end of May."""
    return RuleStore(
        engine_of("ledger"),
        engine_of("ledger", read_only=True),
        environment="production",
        clock=FixedClock(MAY),
    )


def test_a_publication_is_in_every_later_snapshot(
    store: RuleStore,
    engine_of: Callable[..., Engine],  # noqa: F811 - the fixture's name
) -> None:
    """Also in another process, which polls the registry's version."""
    registry = RegistryStore(engine_of("ledger"), environment="production")
    before = registry.load()

    assert store.publish(FILE, "hub-admin", expected_version=before.version).turns
    after = registry.load()

    assert after.version == before.version + 1
    assert after.rules.rule_set("samenlevingsjob", FROM).version == "samenlevingsjob-2026-1"
    assert after.rules.publications == (FILE,)
    assert "buurtbaan" not in before.rules.programmes()
    assert store.published_on() == {"decree-2026-1": date(2026, 5, 28)}


def test_publishing_twice_changes_nothing(store: RuleStore) -> None:
    """The version stays, so that no process reads anything anew."""
    store.publish(FILE, "hub-admin")
    version = store.plan(FILE).version

    assert store.publish(FILE, "hub-admin").known
    assert store.plan(FILE).version == version


def test_later_files_lie_over_earlier_ones(
    store: RuleStore,
    engine_of: Callable[..., Engine],  # noqa: F811 - the fixture's name
) -> None:
    """In the order in which they were published."""
    store.publish(FILE, "hub-admin")
    document = decree(reference="a-second", conversions=[])
    document["programmes"] = {"buurtbaan": document["programmes"]["buurtbaan"]}
    document["programmes"]["buurtbaan"]["rule_sets"][0]["version"] = "buurtbaan-2026-2"
    store.publish(parse_publication(document), "hub-admin")

    rules = RegistryStore(engine_of("ledger"), environment="production").load().rules

    assert [one.version for one in rules.rule_sets("buurtbaan")] == ["buurtbaan-2026-2"]
    assert list(store.published_on()) == ["decree-2026-1", "a-second"]


def test_a_plan_that_is_overtaken_is_not_published(store: RuleStore) -> None:
    """Whoever agreed to a plan agreed to that one."""
    version = store.plan(FILE).version

    with pytest.raises(RegistryChanged):
        store.publish(FILE, "hub-admin", expected_version=version + 1)
    assert not store.plan(FILE).known


def test_comments_are_kept_with_the_publication(store: RuleStore) -> None:
    """In order, with organisation and role; of nothing there is nothing to say."""
    store.publish(FILE, "hub-admin")
    later = replace(SAID, role="O", said_at=MAY + 1)

    with pytest.raises(UnknownRecord):
        store.comment(replace(SAID, reference="decree-2027"))
    store.comment(later)
    store.comment(SAID)

    assert store.comments() == (SAID, later)
