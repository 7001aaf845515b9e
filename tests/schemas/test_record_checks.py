"""`schakel verify`'s checks: a whole file holds, and no changed one does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import envelope
from schemas.errors import InvalidProof
from schemas.record_checks import Checker, Contents, salts_from
from schemas.tree_head import Account, PublicKeys, TreeHead
from tests.schemas.signed_records import SignedTree, new_key

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN, OTHER = "ocmw-leuven", "vdab"
EVENT = {
    "specversion": "1.0",
    "id": "own-1",
    "source": "urn:schakel:participant:ocmw-leuven",
    "type": "be.schakel.activation.v1.referral.created",
    "time": "2026-03-01T10:00:00Z",
    "datacontenttype": "application/json",
    "data": {"note": "synthetic"},
}
SALT = bytes(range(16))


def grown(*participants: str, tree: SignedTree | None = None) -> SignedTree:
    """A tree with one event of each of these, in this order."""
    made = tree or SignedTree()
    for one in participants:
        made.add(one)
    return made


@pytest.fixture(scope="module")
def tree() -> SignedTree:
    """Five records, three of them the participant's own."""
    return grown(OWN, OTHER, OWN, OTHER, OWN)


def refused(tree: SignedTree, lines: Iterable[bytes]) -> str:
    """Why the file does not hold."""
    with pytest.raises(InvalidProof) as caught:
        Checker(tree.keys).check(lines)
    return str(caught.value.facts["reason"])


def test_a_whole_file_holds(tree: SignedTree) -> None:
    """It says whose records, how many and under which tree."""
    found = Checker(tree.keys).check(tree.file(OWN))

    assert (found.records, found.account.participant, found.account.tree_size) == (3, OWN, 5)


def test_a_file_without_records_holds(tree: SignedTree) -> None:
    """A participant that sent nothing has an account that says so."""
    assert Checker(tree.keys).check(tree.file("caw")).records == 0


def test_every_changed_byte_is_seen() -> None:
    """One bit of each byte of a file changed, one after the other: none of them passes."""
    small = grown(OWN, OTHER, OWN)
    whole = b"".join(small.file(OWN, grown_from=2))
    checker = Checker(small.keys)
    checker.check(_lines(whole))
    passed = []
    for place in range(len(whole)):
        changed = bytes([whole[place] ^ (1 << place % 8)])
        try:
            checker.check(_lines(whole[:place] + changed + whole[place + 1 :]))
        except InvalidProof:
            continue
        passed.append(place)

    assert passed == []


@pytest.mark.parametrize("place", range(4))
def test_every_dropped_line_is_seen(tree: SignedTree, place: int) -> None:
    """Also the last record, and the opening."""
    lines = tree.file(OWN)

    assert refused(tree, lines[:place] + lines[place + 1 :]) in {"order", "missing", "format"}


@pytest.mark.parametrize(("one", "two"), [(1, 2), (1, 3), (2, 3), (0, 1)])
def test_swapped_lines_are_seen(tree: SignedTree, one: int, two: int) -> None:
    """The order is the hub's."""
    lines = tree.file(OWN)
    lines[one], lines[two] = lines[two], lines[one]

    assert refused(tree, lines) in {"order", "format"}


@pytest.mark.parametrize("place", range(1, 5))
def test_inserted_lines_are_seen(tree: SignedTree, place: int) -> None:
    """A record twice, somebody else's, a blank line."""
    lines, foreign = tree.file(OWN), tree.file(OTHER)[1]

    assert refused(tree, [*lines[:place], lines[1], *lines[place:]]) == "order"
    assert refused(tree, [*lines[:place], foreign, *lines[place:]]) == "participant"
    assert refused(tree, [*lines[:place], b"\n", *lines[place:]]) == "format"


@given(st.data())
def test_no_shuffle_or_choice_of_records_holds(data: st.DataObject) -> None:
    """Any other list of the same records is refused."""
    made = TREE
    opening, *lines = made.file(OWN)
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=5))
    if chosen == lines:
        return

    with pytest.raises(InvalidProof):
        Checker(made.keys).check([opening, *chosen])


TREE = grown(OWN, OTHER, OWN, OWN)


@pytest.mark.parametrize(
    "name", ["event_id", "recorded_at", "decision", "agreement", "agreement_hash", "commitment"]
)
def test_a_rewritten_field_is_seen(tree: SignedTree, name: str) -> None:
    """Each member of a leaf, rewritten in perfect form."""
    opening, first, *rest = tree.file(OWN)
    record = json.loads(first)
    kept = record["leaf"][name]
    record["leaf"][name] = kept + 1 if isinstance(kept, int) else kept[:-1] + _other(kept[-1])
    line = json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    assert kept != record["leaf"][name]
    assert refused(tree, [opening, line, *rest]) == "inclusion"


def test_the_last_record_hidden_by_the_hub_needs_a_new_signature(tree: SignedTree) -> None:
    """An account of an earlier tree does not go with a later head."""
    earlier = grown(OWN, OTHER, OWN, tree=SignedTree())
    earlier.key, earlier.keys = tree.key, tree.keys
    older, newer = json.loads(earlier.file(OWN)[0]), json.loads(tree.file(OWN)[0])
    mixed = json.dumps(
        {**newer, "account": older["account"]}, sort_keys=True, separators=(",", ":")
    )

    assert refused(tree, [mixed.encode() + b"\n", *tree.file(OWN)[1:3]]) == "head"


