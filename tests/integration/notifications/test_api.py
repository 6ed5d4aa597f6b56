"""The HTTP API: who may see and do what, pages of results, and embedded mode's inbox."""

import re
from typing import Any

import httpx
import pytest

from services.notifications.delivery.delivery import Status
from services.notifications.letter.letter import MAIL_POLICY
from shared.auth import undeclared_routes
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.meetings import BOARD, BOARDS_MEETING, MEMBERS, issued
from tests.integration.notifications.post import AGREEMENT, OLOF, ORGANISATION, Post, eventually, message, requested
from tests.integration.notifications.test_plans import olof, plan
from tests.integration.notifications.test_reports import report, take
from tests.support.smtp_server import RecordingSmtpServer


def client(post: Post, token: str = "operator") -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(post.service.app), base_url="http://notifications", headers=headers
    )


async def get(post: Post, path: str, token: str = "operator") -> Any:
    async with client(post, token) as http:
        response = await http.get(path)
    assert response.status_code == 200, response.text
    return response.json()


async def test_every_route_declares_who_may_call_it(waiting_post: Post, make_post: MakePost) -> None:
    for post in (waiting_post, make_post(automatic=False, show_mail=True)):
        assert undeclared_routes(post.service.app.routes) == []


async def test_deliveries_come_in_pages(waiting_post: Post) -> None:
    await waiting_post.bring(*(message(requested(request_id=f"r{n}")) for n in range(5)))
    first = await get(waiting_post, f"/deliveries?agreement_id={AGREEMENT}&status=waiting&limit=3")
    second = await get(waiting_post, f"/deliveries?limit=3&after={first['next']}")
    found = [one["request_id"] for one in (*first["deliveries"], *second["deliveries"])]
    assert found == [f"r{n}" for n in range(5)]
    assert second["next"] is None
    assert await get(waiting_post, "/deliveries?status=sent") == {"deliveries": [], "next": None, "previous": None}
    assert (await get(waiting_post, "/deliveries", "stranger"))["deliveries"] == []


async def test_deliveries_are_read_back_from_the_last(waiting_post: Post) -> None:
    await waiting_post.bring(*(message(requested(request_id=f"r{n}")) for n in range(5)))
    last = await get(waiting_post, "/deliveries?before=end&limit=3")
    first = await get(waiting_post, f"/deliveries?before={last['previous']}&limit=3")
    found = [one["request_id"] for one in (*first["deliveries"], *last["deliveries"])]
    assert found == [f"r{n}" for n in range(5)]
    assert (last["next"], first["previous"]) == (None, None)


async def test_a_mail_about_a_meeting_says_which_and_to_whom_and_one_about_a_plan_whose(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()))
    await waiting_post.bring_alone(*MEMBERS, issued(), plan(olof()))
    found = (await get(waiting_post, "/deliveries"))["deliveries"]
    told = [
        (one["agreement_id"], one["request_id"], one["meeting_id"], one["person_id"], one["body_id"]) for one in found
    ]
    assert told == [
        (AGREEMENT, "request-1", None, None, None),
        (None, None, BOARDS_MEETING, "olof", None),
        (None, None, BOARDS_MEETING, "sven", None),
        (None, None, None, None, BOARD),
    ]
    of_meeting = await get(waiting_post, f"/deliveries?meeting_id={BOARDS_MEETING}")
    assert [one["purpose"] for one in of_meeting["deliveries"]] == ["notice", "notice"]


