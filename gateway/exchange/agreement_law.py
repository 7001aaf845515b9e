"""What the law asks of an agreement beyond its form (`design/domain.md` §4). Pure.

A document that is right in itself may still be one that these parties cannot make: the instrument
has to fit who they are and what is shared. Every fault is listed, with the path in the document.
What has to be published and advised on is asked in production only, where it exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from gateway.exchange.registry import Environment, Organisation
    from schemas.agreement import Agreement, Grant
    from schemas.documents import Faults

GUARDED_FIELDSETS: Final = frozenset({"insz", "status", "rights"})
"""Between social-security institutions these need more than a protocol."""
STRONG_INSTRUMENTS: Final = frozenset({"ivc_deliberation", "decree_article"})
SOCIAL_SECURITY_ROLES: Final = frozenset("VO")
PUBLISHED_INSTRUMENTS: Final = frozenset({"protocol_art8", "ivc_deliberation", "decree_article"})
ADVISED_INSTRUMENTS: Final = frozenset({"protocol_art8"})
"""The decree of 18 July 2008 asks the advice of the parties' DPOs before a protocol."""
PARTIES_OF_A_PROCESSOR: Final = 2
PARTIES_MAX: Final = 500
GRANTS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the parties.

    Attributes:
        organisation: the organisation of a URN; None when nobody registered it.
        roles_of: the role letters in which an organisation takes part.
    """

    environment: Environment
    organisation: Callable[[str], Organisation | None]
    roles_of: Callable[[str], AbstractSet[str]]


def check(agreement: Agreement, ground: Ground, faults: Faults, path: str = "") -> None:
    """Note everything that the law or the registry does not allow.

    Args:
        agreement: one that is right in itself.
        ground: the parties.
        faults: where it is noted.
        path: what goes before each name, such as `agreements[0].`.
    """
    _check_sizes(agreement, faults, path)
    _check_parties(agreement, ground, faults, path)
    _check_instrument(agreement, ground, faults, path)
    if ground.environment == "production":
        _check_publication(agreement, faults, path)
        _check_private(agreement, ground, faults, path)
        _check_art9(agreement, faults, path)
        if agreement.legal.get("instrument") not in STRONG_INSTRUMENTS:
            for index, grant in enumerate(agreement.grants):
                _check_guarded(f"{path}grants[{index}].fieldsets", grant, ground, faults)


def _check_sizes(agreement: Agreement, faults: Faults, path: str) -> None:
    for name, found, most in (
        ("parties", len(agreement.parties), PARTIES_MAX),
        ("grants", len(agreement.grants), GRANTS_MAX),
    ):
        if found > most:
            nl, en = f"Hoogstens {most}; splits de overeenkomst.", f"At most {most}; split it."
            faults.add(f"{path}{name}", "too_many", nl, en)


def _check_parties(agreement: Agreement, ground: Ground, faults: Faults, path: str) -> None:
    for index, urn in enumerate(agreement.parties):
        if ground.organisation(urn) is None:
            faults.add(
                f"{path}parties[{index}]",
                "unknown_organisation",
                f"{urn} staat niet in het register; voeg de organisatie toe.",
                f"{urn} is not in the registry; add the organisation.",
            )


def _check_instrument(agreement: Agreement, ground: Ground, faults: Faults, path: str) -> None:
    instrument, name = agreement.legal.get("instrument"), f"{path}legal.instrument"
    known = [one for one in map(ground.organisation, agreement.parties) if one is not None]
    if instrument == "protocol_art8" and any(one.private for one in known):
        faults.add(
            name,
            "protocol_with_private_party",
            "Een protocol (art. 8) bindt geen private partij; gebruik data_sharing_agreement.",
            "A protocol (art. 8) binds no private party; use data_sharing_agreement.",
        )
    if instrument == "processor_art28":
        _check_processor(agreement, faults, path)


def _check_processor(agreement: Agreement, faults: Faults, path: str) -> None:
    if len(agreement.parties) != PARTIES_OF_A_PROCESSOR:
        faults.add(
            f"{path}legal.instrument",
            "processor_needs_two",
            "Een verwerkersovereenkomst (art. 28) heeft één verantwoordelijke en één verwerker.",
            "A processor's agreement (art. 28) has one controller and one processor.",
        )
    for index, grant in enumerate(agreement.grants):
        if grant.onward:
            faults.add(
                f"{path}grants[{index}].onward",
                "processor_passes_nothing_on",
                "Een verwerker geeft niets door aan anderen; zet onward op false.",
                "A processor passes nothing on to others; set onward to false.",
            )


def _check_publication(agreement: Agreement, faults: Faults, path: str) -> None:
    legal = agreement.legal
    instrument = legal.get("instrument")
    if instrument in PUBLISHED_INSTRUMENTS and "publication" not in legal:
        faults.add(
            f"{path}legal.publication",
            "missing",
            "Geef het adres waar deze rechtsgrond bekendgemaakt is.",
            "Give the address where this instrument is published.",
        )
    if instrument in ADVISED_INSTRUMENTS and "dpo_advice" not in legal:
        faults.add(
            f"{path}legal.dpo_advice",
            "missing",
            "Geef de datum van het advies van de functionaris voor gegevensbescherming.",
            "Give the date of the data-protection officer's advice.",
        )


def _check_private(agreement: Agreement, ground: Ground, faults: Faults, path: str) -> None:
    known = [one for one in map(ground.organisation, agreement.parties) if one is not None]
    is_sharing = agreement.legal.get("instrument") == "data_sharing_agreement"
    if is_sharing and not any(one.private for one in known):
        faults.add(
            f"{path}legal.instrument",
            "no_private_party",
            "Tussen overheden volstaat geen gewone overeenkomst; gebruik protocol_art8 of sterker.",
            "Between authorities an ordinary agreement is not enough; use protocol_art8 or more.",
        )


def _check_art9(agreement: Agreement, faults: Faults, path: str) -> None:
    granted = {name for grant in agreement.grants for name in grant.fieldsets}
    if "art9_ground" not in agreement.legal and granted & _revealing_fieldsets():
        listed = ", ".join(sorted(granted & _revealing_fieldsets()))
        faults.add(
            f"{path}legal.art9_ground",
            "missing",
            f"{listed} kan gezondheid onthullen; noem de grond van art. 9(2) AVG.",
            f"{listed} may reveal health; name the ground of article 9(2) GDPR.",
        )


@cache
def _revealing_fieldsets() -> frozenset[str]:
    """The field sets with a field from which health may be inferred."""
    fields = (field for event in catalogue().all() for field in event.fields)
    return frozenset(field.fieldset for field in fields if field.art9_inferable)


def _check_guarded(path: str, grant: Grant, ground: Ground, faults: Faults) -> None:
    within = (
        ground.roles_of(grant.from_org) & SOCIAL_SECURITY_ROLES
        and grant.to_role in SOCIAL_SECURITY_ROLES
    )
    if within and grant.fieldsets & GUARDED_FIELDSETS:
        faults.add(
            path,
            "needs_deliberation",
            "insz, status of rights tussen instellingen van sociale zekerheid vraagt een "
            "beraadslaging of een decreetartikel als rechtsgrond.",
            "insz, status or rights between social-security institutions needs "
            "ivc_deliberation or decree_article as its instrument.",
        )
