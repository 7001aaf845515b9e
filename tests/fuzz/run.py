"""Fuzzes one target in this process, guided by the coverage of our own code.

    python -m tests.fuzz.run TARGET SECONDS SEED FOLDER

New inputs that reach new code go to FOLDER, and so does one that breaks the target; the exit code
is then not 0. What is committed in `corpus/TARGET` is where it begins. With 0 seconds it fuzzes
nothing and moves to the corpus what of FOLDER reaches more than the corpus does.
It ends with the process, because libFuzzer never returns.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["schemas", "gateway", "tests.fuzz.targets"]):
    from tests.fuzz.targets import PLANTED, TARGETS, planted

CORPUS = Path(__file__).parent / "corpus"
LONGEST_INPUT = 8_192
MEMORY_MB = 1_024
SECONDS_AN_INPUT = 10


def main() -> None:
    """Set libFuzzer up for the arguments of the command line, and let it run."""
    name, seconds, seed, folder = sys.argv[1:]
    target = planted() if name == PLANTED else TARGETS[name]()
    corpus = [str(CORPUS / name)] if name != PLANTED else []
    options: dict[str, object] = {
        "max_total_time": seconds,
        "seed": seed,
        "max_len": LONGEST_INPUT,
        "rss_limit_mb": MEMORY_MB,
        "timeout": SECONDS_AN_INPUT,
        "artifact_prefix": f"{folder}/found-",
        "print_final_stats": 1,
        "verbosity": 1,
    }
    if seconds == "0":
        options["merge"] = 1
    line = [sys.argv[0], *(f"-{option}={value}" for option, value in options.items())]
    folders = [folder, *corpus]
    atheris.Setup([*line, *(reversed(folders) if seconds == "0" else folders)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
