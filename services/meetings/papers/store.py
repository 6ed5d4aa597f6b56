"""The SQL of papers: those that were made last, and what was published."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.meetings.papers.papers import Publication
from services.meetings.papers.tables import PAPERS, PAPERS_PUBLICATION
from shared.events.base import BlobRef
from shared.messaging.transaction import Transaction

_MADE = select(PAPERS.c.pdf).where(
    PAPERS.c.organisation == bindparam("organisation"),
    PAPERS.c.meeting_id == bindparam("meeting_id"),
    PAPERS.c.for_members == bindparam("for_members"),
    PAPERS.c.key == bindparam("key"),
)
_SAVE_MADE = insert(PAPERS)
_SAVE_MADE = _SAVE_MADE.on_conflict_do_update(
    index_elements=["organisation", "meeting_id", "for_members"], set_=dict(_SAVE_MADE.excluded)
).inline()
_PUBLISHED = (
    select(PAPERS_PUBLICATION)
    .where(
        PAPERS_PUBLICATION.c.organisation == bindparam("organisation"),
        PAPERS_PUBLICATION.c.meeting_id == bindparam("meeting_id"),
    )
    .order_by(PAPERS_PUBLICATION.c.number)
)
_LAST = (
    select(PAPERS_PUBLICATION.c.papers)
    .where(
        PAPERS_PUBLICATION.c.organisation == bindparam("organisation"),
        PAPERS_PUBLICATION.c.meeting_id == bindparam("meeting_id"),
    )
    .order_by(PAPERS_PUBLICATION.c.number.desc())
    .limit(1)
)
_PUBLISH = insert(PAPERS_PUBLICATION).inline()


class PapersStore(Transaction):
    async def made_papers(self, organisation: str, meeting_id: str, key: str, *, for_members: bool) -> BlobRef | None:
        """Those that were made of just this, unless others were since."""
        sought = {"organisation": organisation, "meeting_id": meeting_id, "for_members": for_members, "key": key}
        pdf = (await self.connection.execute(_MADE, sought)).scalar_one_or_none()
        return None if pdf is None else BlobRef.model_validate(pdf)

    async def save_made_papers(
        self, organisation: str, meeting_id: str, key: str, pdf: BlobRef, *, for_members: bool
    ) -> None:
        row = {
            "organisation": organisation,
            "meeting_id": meeting_id,
            "for_members": for_members,
            "key": key,
            "pdf": pdf.model_dump(),
        }
        await self.connection.execute(_SAVE_MADE, row)

    async def publications(self, organisation: str, meeting_id: str) -> list[Publication]:
        """The first one first."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [
            Publication.model_validate(row, from_attributes=True)
            for row in await self.connection.execute(_PUBLISHED, key)
        ]

    async def published_papers(self, organisation: str, meeting_id: str) -> BlobRef | None:
        """Everyone's papers, as they were published last; None before."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        pdf = (await self.connection.execute(_LAST, key)).scalar_one_or_none()
        return None if pdf is None else BlobRef.model_validate(pdf)

    async def save_publication(self, organisation: str, meeting_id: str, publication: Publication) -> None:
        row: dict[str, Any] = publication.model_dump(mode="json") | {"at": publication.at}
        await self.connection.execute(_PUBLISH, {"organisation": organisation, "meeting_id": meeting_id, **row})
