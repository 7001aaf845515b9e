"""What Typer refuses about a command line, told in the language of the terminal.

Typer says it in English only, and without a code: so its sentences are recognised by their form.
A form that is not known here is shown as it came, and `tests/schemas/test_wrong_use.py` goes
through those that our commands can meet.
"""

from __future__ import annotations

import re
from typing import Final

from typer.exceptions import Abort, TyperException

from schemas.errors import Message

__all__ = ["Abort", "Refused", "told"]

Refused = TyperException
"""What a command line that is wrong raises."""

_DUTCH: Final = tuple(
    (re.compile(english), dutch)
    for english, dutch in (
        (r"No such option: (\S+)", r"Er is geen optie \1."),
        (r" \(Possible options: (.+)\)$", r" Bedoelt u \1?"),
        (r"No such command '(.*?)'\.", r"Er is geen opdracht \1."),
        (r" Did you mean (.+)\?$", r" Bedoelt u \1?"),
        (r"^Missing command\.", r"Er ontbreekt een opdracht."),
        (r"^Missing argument '(.+?)'\.", r"Het argument \1 ontbreekt."),
        (r"^Missing option '(.+?)'\.", r"De optie \1 ontbreekt."),
        (r"^Got unexpected extra argument\(s\) \((.*)\)$", r"Dit is te veel: \1."),
        (r"^Option '(.+?)' does not take a value\.", r"De optie \1 krijgt geen waarde."),
        (r"^Option '(.+?)' requires an argument\.", r"De optie \1 heeft een waarde nodig."),
        (r"^Option '(.+?)' requires (\d+) arguments\.", r"De optie \1 heeft \2 waarden nodig."),
        (r"^Invalid value for '?(.+?)'?: ", r"De waarde van \1 is niet goed: "),
        (r"^Invalid value: ", r"Een waarde is niet goed: "),
        (r"Input should be a valid integer.*$", r"dit moet een geheel getal zijn."),
        (r"Input should be a valid number.*$", r"dit moet een getal zijn."),
        (r"Input should be a valid boolean.*$", r"dit moet ja of nee zijn."),
        (r"Input should be greater than or equal to (\S+)", r"dit moet minstens \1 zijn."),
        (r"Input should be less than or equal to (\S+)", r"dit mag hoogstens \1 zijn."),
        (r"Input should be greater than (\S+)", r"dit moet meer dan \1 zijn."),
        (r"Input should be less than (\S+)", r"dit moet minder dan \1 zijn."),
        (r"Value error, ('.*') is not one of (.+)\.$", r"\1 is geen van \2."),
        (r"(?:file|dir|path) ('.*') does not exist\.", r"\1 bestaat niet."),
        (r"(?:file|dir|path) ('.*') is a file\.", r"\1 is een bestand, geen map."),
        (r"(?:file|dir|path) ('.*') is a directory\.", r"\1 is een map, geen bestand."),
        (r"(?:file|dir|path) ('.*') is not readable\.", r"\1 mag niet gelezen worden."),
        (r"(?:file|dir|path) ('.*') is not writable\.", r"\1 mag niet beschreven worden."),
    )
)


def told(refusal: TyperException, called: str, spoken: str) -> str:
    """What a person reads on standard error: what is wrong, and where it is explained.

    Empty when a group was called without a command: its help has been written then.

    Args:
        refusal: what the command raised.
        called: what people call the command, such as `schakel client`.
        spoken: `nl` or `en`.
    """
    said = refusal.format_message()
    if not said.strip():
        return ""
    context = getattr(refusal, "ctx", None)
    shown = f"`{called if context is None else context.command_path} --help`"
    hint = Message(nl=f"{shown} toont hoe het moet.", en=f"{shown} shows how it is used.")
    wrong = _dutch(said) if spoken == "nl" else said
    return f"schakel: {wrong}\n{hint.text(spoken)}"


def _dutch(said: str) -> str:
    for english, dutch in _DUTCH:
        said = english.sub(dutch, said)
    return said
