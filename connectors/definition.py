"""Loads a connector's folder: `connector.yaml` for a kind, or `connector.py` with a `Connector`.

Settings come from the folder and the operator; secrets only from the operator: the variable
`SCHAKEL_SECRET_<CONNECTOR>_<SETTING>`, or a file of that setting's name in the secrets folder.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any

import yaml

from connectors import csv_kind
from connectors.errors import InvalidConnector
from connectors.expressions import fault
from connectors.mapping_file import parse_row_map
from connectors.runner import Plan
from connectors.sdk import Config, Connector, Secret, Setting
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from connectors.expressions import Function
    from connectors.identity import Identities

MAX_BYTES = 256 * 1024


def connector_name(folder: Path) -> str:
    """The name of the connector in `folder`; raises InvalidConnector."""
    if (folder / "connector.yaml").is_file():
        return str(_document(folder).get("name", ""))
    return _python(folder).name


def load(
    folder: Path,
    ids: Identities,
    *,
    files: Path | None = None,
    overrides: Mapping[str, str] | None = None,
    secrets: Path | None = None,
) -> Plan:
    """Load, check and configure the connector in `folder`.

    Args:
        folder: with `connector.yaml` or `connector.py`.
        ids: for the functions that derive identifiers.
        files: where the partner's folders are; the connector's own folder by default.
        overrides: settings of this run.
        secrets: a folder with one file per secret.

    Raises:
        InvalidConnector: with every fault.
    """
    functions = shipped_functions(ids)
    if (folder / "connector.yaml").is_file():
        document = _document(folder)
        if document.get("kind") != "csv":
            raise csv_kind.invalid([fault("kind", "kind", "moet csv zijn", "must be csv")])
        return csv_kind.build(document, files or folder, functions, overrides or {})
    connector = _python(folder)
    known = {**functions, **connector.functions}
    maps = {name: parse_row_map(name, given, known) for name, given in connector.map.items()}
    return Plan(connector, _config(connector, overrides or {}, secrets), maps)


def shipped_functions(ids: Identities) -> dict[str, Function]:
    """What `call` may name in every connector."""

    def stable_uuid(*cells: Any) -> str | None:
        """A UUID that the same cells always give, for things the partner has no UUID for."""
        if not all(cells):
            return None
        digest = ids.digest("uuid", [str(cell) for cell in cells])
        # Version 8 (RFC 9562): made by a rule of our own.
        return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    return {"stable_uuid": stable_uuid}


def _config(connector: Connector, overrides: Mapping[str, str], secrets: Path | None) -> Config:
    values: dict[str, Any] = {}
    missing = []
    for name, setting in connector.config.items():
        declared = setting if isinstance(setting, Setting) else Setting(default=setting)
        if declared.is_secret:
            found = _secret(connector.name, name, secrets)
            values[name] = None if found is None else Secret(found)
            if found is None:
                missing.append(fault(name, "secret_missing", "ontbreekt", "is missing"))
        else:
            values[name] = overrides.get(name, declared.default)
    if missing:
        raise csv_kind.invalid(missing)
    return Config(values)


def _secret(connector: str, name: str, folder: Path | None) -> str | None:
    variable = f"SCHAKEL_SECRET_{connector}_{name}".upper().replace("-", "_")
    if folder is not None and (folder / name).is_file():
        return (folder / name).read_text(encoding="utf-8").rstrip("\n")
    return os.environ.get(variable)


def _document(folder: Path) -> dict[str, Any]:
    path = folder / "connector.yaml"
    try:
        text = path.read_bytes()[:MAX_BYTES].decode()
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidConnector(
            Message(nl=f"{path} kan niet gelezen worden.", en=f"{path} cannot be read.")
        ) from error
    if not isinstance(document, dict):
        raise InvalidConnector(
            Message(nl=f"{path} is geen YAML-object.", en=f"{path} is not a YAML mapping.")
        )
    return document


def _python(folder: Path) -> Connector:
    path = folder / "connector.py"
    if not path.is_file():
        raise InvalidConnector(
            Message(
                nl=f"In {folder} staat geen connector.yaml of connector.py.",
                en=f"There is no connector.yaml or connector.py in {folder}.",
            )
        )
    spec = importlib.util.spec_from_file_location(f"schakel_connector_{folder.name}", path)
    if spec is None or spec.loader is None:
        raise InvalidConnector(Message(nl=f"{path} is onleesbaar.", en=f"Cannot load {path}."))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [value for value in vars(module).values() if isinstance(value, Connector)]
    if len(found) != 1:
        raise InvalidConnector(
            Message(
                nl=f"{path} moet precies één Connector bevatten.",
                en=f"{path} must hold exactly one Connector.",
            )
        )
    return found[0]
