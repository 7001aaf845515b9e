"""The root of every error tree of ours, and the tree of what `schemas` refuses.

    SchakelError
    └── SchemasError
        ├── CommandUnavailable        500 command_unavailable
        ├── StrictJsonError           400 malformed_json
        ├── EnvelopeError             400 invalid_envelope
        ├── UnknownEventType          422 unknown_event_type
        ├── UnknownCodeList           500 unknown_code_list
        ├── InvalidData               422 invalid_data
        │   └── UnknownFields         400 unknown_field
        ├── UndecodableAvro           422 undecodable_avro
        ├── InvalidSchema             422 invalid_schema
        ├── InvalidIdentifier         422 invalid_identifier (`kind` says which)
        ├── UnknownMunicipality       422 unknown_municipality
        ├── InvalidAgreement          422 invalid_agreement
        ├── UnknownProgramme          422 unknown_programme
        ├── UnknownIndicator          400 unknown_indicator
        ├── InvalidRuleFile           422 rule_file_invalid
        ├── InvalidProof              422 proof_invalid
        └── InvalidProgramme          500 invalid_programme

An error carries a stable `code`, an HTTP `status`, a `title` of its kind and a `detail` sentence
for the partner in Dutch and English.
No sentence, parameter or fact ever holds the value that was refused: values may be personal.
"""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence in the two languages of the hub."""

    nl: str
    en: str

    def text(self, language: str) -> str:
        """Return the sentence in `language`; Dutch for every tag that is not English."""
        return self.en if language.lower().startswith("en") else self.nl


@dataclass(frozen=True, slots=True)
class InvalidParam:
    """One field, attribute or argument that is wrong.

    Attributes:
        name: the path of the field, such as `person.birth_date` or `assignments[0].mentor`.
        code: stable and documented, such as `unknown_field`.
        reason: the sentence for the partner; never holds the value.
    """

    name: str
    code: str
    reason: Message


class SchakelError(Exception):
    """What every error of ours derives from.

    Args:
        detail: what happened, why, and what to do next, in one or two sentences.
        invalid: every field that is wrong, when it is about fields.
        facts: further members of the problem document, such as `leg` or `allowed`.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[Message] = Message(nl="Fout", en="Error")

    def __init__(
        self,
        detail: Message,
        *,
        invalid: Sequence[InvalidParam] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail.en)
        self.detail = detail
        self.invalid = tuple(invalid)
        self.facts: dict[str, Any] = dict(facts or {})


class SchemasError(SchakelError):
    """The root of what `schemas` raises."""

    code = "schemas_error"
    status = 422
    title = Message(nl="Ongeldige gegevens", en="Invalid data")


class CommandUnavailable(SchemasError):
    """The sub-command exists, but what it needs is not installed here."""

    code = "command_unavailable"
    status = 500
    title = Message(nl="Opdracht niet beschikbaar", en="Command not available")


class StrictJsonError(SchemasError):
    """The bytes are not the strict JSON that the hub reads; one invalid parameter says where."""

    code = "malformed_json"
    status = 400
    title = Message(nl="Onleesbare JSON", en="Malformed JSON")


class EnvelopeError(SchemasError):
    """One or more CloudEvents attributes are missing, unknown or have a wrong form."""

    code = "invalid_envelope"
    status = 400
    title = Message(nl="Ongeldige CloudEvents-attributen", en="Invalid CloudEvents attributes")


class UnknownEventType(SchemasError):
    """No event of the catalogue has this name, type or schema id."""

    code = "unknown_event_type"
    title = Message(nl="Onbekend gebeurtenistype", en="Unknown event type")


class UnknownCodeList(SchemasError):
    """No code list has this name: a fault in a schema or in a caller, never in a partner's data."""

    code = "unknown_code_list"
    status = 500
    title = Message(nl="Onbekende codelijst", en="Unknown code list")


class InvalidData(SchemasError):
    """The data of an event breaks its schema; `invalid` lists every field that is wrong."""

    code = "invalid_data"
    title = Message(nl="Ongeldige gegevens", en="Invalid data")


class UnknownFields(InvalidData):
    """The data holds fields that its schema does not have."""

    code = "unknown_field"
    status = 400
    title = Message(nl="Onbekend veld", en="Unknown field")


class UndecodableAvro(SchemasError):
    """The bytes are not the canonical Avro of the schema that they name, or are too large."""

    code = "undecodable_avro"
    title = Message(nl="Onleesbare Avro", en="Undecodable Avro")


class InvalidSchema(SchemasError):
    """What was sent as a schema is no record schema of Avro."""

    code = "invalid_schema"
    status = 422
    title = Message(nl="Geen Avro-schema", en="Not an Avro schema")


class InvalidIdentifier(SchemasError):
    """An identifier has a wrong form or a wrong check digit.

    Args:
        kind: insz, kbo, establishment, ovo, vcode, urn, uuid, month or phone.
        reason: what is wrong with its form; never holds the value.
    """

    code = "invalid_identifier"
    title = Message(nl="Ongeldige identificatie", en="Invalid identifier")

    def __init__(self, kind: str, reason: Message) -> None:
        super().__init__(reason, facts={"kind": kind})
        self.kind = kind
        self.reason = reason

    def param(self, name: str) -> InvalidParam:
        """Return this error as the invalid parameter of the field `name`."""
        return InvalidParam(name=name, code=f"invalid_{self.kind}", reason=self.reason)


class UnknownIndicator(SchemasError):
    """No indicator of the evidence has this code."""

    code = "unknown_indicator"
    status = 400
    title = Message(nl="Onbekende indicator", en="Unknown indicator")


class UnknownMunicipality(SchemasError):
    """No municipality has ever had this NIS code."""

    code = "unknown_municipality"
    title = Message(nl="Onbekende gemeente", en="Unknown municipality")


class InvalidAgreement(SchemasError):
    """An agreement document holds unknown keys or values; `invalid` lists every fault."""

    code = "invalid_agreement"
    title = Message(nl="Ongeldige overeenkomst", en="Invalid agreement")


class UnknownProgramme(SchemasError):
    """No programme with rules has this code."""

    code = "unknown_programme"
    title = Message(nl="Onbekend programma", en="Unknown programme")


class InvalidRuleFile(SchemasError):
    """A rule file with faults; every fault is listed with its place and its remedy."""

    code = "rule_file_invalid"
    status = 422
    title = Message(nl="Ongeldig regelbestand", en="Invalid rule file")


class InvalidProof(SchemasError):
    """A file of exchange records does not prove what it says; `reason` names what failed."""

    code = "proof_invalid"
    status = 422
    title = Message(nl="Bewijs klopt niet", en="Proof does not hold")


class InvalidProgramme(SchemasError):
    """A rule set cannot be read: a fault in data that ships with the hub."""

    code = "invalid_programme"
    status = 500
    title = Message(nl="Ongeldige programmaregels", en="Invalid programme rules")
