"""YAML that people write for the hub, read without surprises; and where in it something stands."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class StrictLoader(yaml.SafeLoader):
    """YAML without surprises: dates stay text, and a key that stands twice is an error."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - how the library is told
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: D102, FBT001, FBT002 - the library's own
        seen: set[str] = set()
        for key, _ in node.value:
            # A key that is itself a list or mapping has a list here, which no dictionary takes.
            if not isinstance(key.value, str) or key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"this key stands twice or is no text: {key.value!r}",
                    key.start_mark,
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read(text: str) -> Any:
    """The content of a YAML text.

    Raises:
        yaml.YAMLError: it is no YAML, or a key stands twice.
    """
    return yaml.load(text, Loader=StrictLoader)  # noqa: S506 - a SafeLoader


def line_of(text: str, path: str) -> int | None:
    """The line at which a path such as `a.b[0].c` stands, or its nearest parent."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    line: int | None = None
    for name, place in _STEP.findall(path):
        if node is None:
            break
        line = line or node.start_mark.line + 1
        found = _child(node, name, place)
        if found is None:
            break
        line, node = found
    return line


def _child(node: Any, name: str, place: str) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode) and name:
        for key, value in node.value:
            if key.value == name:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and place and int(place) < len(node.value):
        item = node.value[int(place)]
        return item.start_mark.line + 1, item
    return None
