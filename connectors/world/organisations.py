"""Who takes part in a world: every organisation is invented, its place is real.

Numbers come from the block 1999… that no enterprise has, except VDAB's, which is public.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.world import places

VDAB = "vdab"
OCMW_TIENEN, OCMW_DIEST, OCMW_LEUVEN = "ocmw-tienen", "ocmw-diest", "ocmw-leuven"
OCMW_HASSELT, OCMW_TONGEREN = "ocmw-hasselt", "ocmw-tongeren-borgloon"
ASSOCIATION, OCMW_MERELBEKE = "welzijn-meetjesland", "ocmw-merelbeke-melle"
OCMW_PAJOTTEGEM = "ocmw-pajottegem"
OCMW_AARSCHOT, DEMER, SUCCESSOR = "ocmw-aarschot", "wijkwerk-demer", "werkpunt-demer"
STATION, TOWN_AARSCHOT, LEARNING = "fietspunt-demer", "stad-aarschot", "leerwerk-demer"
HAGELAND, WERKPUNT = "wijkwerk-hageland", "werkpunt-hageland"
LIMBURG, MEETJESLAND, PAJOTTENLAND = (
    "wijkwerk-limburg",
    "wijkwerk-meetjesland",
    "wijkwerk-pajottenland",
)
CAW, OPEN_DOOR, SCHOOL = "caw-hageland", "vzw-open-deur", "school-hageland"
BUURTWERK, BUURTHUIS, HUIS_PAJOTTEGEM = (
    "buurtwerk-limburg",
    "buurthuis-meetjesland",
    "huis-pajottegem",
)
CARE_HOME, SCHOOLYARD, GREEN = "wzc-de-linde", "basisschool-het-park", "groendienst-hasselt"
FARM, LIBRARY = "zorghoeve-meetjesland", "bib-pajottegem"
MAATWERK, KRINGLOOP = "maatwerk-hageland", "kringloop-limburg"
TRAINING = "opleiding-hageland"
TOWN_TIENEN, TOWN_HASSELT = "stad-tienen", "stad-hasselt"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation, which is one participant.

    Attributes:
        role: role name, as the registry has it.
        territory: NIS codes; empty for everywhere.
        private: under private law, so no party of a protocol.
        sensitive: its name alone says something about a person's health.
    """

    id: str
    name: str
    urn: str
    role: str
    territory: tuple[str, ...] = ()
    private: bool = False
    sensitive: bool = False

    @property
    def kbo(self) -> str | None:
        """Its enterprise number, when it has one."""
        scheme, _, number = self.urn.rpartition(":")
        return number if scheme == "urn:be:kbo" else None


@dataclass(frozen=True, slots=True)
class Region:
    """Municipalities whose organisations work together, each by its participant id."""

    id: str
    municipalities: tuple[str, ...]
    organisers: tuple[str, ...]
    partners: tuple[str, ...]
    hosts: tuple[str, ...]
    others: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()


def enterprise(number: int) -> str:
    """An enterprise number of the block 1999…, with its check digits."""
    digits = f"1999{number:04d}"
    return f"{digits}{97 - int(digits) % 97:02d}"


def _of(number: int) -> str:
    return f"urn:be:kbo:{enterprise(number)}"


def _centre(id_: str, name: str, number: int, *territory: str) -> Organisation:
    return Organisation(id_, name, _of(number), "welfare_centre", territory)


def _private(id_: str, name: str, urn: str, role: str, *territory: str) -> Organisation:
    return Organisation(id_, name, urn, role, territory, private=True)


