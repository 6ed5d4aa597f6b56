"""The version after this one, as releases have them: it tells more in its events, and its tables have a column more.

What it changes stands in `second_version.patch`; its migrations come after those that are there.
"""

import subprocess
from pathlib import Path

from shared.migrations import newest_revision

PATCH = Path(__file__).with_suffix(".patch")
# By service: a table with one more column, in which this version writes nothing, and that one its name.
COLUMNS = {"signing": "signature_request", "notifications": "delivery"}
COLUMN, WRITES = "written_by", "second"
# Optional fields that are new in events, by the ends of their types.
FIELDS = {"document-viewed.v1": "view", "email-sent.v1": "attempts"}

_MIGRATION = '''"""Who wrote a row."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("ALTER TABLE {table} ADD COLUMN {column} text")
'''


def apply(folder: Path) -> None:
    """Make the sources in the folder those of the second version. Raises CalledProcessError when they are others."""
    subprocess.run(["git", "apply", str(PATCH)], cwd=folder, check=True)
    for service, table in COLUMNS.items():
        before = newest_revision(service)
        number = int(before.rpartition("_")[2]) + 1
        text = _MIGRATION.format(revision=f"{service}_{number:04}", before=before, table=table, column=COLUMN)
        (folder / "services" / service / "migrations" / f"{number:04}_second_version.py").write_text(text)
