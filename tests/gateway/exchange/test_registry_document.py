"""The registry file: read strictly, every fault listed at once with its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import InvalidRegistry
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry_document import parse, read_yaml
from tests.registry_fixtures import DEMO, demo_content

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.exchange.registry import Environment


def faults(content: Any, environment: Environment = "test") -> list[tuple[str, str]]:
    """Paths and codes of what is wrong; each has a sentence in both languages."""
    with pytest.raises(InvalidRegistry) as refused:
        parse(content, environment)
    assert all(one.reason.nl and one.reason.en for one in refused.value.invalid)
    return [(one.name, one.code) for one in refused.value.invalid]


def participant(content: Any) -> Any:
    """The first participant, free to be spoiled."""
    return content["organisations"][0]["participants"][0]


def client(content: Any) -> Any:
    """The first client, free to be spoiled."""
    return participant(content)["clients"][0]


P = "organisations[0].participants[0]"
C = f"{P}.clients[0]"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda c: c.update(extra=1), ("extra", "unknown_key")),
        (
            lambda c: c["organisations"][0].update(colour="red"),
            ("organisations[0].colour", "unknown_key"),
        ),
        (lambda c: participant(c).update(roll="x"), (f"{P}.roll", "unknown_key")),
        (lambda c: client(c).update(secret="x"), (f"{C}.secret", "unknown_key")),
        (
            lambda c: c["organisations"][0].update(urn="urn:be:kbo:1999000151"),
            ("organisations[0].urn", "invalid_kbo"),
        ),
        (
            lambda c: c["organisations"][0].update(kbo="123"),
            ("organisations[0].kbo", "invalid_kbo"),
        ),
        (lambda c: c["organisations"][0].pop("name"), ("organisations[0].name", "missing")),
        (lambda c: participant(c).update(role="boss"), (f"{P}.role", "unknown_value")),
        (lambda c: participant(c).update(role="hub"), (f"{P}.role", "unknown_value")),
        (
            lambda c: participant(c).update(territory=["99999"]),
            (f"{P}.territory[0]", "unknown_value"),
        ),
        (
            lambda c: participant(c).update(territory=[24107]),
            (f"{P}.territory[0]", "unknown_value"),
        ),
        (lambda c: participant(c).update(territory=[]), (f"{P}.territory", "not_a_list")),
        (lambda c: participant(c).pop("territory"), (f"{P}.territory", "missing")),
        (lambda c: participant(c).update(id="Te Kort"), (f"{P}.id", "invalid_id")),
        (lambda c: participant(c).update(id="hub"), (f"{P}.id", "invalid_id")),
        (
            lambda c: participant(c).update(valid_from="2026-02-01", valid_to="2026-01-01"),
            (f"{P}.valid_to", "before_start"),
        ),
        (
            lambda c: participant(c).update(valid_from="1/2/2026"),
            (f"{P}.valid_from", "invalid_format"),
        ),
        (lambda c: client(c).update(id="ANONYMOUS"), (f"{C}.id", "invalid_id")),
        (lambda c: client(c).update(id="admin"), (f"{C}.id", "invalid_id")),
        (lambda c: client(c).update(scopes=["sj_admin"]), (f"{C}.scopes[0]", "unknown_value")),
        (lambda c: client(c).update(scopes=[]), (f"{C}.scopes", "not_a_list")),
        (lambda c: client(c).update(auth="none"), (f"{C}.auth", "unknown_value")),
        (
            lambda c: client(c).update(jwks={"keys": [new_private_jwk()]}),
            (f"{C}.jwks.keys[0]", "key_invalid"),
        ),
        (
            lambda c: client(c).update(
                auth="client_secret_basic", jwks={"keys": [public_part(new_private_jwk())]}
            ),
            (f"{C}.jwks", "key_for_secret"),
        ),
        (
            lambda c: c["organisations"].append(c["organisations"][0]),
            ("organisations[7].urn", "duplicate"),
        ),
        (
            lambda c: c["agreements"].append(c["agreements"][0]),
            ("agreements[7].agreement_id", "duplicate"),
        ),
        (
            lambda c: c["agreements"][0].update(status="paused"),
            ("agreements[0].status", "unknown_value"),
        ),
        (
            lambda c: c["agreements"][0]["grants"][0].update(unless="rain"),
            ("agreements[0].grants[0].unless", "unknown_key"),
        ),
        (lambda c: c.update(environment="production"), ("environment", "wrong_environment")),
    ],
)
def test_a_fault_is_told_with_its_place(
    spoil: Callable[[Any], object], expected: tuple[str, str]
) -> None:
    """Whatever is wrong is named by its path and a stable code."""
    content = demo_content()
    spoil(content)

    assert expected in faults(content)


def test_all_faults_are_told_at_once() -> None:
    """Three mistakes in three places make one list of three."""
    content = demo_content()
    content["organisations"][0]["colour"] = "red"
    content["organisations"][2]["participants"][0]["role"] = "boss"
    content["agreements"][4]["validity"] = {}

    found = {path for path, _ in faults(content)}
    assert {
        "organisations[0].colour",
        "organisations[2].participants[0].role",
        "agreements[4].validity.from",
    } <= found


def test_secrets_do_not_exist_in_production() -> None:
    """A client with a secret is refused in production and accepted in test."""
    content = demo_content()
    content.pop("environment")
    content["organisations"][3]["participants"][0]["clients"][0]["auth"] = "client_secret_basic"

    assert parse(content, "test").clients[3].auth == "client_secret_basic"
    assert faults(content, "production") == [
        ("organisations[3].participants[0].clients[0].auth", "secret_in_production")
    ]


@pytest.mark.parametrize("content", [None, [], "text", 5, {"organisations": {}}, {"agreements": 1}])
def test_what_is_no_registry_file_is_refused(content: Any) -> None:
    """Another shape altogether is one fault, not a crash."""
    assert faults(content)


def test_the_demonstration_is_right() -> None:
    """The file that ships is read without a fault."""
    document = parse(read_yaml(DEMO), "test")

    assert {entry.participant.role for entry in document.participants} == set("OWVPHG")
    assert document.participants[2].participant.territory is None


@pytest.mark.parametrize(
    "text",
    [
        "organisations: [",
        "organisations: []\norganisations: []",
        "? [a]\n: b",
        "a: !!python/object:os.system x",
    ],
)
def test_unreadable_yaml_is_one_sentence(tmp_path: Path, text: str) -> None:
    """Broken YAML, a key given twice and objects are refused with the file's name."""
    file = tmp_path / "registry.yaml"
    file.write_text(text)

    with pytest.raises(InvalidRegistry, match=r"registry\.yaml"):
        read_yaml(file)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """A file that is not there is no stack trace."""
    with pytest.raises(InvalidRegistry, match=r"nowhere\.yaml"):
        read_yaml(tmp_path / "nowhere.yaml")
