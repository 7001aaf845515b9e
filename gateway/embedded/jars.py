"""The broker's jars: fetched once into a cache, compared with the lock at every start.

`jgo` resolves each artifact but compares no checksum with its lock (deploy/kafka/jgo.lock.toml
holds a SHA-256 for every jar and no addresses); that comparison is this module's reason to exist.
The cache is atomic: jars arrive in a temporary folder that is renamed when all of them are right,
and a file lock lets concurrent first starts wait for the one that fetches.
"""

import errno
import fcntl
import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.errors import ChecksumDiffers, DiskFull, DownloadFailed
from schemas.cli import say
from schemas.errors import Message

_PARALLEL = 6
_ATTEMPTS = 3
_ROOM_BYTES = 200 * 1024 * 1024

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def filename(self) -> str:
        """The name of the file in the cache and on the class path."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.jar"


class Fetch(Protocol):
    """Brings one jar into a folder of its own; several threads call it at once."""

    def __call__(self, jar: Jar, folder: Path) -> Path:
        """Return the path of the fetched file under `folder`.

        Raises:
            OSError: the file cannot be had or written.
            RuntimeError: no repository has it.
        """


class JgoFetch:
    """Fetches through jgo, with the repositories of the user's own jgo settings."""

    def __call__(self, jar: Jar, folder: Path) -> Path:
        """Fetch one jar; a partial file of an earlier attempt is removed first."""
        from jgo.config import GlobalSettings  # noqa: PLC0415 - only a first start needs jgo
        from jgo.maven import MavenContext  # noqa: PLC0415

        shutil.rmtree(folder, ignore_errors=True)
        context = MavenContext(repo_cache=folder, timeout=30)
        context.remote_repos.update(GlobalSettings.load().repositories)
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        return Path(component.artifact(jar.classifier, "jar").resolve())


def read_lock(lock: Path) -> tuple[Jar, ...]:
    """Return the jars that the lock names, in its order, which is the class path's order."""
    lines = tomllib.loads(lock.read_text(encoding="utf-8"))["dependencies"]
    return tuple(
        Jar(
            group=line["groupId"],
            artifact=line["artifactId"],
            version=line["version"],
            classifier=line.get("classifier", ""),
            sha256=line["sha256"],
        )
        for line in lines
    )


def ensure_jars(lock: Path, cache: Path, *, fetch: Fetch, report: Report) -> tuple[Path, ...]:
    """Return the class path of the locked jars, fetched when missing; blocks until it is complete.

    Raises:
        DownloadFailed: a jar could not be fetched; the cache is as it was.
        ChecksumDiffers: a fetched or cached jar is not the locked one.
        DiskFull: the cache's disk is full.
    """
    jars = read_lock(lock)
    folder = cache / "kafka" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _exclusive(folder.parent / ".lock"):
            if not folder.is_dir():
                _fill(folder, jars, fetch, report)
    paths = tuple(folder / jar.filename for jar in jars)
    _verify(jars, paths)
    return paths


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fill(folder: Path, jars: Sequence[Jar], fetch: Fetch, report: Report) -> None:
    # The lock is ours: what still lies here was left by a start that was killed.
    for abandoned in folder.parent.glob(".new-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    require_room(folder.parent, _ROOM_BYTES)
    report(
        say(
            f"Haalt Apache Kafka op ({len(jars)} jars) in {folder}",
            f"Fetching Apache Kafka ({len(jars)} jars) into {folder}",
        )
    )
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        target = fresh / "jars"
        target.mkdir()
        with ThreadPoolExecutor(_PARALLEL) as pool:
            waiting = [pool.submit(_fetch_one, jar, fresh, target, fetch) for jar in jars]
            try:
                for count, future in enumerate(as_completed(waiting), start=1):
                    future.result()
                    if count % 10 == 0 or count == len(jars):
                        total = len(jars)
                        report(say(f"{count} van {total} jars", f"Fetched {count} of {total} jars"))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        target.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fetch_one(jar: Jar, fresh: Path, target: Path, fetch: Fetch) -> None:
    path = _attempt(jar, fresh / "download" / jar.filename, fetch)
    _compare(jar, path)
    path.rename(target / jar.filename)


def _attempt(jar: Jar, folder: Path, fetch: Fetch) -> Path:
    for left in reversed(range(_ATTEMPTS)):
        try:
            return fetch(jar, folder)
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise disk_full(folder) from error
            if not left:
                raise _download_failed(jar) from error
    raise AssertionError


def _verify(jars: Sequence[Jar], paths: Sequence[Path]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_compare, jars, paths))


def _compare(jar: Jar, path: Path) -> None:
    try:
        with path.open("rb") as handle:
            found = hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        found = ""
    if found != jar.sha256:
        raise ChecksumDiffers(
            Message(
                nl=f"{path} is niet het bestand uit de vergrendelde lijst; verwijder de map "
                f"{path.parent} en start opnieuw.",
                en=f"{path} is not the file that the lock names; remove the folder "
                f"{path.parent} and start again.",
            )
        )


def require_room(folder: Path, bytes_needed: int) -> None:
    """Raise DiskFull when the disk under `folder` has less than `bytes_needed` bytes free."""
    if shutil.disk_usage(folder).free < bytes_needed:
        raise disk_full(folder, bytes_needed)


def disk_full(folder: Path, bytes_needed: int = 0) -> DiskFull:
    """Return the error for a full disk under `folder`."""
    megabytes = bytes_needed // (1024 * 1024)
    nl = f": er is {megabytes} MB nodig" if megabytes else ""
    en = f": {megabytes} MB is needed" if megabytes else ""
    return DiskFull(
        Message(
            nl=f"De schijf onder {folder} is vol{nl}.", en=f"The disk under {folder} is full{en}."
        )
    )


def _download_failed(jar: Jar) -> DownloadFailed:
    return DownloadFailed(
        Message(
            nl=f"{jar.filename} kon niet worden opgehaald; controleer de internetverbinding en "
            "start opnieuw.",
            en=f"{jar.filename} could not be fetched; check the internet connection and "
            "start again.",
        )
    )
