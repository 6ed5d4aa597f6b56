"""Every page of the project on one address: the real meetings and signing, and the other pages on what tests give."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType

import uvicorn
from fastapi import FastAPI

from services.archive import pages as archive_pages
from services.archive.extract import Extract, ExtractWanted
from services.archive.extract_sending import Sending, SendingWanted, end, people_of, send
from services.archive.pages import SealedCopy, SentExtract
from services.embedded import pages as embedded_pages
from services.embedded.ahead import look_ahead
from services.embedded.login import LinkUsed
from services.meetings.minutes.word_package import MAX_WORD
from services.notifications import pages as notifications_pages
from services.notifications.invitation.invitation import Invitation, Method
from services.notifications.letter.letter import Person as Invited
from services.notifications.pages import Mail
from shared.auth import Access, Principal, Role, TokenRecord, token_hash
from shared.errors import NotFound
from shared.events import BlobRef, Person
from shared.http import create_app
from shared.keys import KeyRing, new_keys, parse_keys
from shared.links import Link, copy_link, extract_link, holder_of, issue, member_address, member_link
from shared.rendering.minutes import MinutesDocument
from shared.service import Service
from shared.settings import Settings
from shared.web.forms import meetings_uploads
from tests.integration.signing.flow import ORGANISATION, Flow, message
from tests.support.sessions import principal_of, record_of
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY, draft

SESSION_KEY = base64.b64encode(b"s" * 32)
ARCHIVED = datetime(2022, 9, 26, 22, 5, tzinfo=UTC)
ACCESS_TOKEN = "a token that an operator gave out"
TOKEN = TokenRecord(name="sender", role=Role.SECRETARY, organisation=ORGANISATION, sha256=token_hash(ACCESS_TOKEN))
AUDITOR = record_of(Role.AUDITOR, ORGANISATION)
OPERATOR = record_of(Role.OPERATOR, ORGANISATION)
ELSEWHERE = record_of(Role.SECRETARY, "elsewhere")
TOKENS = (TOKEN, AUDITOR, OPERATOR, ELSEWHERE)
LOGIN = "one-time-login-token"
COPY = "Xk29fQpLr8sTuVwYz1A3bC5dE7gH9jKmNoPqRsTuVwXy"


class Copies:
    """One sealed copy, in memory."""

    opens_until = ARCHIVED + timedelta(days=90)
    language = "sv"
    ended: Mapping[str, int] = MappingProxyType({})
    document_name = "Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23"

    async def copy(self, organisation: str, agreement_id: str) -> SealedCopy:
        if (organisation, agreement_id) != (ORGANISATION, COPY):
            raise NotFound("no such copy")
        return SealedCopy(
            document_name=self.document_name,
            language=self.language,  # type: ignore[arg-type]
            timezone="Europe/Stockholm",
            archived_at=ARCHIVED,
            opens_until=self.opens_until,
            sha256="9f" * 32,
            size=174_639,
        )

    async def links_from(self, organisation: str, agreement_id: str) -> Mapping[str, int]:
        return self.ended

    async def pdf(self, organisation: str, agreement_id: str) -> bytes:
        return b"%PDF-1.7 sealed"


class Extracts(Copies):
    """Extracts of that copy's minutes, in memory."""

    def __init__(self) -> None:
        self.kept: list[Extract] = []
        self.sendings: dict[str, Sending] = {}

    async def paragraphs(self, organisation: str, agreement_id: str) -> list[tuple[int, str]]:
        await self.copy(organisation, agreement_id)
        return [(28, "Ledningens information"), (29, "Uppföljning av verksamhetsplanen " * 4)]

    async def made(self, organisation: str, agreement_id: str) -> list[Extract]:
        await self.copy(organisation, agreement_id)
        return self.kept

    async def certify(self, organisation: str, agreement_id: str, wanted: ExtractWanted, *, asked_by: str) -> Extract:
        made = Extract(
            agreement_id=agreement_id,
            number=len(self.kept) + 1,
            paragraph=wanted.paragraph,
            certified_by=wanted.certified_by,
            certified_at=ARCHIVED,
            sealed=BlobRef(sha256="9f" * 32, size=7),
            test_seal=True,
        )
        self.kept.append(made)
        return made

    async def extract(self, organisation: str, agreement_id: str, number: int) -> Extract:
        return self.kept[number - 1]

    async def sent(self, organisation: str, agreement_id: str, number: int) -> list[Sending]:
        return list(self.sendings.values())

    async def sent_to(self, organisation: str, agreement_id: str, number: int, holder: str) -> Sending:
        if holder not in self.sendings:
            raise NotFound("not sent")
        return self.sendings[holder]

    async def send(
        self,
        organisation: str,
        agreement_id: str,
        number: int,
        wanted: SendingWanted,
        *,
        asked_by: str,
        form_key: str | None = None,
    ) -> Sending:
        recipient, sender = people_of(wanted)
        extract = await self.extract(organisation, agreement_id, number)
        holder = holder_of(agreement_id, recipient.email)
        before = self.sendings.get(holder)
        sent, _ = send(
            before, extract, self.document_name, recipient, sender, timezone="Europe/Stockholm", now=ARCHIVED
        )
        self.sendings[holder] = sent
        return sent

    async def end_link(self, organisation: str, agreement_id: str, number: int, holder: str) -> Sending:
        became = end(self.sendings[holder], self.kept[number - 1], self.document_name, now=ARCHIVED)
        if became is not None:
            self.sendings[holder] = became[0]
        return self.sendings[holder]

    async def people_before(self, organisation: str, agreement_id: str) -> list[tuple[Person, Person]]:
        return [(one.recipient, one.sender) for one in reversed(self.sendings.values())]

    async def certifiers_before(self, organisation: str) -> list[str]:
        return [one.certified_by for one in reversed(self.kept)]

    async def sent_extract(self, organisation: str, agreement_id: str, number: int, holder: str) -> SentExtract:
        sent, extract = await self.sent_to(organisation, agreement_id, number, holder), self.kept[number - 1]
        return SentExtract(
            document_name=self.document_name,
            paragraph=extract.paragraph,
            certified_by=extract.certified_by,
            certified_at=extract.certified_at,
            sender=sent.sender.name or sent.sender.email,
            language=self.language,  # type: ignore[arg-type]
            timezone="Europe/Stockholm",
            version=sent.version,
            opens_until=self.opens_until,
            ended=sent.ended_at is not None,
            sent_at=sent.sent_at,
            test_seal=True,
            sha256=extract.sealed.sha256,
            size=extract.sealed.size,
        )

    async def pdf(self, organisation: str, agreement_id: str, number: int) -> tuple[str, bytes]:  # type: ignore[override]
        return "Protokoll § 28", b"%PDF-1.7 an extract"


