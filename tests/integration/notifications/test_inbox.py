"""Embedded mode's inbox: what a mail carries for calendars is there to read and to fetch."""

from services.notifications.inbox.transport import InboxMails
from services.notifications.invitation.invitation import Method, calendar
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.meetings import MEMBERS, OLOF_BERG, issued, withdrawn
from tests.integration.notifications.post import OLOF, ORGANISATION, SVEN


async def test_an_invitation_is_shown_as_it_was_mailed(make_post: MakePost) -> None:
    post = make_post(automatic=False, show_mail=True)
    await post.bring_alone(*MEMBERS, issued())
    for address in (OLOF, SVEN):
        await post.commands.deliver_next(ORGANISATION, address)
    await post.bring_alone(withdrawn(people=(OLOF_BERG,)))
    await post.commands.deliver_next(ORGANISATION, OLOF)
    mails = InboxMails(post.database, post.commands._composer, ORGANISATION)
    methods = []
    for delivery in await post.deliveries():
        invitation = (await mails.mail(delivery.id)).invitation
        assert invitation is not None
        [carried] = [
            part.get_content()
            for part in post.commands.composed(delivery).walk()
            if part.get_content_type() == "text/calendar"
        ]
        assert calendar(invitation).splitlines() == carried.splitlines()
        methods.append(invitation.method)
    assert sorted(methods) == [Method.CANCEL, Method.REQUEST, Method.REQUEST]
    assert [one.invitation for one in await mails.latest(10)] == [None] * 3, "a list needs none"
