"""The command begins at once: what a command drives is imported when it runs."""

import subprocess
import sys

SLOW = {
    *("aiokafka", "asyncpg", "cryptography", "fastapi", "faststream", "icalendar", "jinja2", "mammoth", "obstore"),
    *("pikepdf", "PIL", "pyhanko", "sqlalchemy", "sqlmodel", "typst", "uvicorn", "yaml"),
}


def test_the_command_waits_for_none_of_what_its_commands_need() -> None:
    code = f"import sys, services.cli.main; print(*({SLOW!r} & sys.modules.keys()))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []
