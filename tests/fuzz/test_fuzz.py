"""No bytes bring a front end down: half a minute of guided fuzzing each, every time another seed.

`make fuzz` goes on for ten minutes each and keeps what it learns in the corpus.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from schemas import codec
from tests.fuzz import targets
from tests.fuzz.corpus_files import CORPUS, seeds
from tests.fuzz.fuzzing import fuzz
from tests.fuzz.targets import PLANTED, TARGETS

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 30


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_brings_a_front_end_down(target: str, tmp_path: Path) -> None:
    """Everything is accepted or refused with an error of ours, within bounds of time and memory."""
    seed = random.getrandbits(31)
    outcome = fuzz(target, SECONDS, seed, tmp_path)

    broken = [one.read_bytes() for one in outcome.found]
    assert (outcome.code, broken) == (0, []), f"seed {seed}\n{outcome.words}"
    assert outcome.inputs > 1_000


def test_a_planted_fault_is_found(tmp_path: Path) -> None:
    """The fuzzer is guided: four bytes that chance would not find, and the exit code says so."""
    outcome = fuzz(PLANTED, SECONDS, 1, tmp_path)

    assert outcome.code != 0
    assert [one.read_bytes()[:4] for one in outcome.found] == [b"fuzz"]


def test_a_target_takes_nothing_but_our_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is not ours comes through."""

    def fails(_framed: bytes) -> None:
        raise KeyError

    monkeypatch.setattr(codec, "decode_submitted", fails)
    with pytest.raises(KeyError):
        targets.avro()(b"")


@pytest.mark.parametrize(
    ("target", "name", "content"), list(seeds()), ids=[f"{one[0]}-{one[1]}" for one in seeds()]
)
def test_the_corpus_begins_with_our_examples(target: str, name: str, content: bytes) -> None:
    """The files that were made from examples are those of today's schemas."""
    made = "python -m tests.fuzz.corpus_files"
    assert (CORPUS / target / name).read_bytes() == content, f"write it again: {made}"
