"""Identifiers: the examples of `domain.md` §6, and what lies around them."""

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.be import bis, nn, vat

from schemas import identifiers
from schemas.errors import InvalidIdentifier
from schemas.identifiers import PRODUCTION, TEST, insz, looks_like_insz, organisation_urn, uuid7

TEST_NUMBERS = ["71641212301", "63710300477", "98690125030", "04622901748"]
CHECK_97 = ["85671505897", "02671509097"]
BELGIF_BIS = "53480200724"


def number(nine: str, *, from_2000: bool = False) -> str:
    """Return nine digits with the check digits of an INSZ."""
    return f"{nine}{97 - int(('2' if from_2000 else '') + nine) % 97:02d}"


@pytest.mark.parametrize("digits", TEST_NUMBERS + CHECK_97)
def test_test_numbers_pass_in_a_test_installation_only(digits: str) -> None:
    """Months 61 to 72 keep synthetic people out of production."""
    assert insz(digits, TEST) == digits
    with pytest.raises(InvalidIdentifier):
        insz(digits, PRODUCTION)


def test_real_ranges_pass_in_production_only() -> None:
    """The documentation's own bis number stands for every real number."""
    assert insz(BELGIF_BIS, PRODUCTION) == BELGIF_BIS
    with pytest.raises(InvalidIdentifier):
        insz(BELGIF_BIS, TEST)


@pytest.mark.parametrize(
    "written",
    ["71.64.12-123.01", "71.64.12-123-01", "716412 123 01", " 71641212301 ", "71/64/12-123.01"],
)
def test_separators_are_accepted_and_not_kept(written: str) -> None:
    """People write a number in many ways; eleven digits are stored."""
    assert insz(written, TEST) == "71641212301"


@pytest.mark.parametrize(
    "written",
    [
        "71641212310",  # check digits swapped
        "76141212301",  # year and month swapped
        number("716412123", from_2000=True),  # the prefix on somebody born before
        number("710012123"),  # month 00 is no test month
        number("711312123"),  # month 13
        number("717312123"),  # month 73
        number("716012123"),  # month 60
        number("716432123"),  # day 32
        "7164121230",
        "716412123011",
        "7164121230A",
        "７１６４１２１２３０１",  # noqa: RUF001 - digits that are not ASCII
        "71641212301\n71641212301",
        "",
    ],
)
def test_odd_numbers_are_refused_without_repeating_them(written: str) -> None:
    """A refusal never holds the number: it ends up in logs and answers."""
    with pytest.raises(InvalidIdentifier) as caught:
        insz(written, TEST)

    assert caught.value.kind == "insz"
    spoken = caught.value.detail.nl + caught.value.detail.en + str(caught.value)
    assert not written or written not in spoken


@pytest.mark.parametrize("day", ["00", "01", "31"])
def test_an_unknown_day_is_allowed(day: str) -> None:
    """Day 00 says that the day of birth was not known."""
    digits = number(f"7164{day}123")

    assert insz(digits, TEST) == digits


@pytest.mark.parametrize("month", ["00", "12", "20", "21", "32", "40", "41", "52"])
def test_production_knows_ordinary_bis_and_unknown_months(month: str) -> None:
    """Months 00 to 12, +20 for bis with unknown sex, +40 for bis with known sex."""
    digits = number(f"53{month}02007")

    assert insz(digits, PRODUCTION) == digits


@pytest.mark.parametrize("month", ["13", "19", "33", "39", "53", "59", "60", "73", "99"])
def test_production_refuses_every_other_month(month: str) -> None:
    """What lies between the ranges exists in no register."""
    with pytest.raises(InvalidIdentifier):
        insz(number(f"53{month}02007"), PRODUCTION)


nine_digits = st.integers(0, 999_999_999).map(lambda value: f"{value:09d}")


@given(nine=nine_digits, check=st.integers(0, 99), from_2000=st.booleans())
def test_production_is_never_looser_than_stdnum(nine: str, check: int, *, from_2000: bool) -> None:
    """Whatever we accept, python-stdnum accepts as a national or a bis number."""
    for digits in (f"{nine}{check:02d}", number(nine, from_2000=from_2000)):
        try:
            insz(digits, PRODUCTION)
        except InvalidIdentifier:
            continue
        assert nn.is_valid(digits) or bis.is_valid(digits)


@given(nine=nine_digits, check=st.integers(0, 99))
def test_no_number_passes_in_both_environments(nine: str, check: int) -> None:
    """The ranges of test and production never meet."""
    accepted = 0
    for environment in (TEST, PRODUCTION):
        try:
            insz(f"{nine}{check:02d}", environment)
        except InvalidIdentifier:
            continue
        accepted += 1

    assert accepted <= 1


@pytest.mark.parametrize(
    "text",
    [
        *TEST_NUMBERS,
        *CHECK_97,
        BELGIF_BIS,
        "71.64.12-123.01",
        "71.64.12-123.99",  # printed as one, whatever its check digits
        "dossier-71641212301",
        "71641212301:2026",
        "ref 71 64 12 123 01 ok",
    ],
)
def test_what_is_shaped_like_an_insz_is_seen(text: str) -> None:
    """In either environment, with or without separators, also inside other text."""
    assert looks_like_insz(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-0143",
        "71641212302",
        "7164121230",
        "716412123011",
        "evt-20261124-101530-001",
        "0887010362",
        "99999999999",
        "0195e2a1-7164-7121-8301-716412123010",
    ],
)
def test_ordinary_case_numbers_are_not_taken_for_one(text: str) -> None:
    """A date part and check digits have to fit, and a UUID never counts."""
    assert not looks_like_insz(text)


