"""The broker's jars: fetched once, compared with the lock, refused when they differ."""

import errno
import hashlib
import shutil
import threading
from pathlib import Path

import pytest

from gateway.embedded.jars import Jar, ensure_jars, read_lock, require_room
from gateway.embedded.resources import kafka_folder
from gateway.errors import ChecksumDiffers, DiskFull, DownloadFailed


class FakeFetch:
    """Writes each jar's name into its file; can be told to fail, or to bring something else."""

    def __init__(self, *, error: Exception | None = None, other: str = "") -> None:
        self.error = error
        self.other = other
        self.fetched: list[str] = []

    def __call__(self, jar: Jar, folder: Path) -> Path:
        """Bring one jar."""
        self.fetched.append(jar.artifact)
        if self.error is not None:
            raise self.error
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / jar.filename
        path.write_text("other" if jar.artifact == self.other else jar.artifact)
        return path


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of three jars, whose content is their name."""
    path = tmp_path / "jgo.lock.toml"
    path.write_text(
        "".join(
            f'[[dependencies]]\ngroupId = "g"\nartifactId = "{name}"\nversion = "1"\n'
            f'sha256 = "{hashlib.sha256(name.encode()).hexdigest()}"\n'
            for name in ("one", "two", "three")
        )
    )
    return path


def silent(_sentence: str) -> None:
    """Take progress and say nothing."""


@pytest.mark.parametrize("folder", ["", "clients"])
def test_the_committed_lock_has_checksums_and_no_addresses(folder: str) -> None:
    """Every jar has a SHA-256, Kafka's own all have one version, and no line is an address."""
    path = kafka_folder() / folder / "jgo.lock.toml"
    jars = read_lock(path)

    assert all(len(jar.sha256) == 64 for jar in jars)
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.1"}
    assert "://" not in path.read_text(encoding="utf-8")


def test_jars_are_fetched_once(lock: Path, tmp_path: Path) -> None:
    """A second start takes them from the cache, in the lock's order."""
    fetch = FakeFetch()

    first = ensure_jars(lock, tmp_path / "cache", fetch=fetch, report=silent)
    second = ensure_jars(lock, tmp_path / "cache", fetch=fetch, report=silent)

    assert first == second
    assert [path.name for path in first] == ["one-1.jar", "two-1.jar", "three-1.jar"]
    assert sorted(fetch.fetched) == ["one", "three", "two"]


def test_concurrent_first_starts_fetch_once(lock: Path, tmp_path: Path) -> None:
    """Those that come second wait for the one that fetches."""
    fetch = FakeFetch()
    starts = [
        threading.Thread(
            target=ensure_jars,
            args=(lock, tmp_path / "cache"),
            kwargs={"fetch": fetch, "report": silent},
        )
        for _ in range(4)
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join()

    assert sorted(fetch.fetched) == ["one", "three", "two"]


@pytest.mark.parametrize("change", ["changed", "removed"])
def test_a_changed_jar_is_refused(lock: Path, tmp_path: Path, change: str) -> None:
    """A jar that is not the locked one starts nothing, and the sentence names it."""
    paths = ensure_jars(lock, tmp_path / "cache", fetch=FakeFetch(), report=silent)
    if change == "changed":
        paths[1].write_text("twO")
    else:
        paths[1].unlink()

    with pytest.raises(ChecksumDiffers) as refusal:
        ensure_jars(lock, tmp_path / "cache", fetch=FakeFetch(), report=silent)

    assert "two-1.jar" in refusal.value.detail.en
    assert "two-1.jar" in refusal.value.detail.nl


def test_a_wrong_download_leaves_no_cache(lock: Path, tmp_path: Path) -> None:
    """What arrives differs from the lock: refused, and the next start fetches again."""
    cache = tmp_path / "cache"

    with pytest.raises(ChecksumDiffers):
        ensure_jars(lock, cache, fetch=FakeFetch(other="two"), report=silent)

    assert [path.name for path in (cache / "kafka").iterdir()] == [".lock"]
    assert ensure_jars(lock, cache, fetch=FakeFetch(), report=silent)


@pytest.mark.parametrize("error", [ConnectionError("no network"), RuntimeError("not there")])
def test_a_failed_download_is_said(lock: Path, tmp_path: Path, error: Exception) -> None:
    """After three tries one sentence says which file is missing."""
    with pytest.raises(DownloadFailed, match=r"\.jar"):
        ensure_jars(lock, tmp_path / "cache", fetch=FakeFetch(error=error), report=silent)


def test_a_full_disk_is_said(lock: Path, tmp_path: Path) -> None:
    """A disk that fills up while fetching is named, not the download."""
    full = OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull):
        ensure_jars(lock, tmp_path / "cache", fetch=FakeFetch(error=full), report=silent)
    with pytest.raises(DiskFull):
        require_room(tmp_path, shutil.disk_usage(tmp_path).total * 2)


def test_what_a_killed_start_left_is_removed(lock: Path, tmp_path: Path) -> None:
    """A half-filled temporary folder of an earlier start does not stay."""
    abandoned = tmp_path / "cache" / "kafka" / ".new-abandoned"
    abandoned.mkdir(parents=True)

    ensure_jars(lock, tmp_path / "cache", fetch=FakeFetch(), report=silent)

    assert not abandoned.exists()
