"""Meetings and agenda items are of a body by its id: one that is renamed keeps them."""

import unicodedata
from collections import defaultdict

from alembic import op
from sqlalchemy import Connection, text

revision = "meetings_0012"
down_revision = "meetings_0011"

_STATEMENTS = (
    "ALTER TABLE meeting ADD COLUMN body_id text",
    "ALTER TABLE agenda_item ADD COLUMN body_id text",
    "CREATE INDEX meeting_of_no_body ON meeting (organisation, body) WHERE body_id IS NULL",
    "CREATE INDEX agenda_item_by_body_id ON agenda_item (organisation, body_id) WHERE meeting_id IS NULL",
    """
    UPDATE agenda_item SET body_id = body.id FROM body
    WHERE body.organisation = agenda_item.organisation AND body.name_key = agenda_item.body_key
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    _meetings(op.get_bind())


def _meetings(connection: Connection) -> None:
    """They have their body's name as it was written, not its key."""
    spellings = defaultdict(set)
    for organisation, name in connection.execute(text("SELECT DISTINCT organisation, body FROM meeting")):
        spellings[organisation, _key(name)].add(name)
    for organisation, body_id, key in connection.execute(text("SELECT organisation, id, name_key FROM body")).all():
        if names := spellings.get((organisation, key)):
            connection.execute(
                text("UPDATE meeting SET body_id = :id WHERE organisation = :organisation AND body = ANY(:names)"),
                {"id": body_id, "organisation": organisation, "names": sorted(names)},
            )


def _key(name: str) -> str:
    """As `meeting.body_key` made it; names have been one clean line since they were saved."""
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())
