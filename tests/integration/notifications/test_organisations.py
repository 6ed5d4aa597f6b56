"""A suspended organisation's mails wait, whoever else's go out; resumed, they go out as well."""

import json
from datetime import timedelta

import aiosmtplib
import pytest
from sqlalchemy import text

from services.notifications import verp
from services.notifications.delivery import store
from services.notifications.delivery.delivery import Status
from services.notifications.report.listener import ListenerSettings, ReportListener
from shared.events import (
    Envelope,
    Event,
    OrganisationAdded,
    OrganisationChanged,
    OrganisationErased,
    OrganisationResumed,
    OrganisationSuspended,
    event_type,
)
from shared.events.envelope import kafka_headers
from shared.ids import new_id
from shared.keys import parse_keys
from shared.messaging.message import RawMessage
from shared.messaging.tables import ORGANISATION as KNOWN
from shared.settings import Settings
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.meetings import BOARDS_MEETING, MEMBERS, issued
from tests.integration.notifications.post import OLOF, ORGANISATION, START, SVEN, Post, created, message, requested
from tests.integration.notifications.test_reports import report, take
from tests.support.calendar_replies import GOOGLE, filled, in_mail
from tests.support.smtp_server import RecordingSmtpServer

OTHER = "granvik"


def fact(event: Event, version: int, of: str = OTHER, *, without: tuple[str, ...] = ()) -> RawMessage:
    data = {name: value for name, value in json.loads(event.to_json()).items() if name not in without}
    envelope = Envelope(
        id=new_id(),
        source="/services/meetings",
        type=event_type(event),
        subject=of,
        time=START + timedelta(hours=version),
        organisation=of,
        sequence=version,
        correlation_id=of,
        key=of,
        data=json.dumps(data),
    )
    headers = tuple(kafka_headers(envelope.attributes()))
    return RawMessage(event.topic, 0, version, of, headers, envelope.data.encode())


async def rows(post: Post) -> dict[str, list[str]]:
    """By table: what is there of our organisation. What fits nothing waits for the installation's people, who are ours
    here."""
    found = {}
    async with post.database.transaction() as connection:
        guarded = "SELECT relname FROM pg_class WHERE relrowsecurity AND relname <> 'unmatched_report'"
        for table in (await connection.execute(text(guarded))).scalars().all():
            of_ours = text(f"SELECT t::text FROM {table} AS t WHERE organisation = :ours ORDER BY 1")
            found[table] = list((await connection.execute(of_ours, {"ours": ORGANISATION})).scalars())
    return found


async def claimed(post: Post) -> set[str]:
    """Whose mails a mailer takes now."""
    async with post.database.transaction() as connection:
        found = await store.claim_due(connection, claim=new_id(), lease=0, most=10)
        await connection.rollback()
    return {one.organisation for one in found}


async def test_its_mails_wait_until_it_is_resumed(waiting_post: Post) -> None:
    for of in (ORGANISATION, OTHER):
        await waiting_post.bring(message(created(), organisation=of), message(requested(), organisation=of))
    await waiting_post.bring(fact(OrganisationAdded(name="Granvik", language="sv"), 1))
    assert await claimed(waiting_post) == {ORGANISATION, OTHER}
    await waiting_post.bring(fact(OrganisationSuspended(reason=""), 2))
    assert await claimed(waiting_post) == {ORGANISATION}
    await waiting_post.bring(fact(OrganisationResumed(), 3))
    assert await claimed(waiting_post) == {ORGANISATION, OTHER}


async def test_a_fact_that_comes_late_changes_nothing(waiting_post: Post) -> None:
    await waiting_post.bring(fact(OrganisationSuspended(reason="uppsagt"), 4))
    await waiting_post.bring(fact(OrganisationResumed(), 3), fact(OrganisationAdded(name="Granvik", language="sv"), 1))
    async with waiting_post.database.single() as connection:
        row = (await connection.execute(KNOWN.select())).one()
    assert (row.id, row.version, row.standing, row.reason) == (OTHER, 4, "suspended", "uppsagt")
    assert row.since == START + timedelta(hours=4)


