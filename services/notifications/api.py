"""The HTTP API of notifications: thin; the rules are in `delivery`, the work in `commands`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.notifications.commands import NotificationsCommands
from services.notifications.delivery import Delivery, Status
from services.notifications.messages import Purpose
from services.notifications.unmatched import UnmatchedReport
from shared.auth import Principal, Role, requires
from shared.clock import parse_timestamp, timestamp
from shared.errors import InvalidInput
from shared.idempotency import Once

Reader = Annotated[Principal, requires(Role.SECRETARY, Role.OPERATOR, Role.AUDITOR)]
Operator = Annotated[Principal, requires(Role.OPERATOR)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]


class DeliveryView(BaseModel):
    """One mail. `created_at` is its cause's time; `last_status` (RFC 3463) and `last_diagnostic` say what a mail server
    answered last when it was not delivered."""

    id: str
    agreement_id: str
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
    caused_by: str


class DeliveryPage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last. `previous`, when reading back: as `before`
    for the page before; absent on the first."""

    deliveries: list[DeliveryView]
    next: str | None = None
    previous: str | None = None


class UnmatchedReportView(BaseModel):
    """`beginning` is the report's first 64 KiB, for secretaries only; bytes that are no UTF-8 are replaced. It is
    written by strangers, and often returns the mail: our links and tokens, and encoded data, are `[redacted]`."""

    sha256: str
    received_at: datetime
    reason: str
    size: int
    beginning: str | None = None


class UnmatchedReportPage(BaseModel):
    """`next`: pass it as `after` for the following page; absent on the last."""

    reports: list[UnmatchedReportView]
    next: str | None = None


def router(commands: NotificationsCommands) -> APIRouter:
    routes = APIRouter(tags=["notifications"])

    @routes.get("/deliveries")
    async def list_deliveries(
        caller: Reader,
        agreement_id: Annotated[str | None, Query(max_length=200)] = None,
        status: Status | None = None,
        after: Cursor = None,
        before: Annotated[
            str | None, Query(max_length=200, description="`end`, or `previous` of the page before: the last ones")
        ] = None,
        limit: Limit = 50,
    ) -> DeliveryPage:
        """Mails in the order of queueing: all, one agreement's, or those of a status."""
        found = await commands.deliveries(
            caller.organisation,
            agreement_id=agreement_id,
            status=status,
            after=after,
            before="" if before == "end" else before,
            most=limit,
        )
        full = len(found) == limit
        return DeliveryPage(
            deliveries=[_view(one) for one in found],
            next=found[-1].id if full and before is None else None,
            previous=found[0].id if full and before is not None else None,
        )

    @routes.get("/deliveries/{delivery_id}")
    async def get_delivery(delivery_id: str, caller: Reader) -> DeliveryView:
        """One mail and what became of it."""
        return _view(await commands.delivery(caller.organisation, delivery_id))

    @routes.post("/deliveries/{delivery_id}/retry", response_model=DeliveryView)
    async def retry(delivery_id: str, once: Once, caller: Operator) -> Response:
        """Try a waiting or bounced mail again at once, under the same Message-ID."""
        return await once.answer(caller, commands.retry(caller.organisation, delivery_id), _view)

    @routes.get("/unmatched-reports")
    async def list_unmatched_reports(caller: Reader, after: Cursor = None, limit: Limit = 20) -> UnmatchedReportPage:
        """Delivery reports that cannot be read or are about no mail of ours, the newest first: for a human to judge.

        What they say is for secretaries only.
        """
        found = await commands.unmatched_reports(caller.organisation, before=_position(after), most=limit)
        following = f"{timestamp(found[-1].received_at)}~{found[-1].sha256}" if len(found) == limit else None
        return UnmatchedReportPage(reports=[_report_view(one, caller) for one in found], next=following)

    return routes


def _view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        agreement_id=delivery.agreement_id,
        purpose=delivery.purpose,
        recipient=delivery.recipient,
        request_id=delivery.request_id or None,
        status=delivery.status,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        sent_at=delivery.sent_at,
        bounced_at=delivery.bounced_at,
        last_status=delivery.last_status,
        last_diagnostic=delivery.last_diagnostic,
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
    )


def _position(after: str | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    moment, _, sha256 = after.partition("~")
    try:
        return parse_timestamp(moment), sha256
    except ValueError as error:
        raise InvalidInput("after: pass the `next` of the page before") from error
