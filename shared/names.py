"""Names that both the services and the command line speak of; imports nothing, so that `--help` stays quick."""

from enum import StrEnum

SERVICES = ("meetings", "signing", "notifications", "archive")
DEFAULT_URL = "http://127.0.0.1:8350"


class Role(StrEnum):
    """What a token's holder may do."""

    SECRETARY = "secretary"  # schedules, drafts, sends off, follows
    OPERATOR = "operator"  # runs the system: events, dead letters, republishing
    AUDITOR = "auditor"  # reads
