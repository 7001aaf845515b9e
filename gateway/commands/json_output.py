"""What `--json` prints, the same of every command."""

from __future__ import annotations

import json
import sys
from typing import Any


def write_json(document: Any) -> None:
    """Print a document for programs on standard output, indented, in UTF-8."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
