"""`make fuzz`: every front end for ten minutes, two at a time; what they learn joins the corpus."""

from __future__ import annotations

import argparse
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.fuzzing import fuzz
from tests.fuzz.targets import TARGETS

AT_ONCE = 2


def _long(target: str, seconds: int, seed: int, kept: Path) -> dict[str, object]:
    """One target; inputs that broke it stay in `kept`."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        outcome = fuzz(target, seconds, seed, folder)
        kept.mkdir(parents=True, exist_ok=True)
        broken = [one.rename(kept / f"{target}-{one.name}") for one in outcome.found]
        if not broken and outcome.code == 0:
            fuzz(target, 0, seed, folder)
        elif outcome.code:
            sys.stderr.write(outcome.words)
    return {
        "target": target,
        "inputs": outcome.inputs,
        "seed": seed,
        "exit_code": outcome.code,
        "found": [str(one) for one in broken],
    }


def main() -> None:
    """Exit 1 when anything was found; the inputs that did it are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for each front end")
    parser.add_argument("--seed", type=int, default=random.getrandbits(31))
    parser.add_argument("--found", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sys.stderr.write(f"fuzzing {', '.join(TARGETS)}: {given.seconds} s each, {AT_ONCE} at a time\n")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(
            pool.map(lambda name: _long(name, given.seconds, given.seed, given.found), TARGETS)
        )
    if given.json:
        sys.stdout.write(json.dumps(done) + "\n")
    else:
        for one in done:
            what = ", ".join(map(str, one["found"])) or "nothing found"  # type: ignore[call-overload] # a list
            sys.stdout.write(f"{one['target']:<12} {one['inputs']:>10} inputs  {what}\n")
    sys.exit(any(one["exit_code"] for one in done))


if __name__ == "__main__":
    main()
