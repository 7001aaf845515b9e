"""Which Java runs the broker."""

from pathlib import Path

import pytest

from gateway.embedded.runtime import find_java, major_version, version_of
from gateway.errors import JavaUnsuitable


def program(folder: Path, version: str) -> Path:
    """Return a program that says it is this Java."""
    path = folder / "java"
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("version", "major"), [("25.0.2", 25), ("17", 17), ("1.8.0_402", 8), ("24-ea", 24), ("", 0)]
)
def test_the_feature_release_is_read(version: str, major: int) -> None:
    """Old and new version numbers give their feature release."""
    assert major_version(version) == major


def test_the_version_is_found_in_what_java_says() -> None:
    """The version stands between quotes."""
    assert version_of('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime') == "17.0.15"
    assert version_of("no java here") == ""


def test_without_a_request_the_packaged_java_runs() -> None:
    """The Python package's Java is there and new enough for the ahead-of-time cache."""
    java = find_java(None)

    assert java.command.exists()
    assert java.has_aot_cache


def test_a_requested_java_is_used(tmp_path: Path) -> None:
    """A Java of 17 is taken, by its program or its home folder."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    command = program(home / "bin", "17.0.1")

    assert find_java(command).major == 17
    assert find_java(home).command == command


def test_an_old_java_is_refused(tmp_path: Path) -> None:
    """The sentence says which version it is and which it should be."""
    with pytest.raises(JavaUnsuitable, match=r"11\.0\.2.*17"):
        find_java(program(tmp_path, "11.0.2"))


def test_a_java_that_does_not_run_is_refused(tmp_path: Path) -> None:
    """A path without a program is no Java."""
    with pytest.raises(JavaUnsuitable):
        find_java(tmp_path / "nothing")