def test_uuid7_is_a_uuid_of_its_version_and_of_now() -> None:
    """48 bits of milliseconds come first."""
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000

    assert identifiers.is_uuid(made)
    assert made[14] == "7"
    assert made[19] in "89ab"
    assert before <= int(made.replace("-", "")[:12], 16) <= after


def test_uuid7_never_comes_twice_and_grows_with_time() -> None:
    """Ten thousand at once are distinct; later ones sort later."""
    made = [uuid7() for _ in range(10_000)]
    time.sleep(0.002)

    assert len(set(made)) == len(made)
    assert uuid7() > made[0]


@pytest.mark.parametrize(
    "text",
    ["", "0195E2A1-7164-7121-8301-716412123010", "0195e2a1716471218301716412123010", "x" * 36],
)
def test_only_the_canonical_form_is_a_uuid(text: str) -> None:
    """Upper case, no hyphens and other letters are not."""
    assert not identifiers.is_uuid(text)


@pytest.mark.parametrize(
    "digits", ["1999000150", "1999000249", "1999000348", "1999010444", "0887010362"]
)
def test_enterprise_numbers_pass(digits: str) -> None:
    """The synthetic block, and the number of VDAB."""
    assert identifiers.kbo(digits) == digits == vat.validate(digits)
    assert identifiers.kbo(f"BE {digits[:4]}.{digits[4:7]}.{digits[7:]}") == digits


@pytest.mark.parametrize("digits", ["2999000171", "2999000270"])
def test_establishments_are_no_enterprises(digits: str) -> None:
    """The first digit tells the two apart; the check digits are the same."""
    assert identifiers.establishment(digits) == digits
    with pytest.raises(InvalidIdentifier):
        identifiers.kbo(digits)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (identifiers.kbo, "1999000151"),
        (identifiers.kbo, "199900015"),
        (identifiers.kbo, "19990001500"),
        (identifiers.kbo, "199900015X"),
        (identifiers.kbo, ""),
        (identifiers.establishment, "2999000172"),
        (identifiers.establishment, "1999000150"),
        (identifiers.establishment, "9999000171"),
        (identifiers.ovo, "OVO12345"),
        (identifiers.ovo, "OVO1234567"),
        (identifiers.ovo, "AVO002149"),
        (identifiers.vcode, "V001001"),
        (identifiers.vcode, "V00010011"),
        (identifiers.vcode, "0001001"),
        (identifiers.month, "2026-13"),
        (identifiers.month, "2026-00"),
        (identifiers.month, "2026-3"),
        (identifiers.month, "26-03"),
        (identifiers.phone, "12 34 56"),
        (identifiers.phone, "+32 4"),
        (identifiers.phone, "+32 470 12 34 56 78 90 12"),
        (identifiers.phone, "bel mij"),
        (organisation_urn, "0887010362"),
        (organisation_urn, "urn:be:kbo:0887010363"),
        (organisation_urn, "urn:be:kbo:2999000171"),
        (organisation_urn, "urn:be:insz:71641212301"),
        (organisation_urn, "urn:schakel:org:AB"),
        (organisation_urn, "urn:schakel:org:Met_Hoofdletter"),
        (organisation_urn, ""),
    ],
)
def test_other_forms_are_refused(check: Callable[[str], str], text: str) -> None:
    """Every kind has one form."""
    with pytest.raises(InvalidIdentifier):
        check(text)


@pytest.mark.parametrize(
    ("check", "text", "canonical"),
    [
        (identifiers.ovo, " ovo002149 ", "OVO002149"),
        (identifiers.vcode, "v0001001", "V0001001"),
        (identifiers.month, "2026-03", "2026-03"),
        (identifiers.phone, "+32 000 12 34 56", "+32000123456"),
        (identifiers.phone, "0032 000/12.34.56", "+32000123456"),
        (identifiers.phone, "016 12 34 56", "+3216123456"),
        (identifiers.phone, "+32 (0)16 12 34 56", "+3216123456"),
        (organisation_urn, "urn:be:kbo:BE 0887.010.362", "urn:be:kbo:0887010362"),
        (organisation_urn, "URN:BE:KBO:0887010362", "urn:be:kbo:0887010362"),
        (organisation_urn, "urn:be:ovo:ovo002149", "urn:be:ovo:OVO002149"),
        (organisation_urn, "urn:be:vcode:V0001001", "urn:be:vcode:V0001001"),
        (organisation_urn, "urn:schakel:org:buurtwerk-1", "urn:schakel:org:buurtwerk-1"),
    ],
)
def test_one_canonical_form_comes_out(
    check: Callable[[str], str], text: str, canonical: str
) -> None:
    """Spelling variants of one identifier become the same text."""
    assert check(text) == canonical
    assert check(canonical) == canonical


@given(st.text(max_size=40))
def test_any_text_is_refused_or_canonical(text: str) -> None:
    """No check raises anything but its own error, and what comes out is printable ASCII."""
    for check in (
        identifiers.kbo,
        identifiers.establishment,
        identifiers.ovo,
        identifiers.vcode,
        identifiers.month,
        identifiers.phone,
        organisation_urn,
        lambda written: insz(written, TEST),
    ):
        try:
            found = check(text)
        except InvalidIdentifier:
            continue
        assert re.fullmatch(r"[!-~]+", found)