async def test_one_delivery_tells_what_became_of_it(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    await waiting_post.commands.bounce(ORGANISATION, OLOF, "5.1.1")
    [delivery] = await waiting_post.deliveries()
    seen = await get(waiting_post, f"/deliveries/{delivery.id}", "auditor")
    assert (seen["status"], seen["recipient"], seen["last_status"]) == ("bounced", OLOF, "5.1.1")
    async with client(waiting_post, "stranger") as http:
        assert (await http.get(f"/deliveries/{delivery.id}")).status_code == 404


async def test_a_mail_is_tried_again_once_for_a_key(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    await waiting_post.commands.bounce(ORGANISATION, OLOF, "5.1.1")
    [delivery] = await waiting_post.deliveries()
    async with client(waiting_post, "operator") as http:
        http.headers["idempotency-key"] = "again"
        first = await http.post(f"/deliveries/{delivery.id}/retry")
        assert (first.status_code, first.json()["status"]) == (200, "waiting")
        await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
        assert (await http.post(f"/deliveries/{delivery.id}/retry")).content == first.content
    [sent] = await waiting_post.deliveries()
    assert sent.status is Status.SENT


async def test_only_operators_have_mails_tried_again(waiting_post: Post) -> None:
    await waiting_post.bring(message(requested()))
    [delivery] = await waiting_post.deliveries()
    path = f"/deliveries/{delivery.id}/retry"
    for token, status in (("", 401), ("auditor", 403), ("stranger", 404), ("operator", 200)):
        async with client(waiting_post, token) as http:
            assert (await http.post(path)).status_code == status, token


@pytest.mark.parametrize("path", ["/deliveries?status=lost", "/unmatched-reports?after=x", "/deliveries?limit=0"])
async def test_malformed_parameters_are_refused(waiting_post: Post, path: str) -> None:
    async with client(waiting_post) as http:
        response = await http.get(path)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_unmatched_reports_come_in_pages(waiting_post: Post) -> None:
    for number in range(3):
        await take(waiting_post, report(message_id=f"<{number}@x>"))
    first = await get(waiting_post, "/unmatched-reports?limit=2", "secretary")
    second = await get(waiting_post, f"/unmatched-reports?limit=2&after={first['next'].replace('+', '%2B')}")
    found = [*first["reports"], *second["reports"]]
    assert len({one["sha256"] for one in found}) == 3
    assert "olof.berg@bjorka.example" in found[0]["beginning"]


@pytest.mark.parametrize("token", ["auditor", "operator"])
async def test_what_unmatched_reports_say_is_for_secretaries(waiting_post: Post, token: str) -> None:
    await take(waiting_post, report())
    [found] = (await get(waiting_post, "/unmatched-reports", token))["reports"]
    assert found["reason"] == "the report is about no mail of ours"
    assert found["beginning"] is None


async def test_unread_replies_are_counted_and_settled(waiting_post: Post, server: RecordingSmtpServer) -> None:
    await waiting_post.bring(message(requested()))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    token = server.mails[0].mail_from.removeprefix("bounces+").partition("@")[0]
    await take(waiting_post, b"From: MAILER-DAEMON@mx.example\r\nSubject: Hm\r\n\r\nDet blev inget.\r\n", token)
    [delivery] = (await get(waiting_post, "/deliveries"))["deliveries"]
    assert delivery["unread_replies"] == 1
    assert (await get(waiting_post, "/operations/state"))["unread"] == 1
    async with client(waiting_post) as http:
        assert 'justera_replies_unread{service="notifications"} 1.0' in (await http.get("/metrics")).text
    [kept] = (await get(waiting_post, "/unmatched-reports?unread=true"))["reports"]
    assert kept["delivery_id"] == delivery["id"]
    path = f"/unmatched-reports/{kept['sha256']}/settle"
    for token, status in (("auditor", 403), ("stranger", 404), ("secretary", 204), ("operator", 204)):
        async with client(waiting_post, token) as http:
            assert (await http.post(path)).status_code == status, token
    assert (await get(waiting_post, f"/deliveries/{delivery['id']}"))["unread_replies"] == 0
    assert (await get(waiting_post, "/unmatched-reports?unread=true"))["reports"] == []


async def test_a_link_that_a_report_returns_is_not_kept(waiting_post: Post) -> None:
    """The whole mail comes back, without a token that we know: whoever reads it must not sign by its link."""
    await waiting_post.bring(message(requested()))
    [delivery] = await waiting_post.deliveries()
    mail = waiting_post.commands._composer.compose(delivery)
    link = re.search(r"/signing/s/([\w.-]+)", mail.message.get_body(("plain",)).get_content())[1]  # type: ignore
    head = b"From: MAILER-DAEMON@mx.example\r\nSubject: returned\r\nContent-Type: message/rfc822\r\n\r\n"
    await take(waiting_post, head + mail.message.as_bytes(policy=MAIL_POLICY))
    [found] = (await get(waiting_post, "/unmatched-reports", "secretary"))["reports"]
    quoted = found["beginning"].replace("=\n", "").replace("=\r\n", "")
    assert "Subject: " in quoted
    assert link[-20:] not in quoted
    assert "[redacted]" in quoted


async def test_a_mail_servers_words_are_kept_without_our_return_path(
    waiting_post: Post, server: RecordingSmtpServer
) -> None:
    await waiting_post.bring(message(requested()))
    await waiting_post.commands.deliver_next(ORGANISATION, OLOF)
    return_path = server.mails[0].mail_from
    await take(waiting_post, report(return_path=return_path, reply=f"550 <{return_path}>"))
    [bounce] = [one for one in await waiting_post.published() if one.name == "bounce-detected"]
    assert bounce.body["diagnostic"].startswith("550 <bounces+[redacted]@")


async def test_the_inbox_shows_mails_and_some_bounce(make_post: MakePost) -> None:
    post = make_post(show_mail=True)
    await post.bring(message(requested()), message(requested("bounce@bjorka.example", request_id="request-2")))

    async def bounced() -> bool:
        return sorted(await post.names()) == ["bounce-detected", "email-sent", "email-sent"]

    await eventually(bounced)
    async with client(post, "secretary") as http:
        page = (await http.get("/inbox")).text
    assert OLOF in page
    assert "bounce@bjorka.example" in page
    [delivery] = [one for one in await post.deliveries() if one.recipient == OLOF]
    for token in ("auditor", "operator"):
        async with client(post, token) as http:
            for path in ("/inbox", f"/inbox/{delivery.id}", f"/inbox/{delivery.id}/html"):
                assert (await http.get(path)).status_code == 403
    async with client(post, "secretary") as http:
        mail = (await http.get(f"/inbox/{delivery.id}")).text
        missing = await http.get("/inbox/none")
    assert "https://justera.norrdalen.example/signing/s/" in mail
    assert missing.status_code == 404
