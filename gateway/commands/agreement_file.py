"""Agreement files and key files, as people keep them: read, checked with line numbers, written."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from gateway.errors import CredentialsMissing
from schemas.agreement import parse_agreement
from schemas.documents import plain
from schemas.errors import InvalidAgreement, Message
from schemas.strict_yaml import line_of, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def template(agreement_id: str, parties: Sequence[str]) -> str:
    """A commented draft between these parties (URNs, at least two)."""
    text = (files("schemas") / "agreement_template.yaml").read_text("utf-8")
    return Template(text).substitute(
        agreement_id=agreement_id,
        parties="\n".join(f"  - {one}" for one in parties),
        first=parties[0],
        second=parties[1],
    )


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        InvalidAgreement: it cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(f"{path}: {type(error).__name__}") from error


def document_of(text: str) -> dict[str, Any]:
    """An agreement file, YAML or JSON, as plain data.

    Raises:
        InvalidAgreement: it is no YAML, a key stands twice, or it is no object.
    """
    try:
        found = plain(read(text))
    except yaml.YAMLError as error:
        raise _unreadable(" ".join(str(error).split())) from error
    if not isinstance(found, dict):
        raise _unreadable("no object")
    return found


def faults_of(text: str) -> list[dict[str, Any]]:
    """Everything that is wrong in an agreement file, each with its line.

    Raises:
        InvalidAgreement: it cannot be read as an object at all.
    """
    document = document_of(text)
    try:
        parse_agreement(document)
    except InvalidAgreement as error:
        return [
            {
                "line": line_of(text, one.name) or 1,
                "field": one.name,
                "code": one.code,
                "text": asdict(one.reason),
            }
            for one in error.invalid
        ]
    return []


def key_of(path: Path) -> tuple[str, dict[str, Any]]:
    """The organisation's URN and its private JWK, from a file that `schakel agreement key` wrote.

    Raises:
        CredentialsMissing: it cannot be read, or others can read it too.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise _no_key(
                f"{path} is leesbaar voor anderen; zet de rechten op 0600",
                f"{path} can be read by others; set its mode to 0600",
            )
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _no_key(f"{path} kan niet gelezen worden", f"{path} cannot be read") from error
    if not isinstance(found, dict) or not isinstance(found.get("organisation"), str):
        raise _no_key(f"{path} noemt geen organisatie", f"{path} names no organisation")
    if not isinstance(found.get("private_key"), dict):
        raise _no_key(f"{path} heeft geen private_key", f"{path} has no private_key")
    return found["organisation"], found["private_key"]


def _unreadable(why: str) -> InvalidAgreement:
    return InvalidAgreement(
        Message(
            nl=f"De overeenkomst is onleesbaar: {why}.", en=f"Cannot read the agreement: {why}."
        )
    )


def _no_key(nl: str, en: str) -> CredentialsMissing:
    return CredentialsMissing(Message(nl=f"Sleutel: {nl}.", en=f"Key: {en}."))
