"""No query reads or changes rows that belong to participants without going through `scoped`."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from consumers.tables import metadata

ROOT = Path(__file__).parents[1]
PROTECTED = {name for name, table in metadata.tables.items() if "participant" in table.columns}
SQL = re.compile(rf"\b(from|join|update)\s+\"?({'|'.join(PROTECTED)})\b", re.IGNORECASE)


def bypasses(source: str) -> list[int]:
    """Lines with a query on a protected table outside `scoped`, or with one written as SQL text."""
    tree = ast.parse(source)
    loose = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    places = [*_all(tree, ast.FunctionDef), ast.Module(loose, [])]
    prose = {id(one.value) for one in _all(tree, ast.Expr)}
    texts = [one for one in _all(tree, ast.Constant) if id(one) not in prose]
    found = {line for place in places for line in _unscoped(place)}
    return sorted(found | {one.lineno for one in texts if SQL.search(str(one.value))})


def _unscoped(place: ast.AST) -> list[int]:
    arguments = [arg for call in _calls(place, {"scoped", "Prepared"}) for arg in call.args]
    names = {name for arg in arguments for name in _names(arg)}
    assigned = [one.value for one in _all(place, ast.Assign) if names & _names(one.targets[0])]
    safe = {id(node) for root in [*arguments, *assigned] for node in ast.walk(root)}
    queries = _calls(place, {"select", "update", "delete"})
    return [one.lineno for one in queries if PROTECTED & _names(one) and id(one) not in safe]


def _all(place: ast.AST, kind: Any) -> list[Any]:
    return [node for node in ast.walk(place) if isinstance(node, kind)]


def _calls(place: ast.AST, named: set[str]) -> list[Any]:
    calls = _all(place, ast.Call)
    return [one for one in calls if getattr(one.func, "attr", getattr(one.func, "id", "")) in named]


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in _all(node, ast.Name)}


def test_every_query_is_scoped() -> None:
    """The whole of both packages has no bypass."""
    files = [file for name in ("consumers", "gateway") for file in (ROOT / name).rglob("*.py")]

    assert {
        str(file): found for file in files if (found := bypasses(file.read_text("utf-8")))
    } == {}


GOOD = "def f():\n  query = sa.select(inbox)\n  connection.execute(scoped(query, scope))\n"
SELECT = "def g():\n  query = sa.select(disclosures.c.door)\n  connection.execute(query)\n"
TEXT = "def g():\n  connection.exec_driver_sql('select * from inbox where seq > 1')\n"


@pytest.mark.parametrize("planted", [SELECT, TEXT, "execute(sa.delete(inbox))"])
def test_a_planted_bypass_is_caught(planted: str) -> None:
    """The lint is known to be able to fail, also beside a query that is scoped."""
    assert bypasses(GOOD) == []
    assert bypasses(GOOD + planted) != []
