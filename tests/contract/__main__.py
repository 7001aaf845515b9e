"""`make fuzz`: calls made up from the description, for as long as it is told, as three callers."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.contract.calling import ADMINISTRATOR, PARTNERS, Amount, call_all, listening

EXAMPLES = 50


def main() -> None:
    """Exit 1 when an answer was a server's failure or is not described."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for each caller")
    parser.add_argument("--seed", type=int, default=random.getrandbits(31))
    given = parser.parse_args()
    amount = Amount(EXAMPLES, None, given.seconds)
    failed = False
    for token in (*PARTNERS, ADMINISTRATOR):
        who = token.partition("+")[0]
        sys.stderr.write(f"calling every operation as {who} for {given.seconds} s\n")
        with TemporaryDirectory() as scratch, listening(Path(scratch)) as address:
            done = call_all(address, Path(scratch), token, amount, given.seed)
        failed = failed or done.returncode != 0
        sys.stdout.write(done.stdout)
    sys.exit(failed)


if __name__ == "__main__":
    main()
