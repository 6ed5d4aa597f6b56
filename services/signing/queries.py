"""What can be read about agreements: by the HTTP API, the pages, the command line and a replay. Nothing is changed.

Every query names the organisation, and finds only what is its own.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import ValidationError

from services.signing import ended_links, mail_news, sealed_copies, store
from services.signing.agreement import TERMINAL, Agreement, Request, Status, request_for_email
from services.signing.arrivals import Arrivals, NoSuchAgreement
from services.signing.deadlines import Deadlines
from services.signing.ended_links import EndedLink
from services.signing.mail_news import MailNews
from services.signing.remedies import alternate_before
from services.signing.sealed_copies import SealedCopy
from services.signing.store import Position
from services.signing.views import (
    AgreementOverview,
    AgreementPage,
    CopyOverview,
    RequestView,
    overview_of,
    request_view_of,
)
from shared import history
from shared.blobs import BlobStore
from shared.clock import Clock, parse_timestamp, timestamp
from shared.database import Database
from shared.errors import InvalidInput, NotFound
from shared.events import BlobRef
from shared.history import Entry
from shared.logging import get_logger
from shared.rendering.minutes import Language, MinutesDocument
from shared.rendering.report import Report, build_report
from shared.text import same_mailbox

log = get_logger(__name__)

MOST = 200
_LOOKED_AT = 50  # agreements, in which somebody may have signed for another before

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class SigningQueries:
    """`public_url`: where all services are reached, so that the archive's copies can be pointed to."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        clock: Clock,
        deadlines: Deadlines,
        arrivals: Arrivals,
        *,
        public_url: str,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._deadlines = deadlines
        self._arrivals = arrivals
        self._public_url = public_url.rstrip("/")

    def overview_of(
        self,
        state: Agreement,
        copy: SealedCopy | None = None,
        replaced_by: str | None = None,
        news: Sequence[MailNews] = (),
        ended: Sequence[EndedLink] = (),
    ) -> AgreementOverview:
        return overview_of(
            state,
            next_reminder=self._deadlines.next_reminder(state),
            sealed_copy=None if copy is None else self._copy_overview(state.agreement_id, copy),
            replaced_by=replaced_by,
            mail_news=news,
            ended_links=ended,
        )

    def _copy_overview(self, agreement_id: str, copy: SealedCopy) -> CopyOverview:
        return CopyOverview(
            url=f"{self._public_url}/archive/protocols/{agreement_id}/copy",
            sha256=copy.pdf.sha256,
            size=copy.pdf.size,
            archived_at=copy.archived_at,
            test_seal=copy.test_seal,
        )

    async def request(self, organisation: str, request_id: str, version: int) -> RequestView:
        """What a signer's page shows; `version` is the link's. Raises NotFound."""
        async with self._database.single() as connection:
            stored = await store.find_by_request(connection, organisation, request_id)
            if stored is None:
                raise NotFound("this request to sign does not exist")
            over = stored.state.status in TERMINAL
            ended = await ended_links.find(connection, [stored.key] if over else [])
        return request_view_of(
            organisation,
            stored.state,
            request_id,
            version,
            now=self._clock.now(),
            ended_links=ended.get(stored.key, ()),
        )

    async def request_id(self, organisation: str, agreement_id: str, email: str) -> str:
        """The request that asks an address, for a replay, which has no links. Raises NotFound."""
        return request_for_email(await self.state(organisation, agreement_id), email).id

    async def alternate_before(self, organisation: str, agreement_id: str, email: str) -> Request | None:
        """Who was let sign for this address in one of the organisation's latest agreements, and is not asked in this
        one."""
        async with self._database.single() as connection:
            latest = await store.page(connection, organisation, status=None, before=None, most=_LOOKED_AT)
        others = [stored.state for stored in latest if stored.state.agreement_id != agreement_id]
        this = next((stored.state for stored in latest if stored.state.agreement_id == agreement_id), None)
        found = alternate_before(others, email)
        if found and this and any(same_mailbox(found.email, one.email) for one in this.requests):
            return None
        return found

    async def document(self, organisation: str, document: BlobRef) -> bytes:
        """The unsigned original, PDF, that an agreement names. Raises NotFound, Unavailable."""
        return await self._blobs.get(organisation, document)

    async def minutes(self, organisation: str, render_input: BlobRef) -> MinutesDocument | None:
        """What an agreement's document was set from, as its history names it by SHA-256; None when that cannot be read
        here.

        Raises Unavailable.
        """
        try:
            return MinutesDocument.model_validate_json(await self._blobs.get(organisation, render_input))
        except (NotFound, ValidationError) as error:
            log.warning("minutes.not_readable", sha256=render_input.sha256, error=type(error).__name__)
            return None

    async def sealed_copy(self, organisation: str, agreement_id: str) -> bytes:
        """The sealed copy, PDF. Raises NotFound while it is not archived, Unavailable."""
        key = (organisation, agreement_id)
        async with self._database.single() as connection:
            copies = await sealed_copies.find(connection, [key])
        if key not in copies:
            raise NotFound("there is no sealed copy", hint="only completed agreements are archived, soon after")
        return await self._blobs.get(organisation, copies[key].pdf)

    async def state(self, organisation: str, agreement_id: str) -> Agreement:
        """Raises NotFound."""

        async def read() -> Agreement:
            async with self._database.single() as connection:
                stored = await store.find(connection, organisation, agreement_id)
            if stored is None:
                raise NoSuchAgreement
            return stored.state

        return await self._arrivals.waited_for(organisation, agreement_id, read)

    async def agreement(self, organisation: str, agreement_id: str) -> AgreementOverview:
        """Places, requests, whose turn it is and since when. Raises NotFound."""
        key = (organisation, agreement_id)

        async def read() -> AgreementOverview:
            async with self._database.single() as connection:
                stored = await store.find(connection, organisation, agreement_id)
                completed = stored is not None and stored.state.status is Status.COMPLETED
                copies = await sealed_copies.find(connection, [key] if completed else [])
                ended = stored is not None and stored.state.status in (TERMINAL - {Status.COMPLETED})
                replaced_by = await store.replacing(connection, stored) if stored is not None and ended else None
                news = await mail_news.find(connection, [key])
                over = stored is not None and stored.state.status in TERMINAL
                ended_ones = await ended_links.find(connection, [key] if over else [])
            if stored is None:
                raise NoSuchAgreement
            return self.overview_of(
                stored.state, copies.get(key), replaced_by, news.get(key, ()), ended_ones.get(key, ())
            )

        return await self._arrivals.waited_for(organisation, agreement_id, read)

    async def agreements(
        self,
        organisation: str,
        *,
        status: Status | None = None,
        waits_on_bounce: bool = False,
        cursor: str | None = None,
        most: int = 50,
    ) -> AgreementPage:
        """The newest first. `cursor`: `next` of the page before. Raises InvalidInput for one that is not.

        With `waits_on_bounce` only agreements that are out and wait for whom no mail reached: fewer than `most`, maybe,
        before the last page.
        """
        most = max(1, min(most, MOST))
        before = _position(cursor) if cursor else None
        if waits_on_bounce and status not in (None, Status.OUT):
            return AgreementPage(agreements=(), next=None)
        asked = Status.OUT if waits_on_bounce else status
        async with self._database.single() as connection:
            found = await store.page(
                connection, organisation, status=asked, bounced=waits_on_bounce, before=before, most=most + 1
            )
            shown = [stored for stored in found[:most] if stored.state.waits_on_bounce or not waits_on_bounce]
            keys = [stored.key for stored in shown]
            completed = [stored.key for stored in shown if stored.state.status is Status.COMPLETED]
            copies = await sealed_copies.find(connection, completed)
            news = await mail_news.find(connection, keys)
            over = [stored.key for stored in shown if stored.state.status in TERMINAL]
            ended_ones = await ended_links.find(connection, over)
        return AgreementPage(
            agreements=tuple(
                self.overview_of(
                    stored.state,
                    copies.get(stored.key),
                    news=news.get(stored.key, ()),
                    ended=ended_ones.get(stored.key, ()),
                )
                for stored in shown
            ),
            next=_cursor(found[most - 1].state) if len(found) > most else None,
        )

    async def entries(self, organisation: str, agreement_id: str) -> Sequence[Entry]:
        """The whole history so far, in the order of recording. Raises NotFound."""
        key = (organisation, agreement_id)

        async def read() -> Sequence[Entry]:
            async with self._database.single() as connection:
                found = await store.entries(connection, [key])
            if key not in found:
                raise NoSuchAgreement
            return found[key]

        return await self._arrivals.waited_for(organisation, agreement_id, read)

    async def history(self, organisation: str, agreement_id: str) -> bytes:
        """`history.json` as of now: also with what was recorded after completion. Raises NotFound."""
        state = await self.state(organisation, agreement_id)
        entries = await self.entries(organisation, agreement_id)
        return history.export(entries, agreement_id=agreement_id, document_sha256=state.document.sha256)

    async def report(
        self,
        organisation: str,
        agreement_id: str,
        language: Language | None = None,
        when: Callable[[datetime], str] | None = None,
    ) -> Report:
        """The audit report as of now, in the agreement's own language by default; its entries are the timeline,
        whose times are GMT unless `when` writes them.

        Raises NotFound.
        """
        return build_report(await self.entries(organisation, agreement_id), language=language, when=when)


def _cursor(state: Agreement) -> str:
    return base64.urlsafe_b64encode(f"{timestamp(state.created_at)} {state.agreement_id}".encode()).decode()


def _position(cursor: str) -> Position:
    try:
        moment, _, agreement_id = base64.urlsafe_b64decode(cursor).decode("ascii").partition(" ")
        if not _ID.fullmatch(agreement_id):
            raise ValueError("no agreement's id")
        return parse_timestamp(moment), agreement_id
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("the cursor is malformed", hint="take `next` of the page before, unchanged") from error
