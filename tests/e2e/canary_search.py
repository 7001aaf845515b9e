"""Finds a text in any file of a folder, however it was written there."""

from __future__ import annotations

import base64
import json
import os
import shutil
import unicodedata
import urllib.parse
from html.entities import codepoint2name
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SHORTEST = 6
"""Of a form: less than this is found by chance in what is encrypted."""

LAST_ASCII = 127
RESERVED = (".index", ".timeindex")


class Found(NamedTuple):
    """One value in one file."""

    name: str
    path: Path
    form: bytes


def forms(text: str) -> frozenset[bytes]:
    """A text as it may stand in a file: encodings, alignments of base64, hex and escapes."""
    found: set[bytes] = set()
    for variant in _variants(text):
        raw = {variant.encode("utf-8"), variant.encode("cp1252")}
        wide = {variant.encode("utf-16-le"), variant.encode("utf-16-be")}
        found |= raw | wide | _escaped(variant)
        for one in raw | wide:
            found |= {one.hex().encode(), one.hex().upper().encode(), *_base64(one)}
    return frozenset(one for one in found if len(one) >= SHORTEST)


def _variants(text: str) -> set[str]:
    """As it is, without accents, in other cases, and a phone number as people and machines do."""
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(one for one in apart if not unicodedata.combining(one))
    found = {way for one in (text, bare) for way in (one, one.lower(), one.upper())}
    if text.startswith("+32"):
        digits = text.removeprefix("+")
        found |= {digits, f"+32 {digits[2:5]} {digits[5:7]} {digits[7:9]} {digits[9:]}"}
    return found


def _escaped(text: str) -> set[bytes]:
    escaped = {
        urllib.parse.quote(text),
        urllib.parse.quote(text, safe=""),
        urllib.parse.quote_plus(text),
        json.dumps(text)[1:-1],
        text.encode("unicode_escape").decode("ascii"),
        repr(text.encode())[2:-1],
        text.encode("ascii", "xmlcharrefreplace").decode(),
        "".join(one if one.isascii() else f"&#x{ord(one):x};" for one in text),
        "".join(
            f"&{codepoint2name.get(ord(one))};" if ord(one) > LAST_ASCII else one for one in text
        ),
    }
    lower = {one.replace("%C3%AB", "%c3%ab").replace("%2B", "%2b") for one in escaped}
    return {one.encode() for one in escaped | lower}


def _base64(raw: bytes) -> Iterator[bytes]:
    """The part that does not depend on what stands around it, for each of three alignments."""
    for offset in range(3):
        plain = base64.b64encode(b"\0" * offset + raw)
        inner = plain[4 if offset else 0 : -4]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def search(folder: Path, wanted: Mapping[str, frozenset[bytes]]) -> list[Found]:
    """Each value in each file below the folder in which it stands, names of files included."""
    found: list[Found] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = b"\0".join([str(path.relative_to(folder)).encode(), *contents(path)])
            found += _in(content, path, wanted.items())
    return found


def _in(
    content: bytes, path: Path, wanted: Iterable[tuple[str, frozenset[bytes]]]
) -> Iterator[Found]:
    for name, spellings in wanted:
        form = next((one for one in spellings if one in content), None)
        if form is not None:
            yield Found(name, path, form)


def contents(path: Path) -> Iterator[bytes]:
    """The parts of a file that were written: a broker reserves megabytes that hold nothing."""
    with path.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at < size:
            try:
                begins = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole until the end
                return
            at = os.lseek(file.fileno(), begins, os.SEEK_HOLE)
            yield os.pread(file.fileno(), at - begins, begins)


def copy(folder: Path, to: Path) -> None:
    """Copy a folder of running processes, file by file, without what a broker only reserved."""
    for path in sorted(folder.rglob("*")):
        target = to / path.relative_to(folder)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            target.write_bytes(content.rstrip(b"\0") if path.suffix in RESERVED else content)
            shutil.copymode(path, target)
