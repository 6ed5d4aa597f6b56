"""The HTTP API of notifications: thin; the rules are in `delivery.delivery`, the work in `commands`."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.notifications.commands import NotificationsCommands
from services.notifications.delivery.delivery import Delivery, Status
from services.notifications.letter.letter import Purpose
from services.notifications.report.unmatched import UnmatchedReport
from shared.auth import Principal, Role, requires
from shared.clock import parse_timestamp, timestamp
from shared.errors import InvalidInput
from shared.idempotency import Once
from shared.names import subject_of_mail
from shared.routes import LazyRoute

Reader = Annotated[Principal, requires(Role.SECRETARY, Role.OPERATOR, Role.AUDITOR)]
Operator = Annotated[Principal, requires(Role.OPERATOR)]
Keeper = Annotated[Principal, requires(Role.SECRETARY, Role.OPERATOR)]
Limit = Annotated[int, Query(ge=1, le=200)]
_Id = Annotated[str | None, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=200)]


class DeliveryView(BaseModel):
    """One mail: about an agreement (and a request of it), a body's plan, or a meeting, a date poll or a
    review of minutes, to a person.

    `created_at` is its cause's time; `last_status` (RFC 3463) and `last_diagnostic` say what a mail server answered
    last when it was not delivered; `unread_replies` counts what came back and nobody could read."""

    id: str
    agreement_id: str | None
    body_id: str | None = None
    meeting_id: str | None = None
    poll_id: str | None = None
    review_id: str | None = None
    person_id: str | None = None
    purpose: Purpose
    recipient: str
    request_id: str | None
    status: Status
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    bounced_at: datetime | None
    last_status: str | None
    last_diagnostic: str | None
    unread_replies: int = 0
    caused_by: str


class DeliveryPage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last. `previous`, when reading back: as `before`
    for the page before; absent on the first."""

    deliveries: list[DeliveryView]
    next: str | None = None
    previous: str | None = None


class UnmatchedReportView(BaseModel):
    """`beginning` is the report's first 64 KiB, for secretaries only; bytes that are no UTF-8 are replaced. It is
    written by strangers, and often returns the mail: our links and tokens, and encoded data, are `[redacted]`.

    `delivery_id`: whose return path it came to; `answer`: what a person or a machine answered, no report; `settled_at`:
    when a person said that it needs nobody any more.
    """

    sha256: str
    received_at: datetime
    reason: str
    size: int
    beginning: str | None = None
    delivery_id: str | None = None
    answer: bool = False
    settled_at: datetime | None = None


class UnmatchedReportPage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last."""

    reports: list[UnmatchedReportView]
    next: str | None = None


def router(commands: NotificationsCommands) -> APIRouter:
    routes = APIRouter(tags=["notifications"], route_class=LazyRoute)

    @routes.get("/deliveries")
    async def list_deliveries(
        caller: Reader,
        agreement_id: _Id = None,
        body_id: _Id = None,
        meeting_id: _Id = None,
        status: Status | None = None,
        after: Cursor = None,
        before: Annotated[
            str | None, Query(max_length=200, description="`end`, or `previous` of the page before: the last ones")
        ] = None,
        limit: Limit = 50,
    ) -> DeliveryPage:
        """Mails in the order of queueing: all, one agreement's, one meeting's, of one body's plans, or of a status."""
        found = await commands.deliveries(
            caller.organisation,
            agreement_id=agreement_id or body_id or meeting_id,
            status=status,
            after=after,
            before="" if before == "end" else before,
            most=limit,
        )
        full = len(found) == limit
        unread = await commands.unread_of(caller.organisation, found)
        return DeliveryPage(
            deliveries=[_view(one, unread) for one in found],
            next=found[-1].id if full and before is None else None,
            previous=found[0].id if full and before is not None else None,
        )

    @routes.get("/deliveries/{delivery_id}")
    async def get_delivery(delivery_id: str, caller: Reader) -> DeliveryView:
        """One mail and what became of it."""
        found = await commands.delivery(caller.organisation, delivery_id)
        return _view(found, await commands.unread_of(caller.organisation, [found]))

    @routes.post("/deliveries/{delivery_id}/retry", response_model=DeliveryView)
    async def retry(delivery_id: str, once: Once, caller: Operator) -> Response:
        """Try a waiting or bounced mail again at once, under the same Message-ID."""
        return await once.answer(caller, commands.retry(caller.organisation, delivery_id), _view)

    @routes.get("/unmatched-reports")
    async def list_unmatched_reports(
        caller: Reader,
        delivery_id: Annotated[str | None, Query(max_length=200)] = None,
        unread: bool = False,
        after: Cursor = None,
        limit: Limit = 20,
    ) -> UnmatchedReportPage:
        """What came in and is no report that could be read, or is about no mail of ours, the newest first: for a human.

        All, what came to one mail's return path, or those that came to one and wait for a person. What they say is for
        secretaries only.
        """
        found = await commands.unmatched_reports(
            caller.organisation, before=_position(after), most=limit, delivery_id=delivery_id, unread=unread
        )
        following = f"{timestamp(found[-1].received_at)}~{found[-1].sha256}" if len(found) == limit else None
        return UnmatchedReportPage(reports=[_report_view(one, caller) for one in found], next=following)

    @routes.post("/unmatched-reports/{sha256}/settle", status_code=204, response_class=Response)
    async def settle_report(sha256: str, once: Once, caller: Keeper) -> Response:
        """A person has looked at it: it is counted no more. It stays until it is 90 days old."""
        settling = commands.settle_report(caller.organisation, sha256)
        return await once.answer(caller, settling, lambda _: None, status=HTTPStatus.NO_CONTENT)

    return routes


def _view(delivery: Delivery, unread: Mapping[str, int] = MappingProxyType({})) -> DeliveryView:
    about = subject_of_mail(delivery.purpose)
    return DeliveryView(
        id=delivery.id,
        agreement_id=delivery.agreement_id if about == "agreement" else None,
        body_id=delivery.agreement_id if about == "body" else None,
        meeting_id=delivery.agreement_id if about == "meeting" else None,
        poll_id=delivery.agreement_id if about == "poll" else None,
        review_id=delivery.agreement_id if about == "review" else None,
        person_id=delivery.request_id if about in ("meeting", "poll", "review") else None,
        purpose=delivery.purpose,
        recipient=delivery.recipient,
        request_id=(delivery.request_id if about == "agreement" else "") or None,
        status=delivery.status,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        sent_at=delivery.sent_at,
        bounced_at=delivery.bounced_at,
        last_status=delivery.last_status,
        last_diagnostic=delivery.last_diagnostic,
        unread_replies=unread.get(delivery.id, 0),
        caused_by=delivery.cause_id,
    )


def _report_view(report: UnmatchedReport, caller: Principal) -> UnmatchedReportView:
    readable = caller.role is Role.SECRETARY
    return UnmatchedReportView(
        sha256=report.sha256,
        received_at=report.received_at,
        reason=report.reason,
        size=report.size,
        beginning=report.raw.decode("utf-8", errors="replace") if readable else None,
        delivery_id=report.delivery_id,
        answer=report.answer,
        settled_at=report.settled_at,
    )


def _position(after: str | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    moment, _, sha256 = after.partition("~")
    try:
        return parse_timestamp(moment), sha256
    except ValueError as error:
        raise InvalidInput("after: pass the `next` of the page before") from error
