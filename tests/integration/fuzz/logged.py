"""What the log of a test says: nothing failed."""

import json
from pathlib import Path


def check_no_failure(log: Path) -> None:
    """Warnings at most, and no traceback."""
    for line in log.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        assert told["level"] in ("debug", "info", "warning"), line
        assert "exception" not in told, line