async def test_its_mails_are_in_its_name_and_their_reports_are_its_own(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(fact(OrganisationAdded(name="Granviks kommun", language="sv"), 1))
    for of in (ORGANISATION, OTHER):
        await waiting_post.bring(message(created(), organisation=of), message(requested(), organisation=of))
        await waiting_post.commands.deliver_next(of, OLOF)
    own, theirs = server.mails
    assert own.message["From"] == "Kommunalförbundet Norrdalen <justera@norrdalen.example>"
    assert theirs.message["From"] == "Granviks kommun <justera@norrdalen.example>"
    await take(waiting_post, report(return_path=theirs.mail_from))
    found = {of: await waiting_post.commands.deliveries(of, most=10) for of in (ORGANISATION, OTHER)}
    assert [one.status for one in found[ORGANISATION]] == [Status.SENT]
    assert [one.status for one in found[OTHER]] == [Status.BOUNCED]
    assert await waiting_post.commands.unmatched_reports(ORGANISATION) == []


async def test_no_mail_in_another_organisations_name_says_anything_about_ours(
    waiting_post: Post, server: RecordingSmtpServer, settings: Settings
) -> None:
    """What comes back is believed for the organisation whose name its address was signed with."""
    await waiting_post.bring_alone(*MEMBERS, issued())
    for address in (OLOF, SVEN):
        await waiting_post.commands.deliver_next(ORGANISATION, address)
    ours, ring = (await waiting_post.deliveries())[0], parse_keys(settings.secret("bounce_keys"), "bounce_keys")
    await waiting_post.bring(fact(OrganisationAdded(name="Granviks kommun", language="sv"), 1))
    before = await rows(waiting_post)

    async def comes_back(of: str) -> None:
        path = verp.return_path(verp.encode(ours.id, organisation=of, ring=ring), "norrdalen.example")
        invited = verp.invitation_id(of, BOARDS_MEETING, "olof", ours.recipient, 1)
        address = verp.organiser(invited, "norrdalen.example", organisation=of, ring=ring)
        answer = filled(GOOGLE, organiser=address, attendee=ours.recipient, partstat="DECLINED")
        await take(waiting_post, report(return_path=path))
        await take(waiting_post, in_mail(answer, to=address))

    await comes_back(OTHER)
    assert await rows(waiting_post) == before
    await comes_back(ORGANISATION)
    assert await rows(waiting_post) != before, "in our own name, it is"


async def test_a_report_about_a_mail_of_one_that_was_erased_is_kept_nowhere(
    waiting_post: Post, server: RecordingSmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.organisations.KNOWN_SECONDS", 0.0)
    await waiting_post.bring(fact(OrganisationAdded(name="Granviks kommun", language="sv"), 1))
    await waiting_post.bring(message(created(), organisation=OTHER), message(requested(), organisation=OTHER))
    await waiting_post.commands.deliver_next(OTHER, OLOF)
    await waiting_post.bring(fact(OrganisationErased(), 3))
    [theirs] = server.mails
    await take(waiting_post, report(return_path=theirs.mail_from))
    async with waiting_post.database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM unmatched_report"))).scalar_one() == 0
        statuses = (await connection.execute(text("SELECT status FROM delivery"))).scalars().all()
    assert statuses == [Status.SENT], "nor is it recorded; the mail's row is erased in its turn"


OF_ITS_OWN = {"mail_from": "protokoll@granvik.example", "bounce_domain": "studs.granvik.example"}


async def test_its_mails_are_from_its_own_domain_and_what_comes_back_there_is_taken(
    make_post: MakePost, server: RecordingSmtpServer
) -> None:
    post = make_post(automatic=False)
    await post.bring(fact(OrganisationAdded(name="Granviks kommun", language="sv", **OF_ITS_OWN), 1))
    for of in (ORGANISATION, OTHER):
        await post.bring(message(created(), organisation=of), message(requested(), organisation=of))
        await post.commands.deliver_next(of, OLOF)
    own, theirs = server.mails
    assert own.message["From"] == "Kommunalförbundet Norrdalen <justera@norrdalen.example>"
    assert own.mail_from.endswith("@bounces.norrdalen.example")
    assert theirs.message["From"] == "Granviks kommun <protokoll@granvik.example>"
    assert theirs.mail_from.endswith("@studs.granvik.example")
    reports = post.commands._reports
    settings = ListenerSettings("127.0.0.1", 0, "bounces.norrdalen.example")
    async with ReportListener(
        settings, is_ours=reports.is_ours, take=reports.take, further_domains=reports.further_domains
    ) as listener:
        foreign = theirs.mail_from.replace("granvik", "elsewhere")
        for recipient, taken in ((theirs.mail_from, True), (own.mail_from, True), (foreign, False)):
            sending = aiosmtplib.send(
                report(return_path=recipient),
                sender="mx@elsewhere.example",
                recipients=[recipient],
                hostname="127.0.0.1",
                port=listener.port,
                start_tls=False,
            )
            if taken:
                await sending
            else:
                with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                    await sending
    for of in (ORGANISATION, OTHER):
        assert [one.status for one in await post.commands.deliveries(of, most=10)] == [Status.BOUNCED]


async def test_a_fact_of_a_release_that_knows_no_domain_leaves_it(waiting_post: Post) -> None:
    await waiting_post.bring(fact(OrganisationAdded(name="Granvik", language="sv", **OF_ITS_OWN), 1))
    await waiting_post.bring(
        fact(OrganisationChanged(name="Granviks kommun", language="sv"), 2, without=("mail_from",))
    )
    async with waiting_post.database.single() as connection:
        row = (await connection.execute(KNOWN.select())).one()
    assert (row.name, row.mail_from, row.bounce_domain) == ("Granviks kommun", OF_ITS_OWN["mail_from"], "")
