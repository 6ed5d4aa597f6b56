"""Prometheus' own `promtool`: the version that `make promtool` has built, else the one that is installed."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.parts import missing

_BUILT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "justera" / "bin" / "promtool"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Skips the test, or fails it where `promtool` is required, when there is none."""
    program = str(_BUILT) if _BUILT.is_file() else shutil.which("promtool")
    if program is None:
        missing("promtool", "promtool is not installed: `make promtool` builds it")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