class Mails:
    """An inbox in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Mail] = {}

    def add(self, mail: Mail) -> str:
        self.kept[mail.id] = mail
        return mail.id

    async def latest(self, most: int) -> list[Mail]:
        return list(self.kept.values())[:most]

    async def mail(self, mail_id: str) -> Mail:
        if mail_id not in self.kept:
            raise NotFound("no such mail")
        return self.kept[mail_id]


@dataclass
class Site:
    flow: Flow
    access: Access
    link_keys: KeyRing
    copy_keys: KeyRing
    member_keys: KeyRing
    mails: Mails
    copies: Copies
    extracts: Extracts
    meetings: Service
    base: str = ""
    tokens: dict[str, Principal] = field(default_factory=dict)

    async def redeem(self, token: str) -> Principal:
        principal = self.tokens.pop(token, None)
        if principal is None:
            raise LinkUsed("the login link was used")
        return principal

    async def prepare_example(self, language: str) -> str:
        return AGREEMENT_ID

    async def session(self, record: TokenRecord) -> str:
        """The cookie of a browser that is logged in with this token."""
        return await self.access.open_session(principal_of(record), browser="A browser/1.0")

    def extract_link(self, email: str) -> str:
        """The address that whom the first extract was sent to is mailed."""
        token = issue(self.copy_keys, extract_link(ORGANISATION, COPY, 1, email, 1))
        return f"{self.base}/archive/copies/{token}/extract"

    async def link(self, email: str, *, version: int = 1, agreement_id: str = AGREEMENT_ID) -> str:
        """The address that is mailed to a signer."""
        request_id = await self.flow.queries.request_id(ORGANISATION, agreement_id, email)
        token = issue(self.link_keys, Link("sign", ORGANISATION, request_id, version))
        return f"{self.base}/signing/s/{token}"

    def copy_link(self, agreement_id: str = COPY) -> str:
        link = copy_link(ORGANISATION, agreement_id, SECRETARY, 1)
        return f"{self.base}/archive/copies/{issue(self.copy_keys, link)}"

    def own_link(self, person_id: str, *, version: int = 1, **asked: str) -> str:
        """The address of a member's own page, as a mail has it."""
        return member_address(
            self.base, issue(self.member_keys, member_link(ORGANISATION, person_id, version)), **asked
        )

    async def draft(
        self,
        pdf: bytes,
        language: str = "sv",
        minutes: MinutesDocument | None = None,
        *,
        agreement_id: str = AGREEMENT_ID,
    ) -> None:
        """An agreement of three signers stands ready; its document is `pdf`, set from `minutes`."""
        ref = await self.flow.blobs.put(ORGANISATION, pdf, "application/pdf")
        drafted = draft(language=language)
        signers = tuple(one.model_copy(update={"language": language}) for one in drafted.signers)
        event = drafted.model_copy(update={"pdf": ref, "signers": signers, "agreement_id": agreement_id})
        if minutes is not None:
            words = minutes.model_dump_json().encode()
            words_ref = await self.flow.blobs.put(ORGANISATION, words, "application/json")
            event = event.model_copy(update={"render_input": words_ref})
        await self.flow.bring(message(event, self.flow.tick(), key="meeting-1"))


