"""The shape of a command that was run, to be told as the next one; without what was typed in it.

A value that somebody typed may be of a person, so required values stand as their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def shape(command: Any, called: str, typed: Sequence[str]) -> str:
    """The command that Typer would run for what was typed, with the names of required values.

    Args:
        command: from Typer.
        called: what people call it, such as `schakel client`.
        typed: the arguments after it.
    """
    words = [called]
    for word in typed:
        below = getattr(command, "commands", {}).get(word)
        if below is not None:
            command = below
            words.append(word)
    return " ".join([*words, *_required(command)])


def _required(command: Any) -> Iterator[str]:
    """Arguments first, as they are typed before options."""
    for one in sorted(command.params, key=lambda one: one.param_type_name):
        if not one.required:
            continue
        is_argument = one.param_type_name == "argument"
        name = one.metavar or (one.name if is_argument else one.opts[0].lstrip("-"))
        shown = name.upper().replace("_", "-")
        yield shown if is_argument else f"{one.opts[0]} {shown}"
