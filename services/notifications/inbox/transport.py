"""Embedded mode's mail server: a table in place of SMTP, so that a newcomer can read the mails without one.

It accepts everything. Addresses that show a bounce (`bounce…@`, or any at studsar.example) are accepted too, and a
moment later a delivery report comes back, as from a mail server further on.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.notifications import verp
from services.notifications.delivery import store
from services.notifications.delivery.composing import Composer
from services.notifications.delivery.transport import Accepted, Outcome
from services.notifications.inbox.tables import INBOX_MAIL
from services.notifications.pages import Mail
from shared.clock import Clock
from shared.database import Database
from shared.errors import NotFound
from shared.organisations import KnownOrganisations
from shared.row_security import acting_for, for_all

SendReport = Callable[[str, str], Awaitable[None]]
"""Has a delivery report come back for one mail: organisation, delivery id."""

_BOUNCE_DOMAIN = "studsar.example"


class InboxTransport:
    """Takes the place of `SmtpTransport`."""

    def __init__(self, database: Database, clock: Clock, composer: Composer, known: KnownOrganisations) -> None:
        self._database = database
        self._clock = clock
        self._composer = composer
        self._known = known

    async def send(self, message: EmailMessage, *, return_path: str, recipient: str, envelope_id: str) -> Outcome:
        """Keeps the mail; the same mail again takes the first one's place. Raises what the database raises."""
        signed = verp.decode(envelope_id, organisations=self._known.served, ring=self._composer.bounce_keys)
        soon = func.clock_timestamp() + text("interval '1 second'")
        row = {
            "organisation": signed.organisation,
            "id": signed.delivery_id,
            "sender": str(message["From"]),
            "recipient": recipient,
            "subject": str(message["Subject"]),
            "text": _body(message, "plain"),
            "html": _body(message, "html"),
            "accepted_at": self._clock.now(),
            "report_due_at": soon if _shows_a_bounce(recipient) else None,
        }
        async with self._database.transaction() as connection:
            await connection.execute(
                insert(INBOX_MAIL).values(row).on_conflict_do_update(index_elements=["organisation", "id"], set_=row)
            )
        return Accepted("250 2.0.0 kept in the inbox")

    async def aclose(self) -> None:
        """Nothing is held open."""


class InboxMails:
    """What the inbox page shows of one organisation. Invitations are composed as they were when they were sent."""

    def __init__(self, database: Database, composer: Composer, organisation: str) -> None:
        self._database = database
        self._composer = composer
        self._organisation = organisation

    async def latest(self, most: int) -> list[Mail]:
        """The newest first."""
        columns = INBOX_MAIL.c
        query = (
            select(INBOX_MAIL)
            .where(columns.organisation == self._organisation)
            .order_by(columns.accepted_at.desc(), columns.id.desc())
            .limit(most)
        )
        async with self._database.transaction() as connection:
            return [_mail(row) for row in await connection.execute(query)]

    async def mail(self, mail_id: str) -> Mail:
        """Raises NotFound."""
        columns = INBOX_MAIL.c
        query = select(INBOX_MAIL).where(columns.organisation == self._organisation, columns.id == mail_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(query)).one_or_none() if "\0" not in mail_id else None
            delivery = await store.find(connection, (row.organisation, row.id)) if row is not None else None
        if row is None:
            raise NotFound("there is no such mail in the inbox")
        return replace(_mail(row), invitation=self._composer.invitation(delivery) if delivery else None)


async def send_due_report(database: Database, send: SendReport) -> bool:
    """Have the report come back that is due longest; False when none is. A report that fails is sent again."""
    columns = INBOX_MAIL.c
    due = (
        select(columns.organisation, columns.id)
        .where(columns.report_due_at <= func.clock_timestamp())
        .order_by(columns.report_due_at)
        .limit(1)
    )
    with for_all("reports that are due come back, whose ever"):
        async with database.transaction() as connection:
            row = (await connection.execute(due)).one_or_none()
    if row is None:
        return False
    with acting_for(row.organisation):
        await send(row.organisation, row.id)
        async with database.transaction() as connection:
            await connection.execute(
                update(INBOX_MAIL)
                .where(columns.organisation == row.organisation, columns.id == row.id)
                .values(report_due_at=None)
            )
    return True


def _shows_a_bounce(recipient: str) -> bool:
    local_part, _, domain = recipient.lower().rpartition("@")
    return local_part.startswith("bounce") or domain == _BOUNCE_DOMAIN


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return "" if part is None else str(part.get_content())


def _mail(row: Row[Any]) -> Mail:
    return Mail(
        id=row.id,
        received_at=row.accepted_at,
        recipient=row.recipient,
        sender=row.sender,
        subject=row.subject,
        text=row.text,
        html=row.html,
    )
