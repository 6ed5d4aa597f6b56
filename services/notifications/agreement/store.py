"""What mails need to know of an agreement, and all SQL about it: who sent it, and who its people are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.agreement.tables import AGREEMENT
from services.notifications.delivery.delivery import COPIES, Delivery
from services.notifications.letter.letter import Purpose
from shared.database import among_pairs, pairs
from shared.events import Person
from shared.text import email_key, same_email

AgreementKey = tuple[str, str]  # organisation, agreement id

_AGREEMENTS = select(AGREEMENT).where(among_pairs(AGREEMENT.c.organisation, AGREEMENT.c.agreement_id))

_HOLD = (
    select(AGREEMENT)
    .where(AGREEMENT.c.organisation == bindparam("organisation"), AGREEMENT.c.agreement_id == bindparam("id"))
    .with_for_update()
)


@dataclass(slots=True)
class AgreementContext:
    """What a mail's own event does not carry. `sender` is None until AgreementCreated has been seen.

    `people`: whom mails about it may go to, by `email_key`, and its sender; None until it was made known.
    `asked`: of an agreement that an earlier version took in, which did not keep its people, the ids of the requests
    that have asked somebody; else None.
    `copy_links`: by `email_key` too, the version of the next link to the sealed copy, of those whose links were ended;
    and by an extract's number and `email_key`, the first version of the link to it that still opens.
    """

    sender: Person | None = None
    timezone: str = "UTC"
    others: dict[str, Person] = field(default_factory=dict)
    people: set[str] | None = None
    asked: set[str] | None = None
    copy_links: dict[str, int] = field(default_factory=dict)

    def copy_version(self, address: str) -> int | None:
        """Of the next link to the sealed copy, of someone whose links were ended; else None."""
        return self.copy_links.get(email_key(address))

    def extract_links_end(self, number: int, address: str, *, below_version: int) -> None:
        """The links to an extract that were mailed before this version open nothing any more."""
        key = _extract_key(str(number), address)
        self.copy_links[key] = max(below_version, self.copy_links.get(key, below_version))

    def let_in(self, *addresses: str) -> None:
        """Mails about the agreement may go there from now on."""
        if self.people is not None:
            self.people.update(map(email_key, addresses))

    def let_in_if_first(self, request_id: str, address: str) -> bool:
        """Of an older agreement, whom a request asks first is one of its people: nobody named them before. Whether this
        let somebody in."""
        if self.asked is None or request_id in self.asked:
            return False
        self.asked.add(request_id)
        self.let_in(address)
        return True

    def let_out(self, address: str) -> None:
        """It was a mistake: no mail goes there any more, unless the sender has it."""
        if self.people is not None and self.sender is not None and not same_email(address, self.sender.email):
            self.people.discard(email_key(address))

    def knows(self, address: str) -> bool:
        """Whether a mail may go there: to people of an agreement that was made known, and to nobody else."""
        if self.sender is None or self.people is None:
            return False
        return email_key(address) in self.people or same_email(address, self.sender.email)


async def agreements(
    connection: AsyncConnection, keys: Collection[AgreementKey]
) -> dict[AgreementKey, AgreementContext]:
    """Those that are known. One statement."""
    if not keys:
        return {}
    rows = await connection.execute(_AGREEMENTS, pairs(keys))
    return {(row.organisation, row.agreement_id): _context(row) for row in rows}


async def hold_link(connection: AsyncConnection, mail: Delivery) -> int | None:
    """Of what a mail has a link to, a sealed copy or an extract: the first version that opens; None where none ended,
    and of other mails. Whoever ends one waits until the transaction ends; it is to be called before the mail is locked,
    as they take the agreement first."""
    if mail.purpose not in COPIES:
        return None
    row = (await connection.execute(_HOLD, {"organisation": mail.organisation, "id": mail.agreement_id})).one_or_none()
    known = AgreementContext() if row is None else _context(row)
    if mail.purpose is Purpose.EXTRACT:
        return known.copy_links.get(_extract_key(mail.request_id, mail.recipient))
    return known.copy_version(mail.recipient)


async def save_agreements(
    connection: AsyncConnection, changed: Sequence[tuple[AgreementKey, AgreementContext]]
) -> None:
    """Insert, or add to what is there. Sorted, so that transactions that share agreements queue up."""
    if not changed:
        return
    rows = [
        {
            "organisation": organisation,
            "agreement_id": agreement_id,
            "sender": context.sender.model_dump(mode="json") if context.sender else None,
            "timezone": context.timezone,
            "others": {request: person.model_dump(mode="json") for request, person in context.others.items()},
            "people": None if context.people is None else sorted(context.people),
            "asked": None if context.asked is None else sorted(context.asked),
            "copy_links": context.copy_links,
        }
        for (organisation, agreement_id), context in sorted(changed, key=lambda one: one[0])
    ]
    statement = insert(AGREEMENT)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=["organisation", "agreement_id"],
        set_={
            "sender": func.coalesce(new.sender, AGREEMENT.c.sender),
            "timezone": new.timezone,
            "others": AGREEMENT.c.others.op("||")(new.others),
            "people": func.coalesce(new.people, AGREEMENT.c.people),
            "asked": func.coalesce(new.asked, AGREEMENT.c.asked),
            "copy_links": AGREEMENT.c.copy_links.op("||")(new.copy_links),
        },
    )
    await connection.execute(upsert, rows)


def _extract_key(number: str, address: str) -> str:
    """No address begins so."""
    return f"{number} {email_key(address)}"


def _context(row: Row[Any]) -> AgreementContext:
    return AgreementContext(
        sender=Person.model_validate(row.sender) if row.sender else None,
        timezone=row.timezone,
        others={request: Person.model_validate(person) for request, person in row.others.items()},
        people=None if row.people is None else set(row.people),
        asked=None if row.asked is None else set(row.asked),
        copy_links=dict(row.copy_links),
    )