def test_another_hubs_key_is_refused(tree: SignedTree) -> None:
    """A signature counts under the key that the reader trusts, and no other."""
    with pytest.raises(InvalidProof) as caught:
        Checker(PublicKeys(new_key()[1])).check(tree.file(OWN))

    assert caught.value.facts["reason"] == "signature"


def test_a_head_is_no_account(tree: SignedTree) -> None:
    """What is signed as one kind cannot be read as another."""
    head = json.loads(tree.file(OWN)[0])["head"]

    assert tree.keys.read(TreeHead, head).tree_size == 5
    with pytest.raises(InvalidProof):
        tree.keys.read(Account, head)


@pytest.mark.parametrize(
    "document", [None, {}, {"keys": []}, {"keys": [{"kty": "oct", "k": "AA"}]}]
)
def test_an_unusable_key_says_so(document: object) -> None:
    """A file that is no public key is told apart from a signature that fails."""
    with pytest.raises(InvalidProof) as caught:
        PublicKeys(document)

    assert caught.value.facts["reason"] == "key"


def test_a_file_that_carries_on_from_an_older_one_holds() -> None:
    """With all records again, or with the new ones only."""
    made = grown(OWN, OTHER, OWN)
    older = made.file(OWN)
    grown(OTHER, OWN, OWN, tree=made)
    checker = Checker(made.keys)

    whole = checker.check_after(made.file(OWN, grown_from=3), older)
    part = checker.check_after(made.file(OWN, first=3, grown_from=3), older)

    assert (whole.records, whole.grown_from) == (4, 3)
    assert (part.records, part.grown_from) == (2, 3)


def test_a_file_that_does_not_carry_on_is_refused() -> None:
    """Without a proof of growth, with a gap between the two, or from a rewritten tree."""
    made = grown(OWN, OTHER, OWN)
    older = made.file(OWN)
    rewritten = grown(OTHER, OWN, OWN, OWN, OWN, tree=SignedTree())
    rewritten.key, rewritten.keys = made.key, made.keys
    grown(OTHER, OWN, OWN, tree=made)
    checker = Checker(made.keys)
    forged = rewritten.file(OWN, grown_from=3)
    cases = {
        "consistency": [made.file(OWN), made.file(OWN, grown_from=2), forged],
        "joined": [made.file(OWN, first=4, grown_from=3), made.file(OTHER, grown_from=3)],
    }

    for reason, files in cases.items():
        for lines in files:
            with pytest.raises(InvalidProof) as caught:
                checker.check_after(lines, older)
            assert caught.value.facts["reason"] == reason


def test_the_growth_of_a_file_is_checked_by_itself() -> None:
    """A proof of growth that does not hold is refused, asked for or not."""
    made = grown(OWN, OTHER, OWN)
    opening, growth, *records = made.file(OWN, grown_from=2)
    claim = json.loads(growth)
    claim["grown_from"]["size"] = 1
    line = json.dumps(claim, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    assert refused(made, [opening, line, *records]) == "consistency"


def test_an_event_is_compared_with_what_its_record_commits_to() -> None:
    """Time and order of members do not count; anything else does."""
    made = SignedTree()
    parsed = envelope.from_structured(EVENT)
    leaf = made.add(OWN, envelope.content(parsed, parsed.data), SALT)
    salt = json.dumps({"id": "own-1", "event_id": leaf.event_id, "salt": SALT.hex()})
    salts = salts_from([salt.encode()])

    def compared(event: dict[str, object]) -> int:
        contents = Contents([json.dumps(event).encode()], salts)
        Checker(made.keys).check(made.file(OWN), see=contents.see)
        return contents.finish()

    assert compared({**EVENT, "time": "2026-03-01T10:00:09Z"}) == 1
    for changed in ({"data": {"note": "other"}}, {"sourcerecordid": "x-1"}):
        with pytest.raises(InvalidProof) as caught:
            compared({**EVENT, **changed})
        assert caught.value.facts["reason"] == "content"


def test_an_event_without_salt_or_record_is_told(tree: SignedTree) -> None:
    """Nothing passes for want of something to compare with."""
    line = json.dumps(EVENT).encode()
    elsewhere = json.dumps({"id": "own-1", "event_id": "another", "salt": SALT.hex()}).encode()
    with pytest.raises(InvalidProof) as no_salt:
        Contents([line], {})
    contents = Contents([line], salts_from([elsewhere]))
    Checker(tree.keys).check(tree.file(OWN), see=contents.see)
    with pytest.raises(InvalidProof) as no_record:
        contents.finish()

    assert no_salt.value.facts["reason"] == "salt"
    assert no_record.value.facts["reason"] == "absent"


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"id":"a","event_id":"b","salt":"zz"}'])
def test_a_broken_line_of_salts_is_told(line: bytes) -> None:
    """With its number."""
    with pytest.raises(InvalidProof) as caught:
        salts_from([line])

    assert caught.value.facts == {"reason": "salt", "line": 1}


def _other(letter: str) -> str:
    return "2" if letter == "1" else "1"


def _lines(whole: bytes) -> list[bytes]:
    return whole.splitlines(keepends=True)
