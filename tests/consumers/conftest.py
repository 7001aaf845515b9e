"""Fixtures of the consumers' tests."""

from tests.store_fixtures import engine_of, stores

__all__ = ["engine_of", "stores"]
