"""What the archive holds of an organisation; see `shared.holdings`."""

from services.archive.tables import ArchiveTable
from shared.holdings import Holdings
from shared.passed_sessions import PassedTable

HOLDINGS = Holdings(
    (ArchiveTable.metadata, PassedTable.metadata),
    exported=("archived_protocol", "archiving_job", "ended_link", "extract", "extract_sending", "journal"),
)