def make_site(settings: Settings, flow: Flow, access: Access, meetings: Service) -> tuple[Site, FastAPI]:
    """The services' apps mounted below their names, as the all-in-one process does."""
    link_keys = parse_keys(settings.secret("link_keys"), "JUSTERA_LINK_KEYS")
    copy_keys = parse_keys(new_keys(), "JUSTERA_COPY_LINK_KEYS")
    member_keys = parse_keys(settings.secret("member_link_keys"), "JUSTERA_MEMBER_LINK_KEYS")
    site = Site(flow, access, link_keys, copy_keys, member_keys, Mails(), Copies(), Extracts(), meetings)
    site.tokens[LOGIN] = principal_of(TOKEN)
    app, archive, notifications = (_app(name, access) for name in ("Justera", "Archive", "Notifications"))
    embedded_pages.include_pages(
        app,
        settings=settings,
        access=access,
        redeem=site.redeem,
        prepare_example=site.prepare_example,
        look_ahead=partial(look_ahead, meetings.commands, flow.clock),
        invented=True,
    )
    archive_pages.include_pages(
        archive,
        settings=settings,
        access=access,
        clock=flow.clock,
        copies=site.copies,
        extracts=site.extracts,
        sent_extracts=site.extracts,
        copy_link_keys=copy_keys,
    )
    notifications_pages.include_pages(notifications, settings=settings, mails=site.mails)
    app.mount("/meetings", meetings.app)
    app.mount("/signing", flow.service.app)
    app.mount("/archive", archive)
    app.mount("/notifications", notifications)
    return site, app


@asynccontextmanager
async def served(app: FastAPI, *, port: int = 0) -> AsyncIterator[str]:
    """On this or a free port of this machine, within the running event loop; yields the address."""
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def letter(link: str) -> Mail:
    """A mail as notifications sends them, in two forms."""
    return Mail(
        id="0192d1b0-0000-7000-8000-000000000001",
        received_at=ARCHIVED,
        recipient="maja.lind@norrdalen.example",
        sender="Justera <justera@norrdalen.example>",
        subject="Signera: Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23",
        text=f"Hej Maja Lind!\n\nKarin Ek ber dig signera protokollet.\n\nLäs och signera:\n{link}\n",
        html=f'<!DOCTYPE html><html lang="sv"><title>Signera</title><p style="color: navy">Hej!</p>'
        f'<script>document.title = "run"</script><a href="{link}">Läs och signera</a></html>',
    )


def invitation_mail(link: str) -> Mail:
    """A notice, which carries an invitation for calendars."""
    invitation = Invitation(
        method=Method.REQUEST,
        uid="01a2235c-37b5-7303-9bfc-e1d05ccd5961",
        sequence=1,
        title="Styrelsen sammanträder",
        place="Forsby",
        starts=datetime(2022, 11, 25, 13),
        ends=datetime(2022, 11, 25, 15, 30),
        timezone="Europe/Stockholm",
        stamp=ARCHIVED,
        organiser=Invited("answers@bounces.norrdalen.example", "Kommunalförbundet Norrdalen"),
        attendee=Invited("olof.berg@bjorka.example", "Olof Berg"),
    )
    return replace(
        letter(link),
        id="0192d1b0-0000-7000-8000-000000000002",
        recipient="olof.berg@bjorka.example",
        subject="Kallelse: Styrelsen sammanträder, fredag 25 november 2022 kl. 13:00",
        text=f"Hej Olof Berg!\n\nDu kallas till mötet.\n\nSvara, läs handlingarna och anslut:\n{link}\n",
        invitation=invitation,
    )


def _app(title: str, access: Access) -> FastAPI:
    limit, uploads = 2 * 1024 * 1024, meetings_uploads(Settings(), MAX_WORD)
    return create_app(title, description="", access=access, max_body_bytes=limit, checks={}, uploads=uploads)