ORGANISATIONS: tuple[Organisation, ...] = (
    Organisation(VDAB, "VDAB", "urn:be:kbo:0887010362", "pes"),
    _centre(OCMW_TIENEN, "OCMW Tienen", 1, places.TIENEN),
    _centre(OCMW_DIEST, "OCMW Diest", 2, places.DIEST),
    _centre(OCMW_LEUVEN, "OCMW Leuven", 3, places.LEUVEN),
    _centre(OCMW_HASSELT, "OCMW Hasselt", 4, places.HASSELT),
    _centre(OCMW_TONGEREN, "OCMW Tongeren-Borgloon", 5, places.TONGEREN),
    _centre(
        ASSOCIATION,
        "Welzijnsvereniging Meetjesland",
        6,
        places.EEKLO,
        places.KAPRIJKE,
        places.MALDEGEM,
    ),
    _centre(OCMW_MERELBEKE, "OCMW Merelbeke-Melle", 7, places.MERELBEKE),
    _centre(OCMW_PAJOTTEGEM, "OCMW Pajottegem", 8, places.PAJOTTEGEM),
    Organisation(HAGELAND, "Wijk-werk Hageland", _of(20), "organiser", places.HAGELAND),
    Organisation(WERKPUNT, "Werkpunt Hageland", _of(21), "organiser", places.HAGELAND),
    Organisation(LIMBURG, "Wijk-werk Limburg", _of(22), "organiser", places.LIMBURG),
    Organisation(MEETJESLAND, "Wijk-werk Meetjesland", _of(23), "organiser", places.MEETJESLAND),
    Organisation(PAJOTTENLAND, "Wijk-werk Pajottenland", _of(24), "organiser", places.PAJOTTENLAND),
    _centre(OCMW_AARSCHOT, "OCMW Aarschot", 9, places.AARSCHOT),
    Organisation(DEMER, "Wijk-werk Demer", _of(25), "organiser", places.DEMER),
    Organisation(SUCCESSOR, "Werkpunt Demer", _of(26), "organiser", places.DEMER),
    _private(CAW, "CAW Hageland vzw", _of(40), "local_partner", *places.HAGELAND),
    Organisation(
        OPEN_DOOR,
        "vzw Open Deur, verslavingszorg",
        _of(41),
        "local_partner",
        places.HAGELAND,
        private=True,
        sensitive=True,
    ),
    _private(SCHOOL, "Leerpunt Hageland", _of(42), "local_partner", *places.HAGELAND),
    _private(
        BUURTWERK, "Buurtwerk Limburg", "urn:be:vcode:V0001001", "local_partner", *places.LIMBURG
    ),
    _private(
        BUURTHUIS,
        "Buurthuis Meetjesland",
        "urn:be:vcode:V0001002",
        "local_partner",
        *places.MEETJESLAND,
    ),
    _private(
        HUIS_PAJOTTEGEM,
        "Huis van het Kind Pajottegem",
        "urn:schakel:org:huis-pajottegem",
        "local_partner",
        *places.PAJOTTENLAND,
    ),
    _private(CARE_HOME, "Woonzorgcentrum De Linde", _of(60), "host", *places.HAGELAND),
    _private(SCHOOLYARD, "Basisschool Het Park", _of(61), "host", *places.HAGELAND),
    Organisation(GREEN, "Groendienst Hasselt", _of(62), "host", places.LIMBURG),
    _private(FARM, "Zorghoeve Meetjesland", _of(63), "host", *places.MEETJESLAND),
    Organisation(LIBRARY, "Bibliotheek Pajottegem", _of(64), "host", places.PAJOTTENLAND),
    _private(STATION, "Fietspunt Demer", _of(65), "host", *places.DEMER),
    _private(MAATWERK, "Maatwerk Hageland vzw", _of(80), "social_economy", *places.HAGELAND),
    _private(KRINGLOOP, "Kringloop Limburg vzw", _of(81), "social_economy", *places.LIMBURG),
    Organisation(TRAINING, "CVO Hageland", _of(90), "training", places.HAGELAND),
    Organisation(TOWN_TIENEN, "Stad Tienen", _of(95), "local_authority", (places.TIENEN,)),
    Organisation(TOWN_HASSELT, "Stad Hasselt", _of(96), "local_authority", (places.HASSELT,)),
    Organisation(TOWN_AARSCHOT, "Stad Aarschot", _of(97), "local_authority", places.DEMER),
    _private(LEARNING, "Leerwerkplek Demer vzw", _of(91), "training", *places.DEMER),
)

BY_ID = {one.id: one for one in ORGANISATIONS}

REGIONS: tuple[Region, ...] = (
    Region(
        "hageland",
        places.HAGELAND,
        organisers=(HAGELAND, WERKPUNT),
        partners=(CAW, OPEN_DOOR, SCHOOL),
        hosts=(CARE_HOME, SCHOOLYARD),
        others=(MAATWERK, TRAINING),
        towns=(TOWN_TIENEN,),
    ),
    Region(
        "limburg",
        places.LIMBURG,
        organisers=(LIMBURG,),
        partners=(BUURTWERK,),
        hosts=(GREEN,),
        others=(KRINGLOOP,),
        towns=(TOWN_HASSELT,),
    ),
    Region("meetjesland", places.MEETJESLAND, (MEETJESLAND,), (BUURTHUIS,), (FARM,)),
    Region("pajottenland", places.PAJOTTENLAND, (PAJOTTENLAND,), (HUIS_PAJOTTEGEM,), (LIBRARY,)),
    # Where journeys change who may do what, so that nobody else is in their way.
    Region(
        "demer",
        places.DEMER,
        organisers=(DEMER, SUCCESSOR),
        partners=(),
        hosts=(STATION,),
        towns=(TOWN_AARSCHOT,),
    ),
)


def urn(participant: str) -> str:
    """The organisation of a participant."""
    return BY_ID[participant].urn


def centre_of(nis: str) -> str:
    """The OCMW, or the welfare association, of a municipality."""
    return next(
        one.id for one in ORGANISATIONS if one.role == "welfare_centre" and nis in one.territory
    )


def centres(region: Region) -> tuple[str, ...]:
    """The OCMWs of a region, each once."""
    return tuple(dict.fromkeys(centre_of(nis) for nis in region.municipalities))
