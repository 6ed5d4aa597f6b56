"""Papers: who reads what is confidential, what is bound in, what makes them others, what a publication says is late."""

from datetime import datetime, timedelta

import pytest

from services.meetings.agenda.agenda import HowItLeft, Stay
from services.meetings.attachment import attachment as attachments
from services.meetings.attachment.attachment import AttachmentDetails, AttachmentShown, HandedIn
from services.meetings.body.membership import MemberRole
from services.meetings.papers import papers as rules
from services.meetings.papers.papers import Publication
from services.meetings.reply.reply import Reply
from shared.errors import Refused
from shared.events.base import BlobRef
from shared.rendering.minutes import Language
from shared.rendering.papers import PapersDocument
from tests.unit.meetings.test_agenda import HELD, NOVEMBER, NOW, item

PDF = BlobRef(sha256="a" * 64, size=1000, media_type="application/pdf")


def file(name: str, *, pages: int | None = 3, size: int = 1000, late: bool = False, **said: bool) -> AttachmentShown:
    media_type = "application/pdf" if pages else "text/plain"
    content = BlobRef(sha256=f"{len(name):064}", size=size, media_type=media_type)
    handed_in = HandedIn(name=name, content=content, pages=pages)
    details = AttachmentDetails(title=name, **said)
    made = attachments.add(name, "i", NOVEMBER, [], details, handed_in, NOW)
    return attachments.shown(made, NOW - timedelta(days=1) if late else NOW)


def document(*files: AttachmentShown, for_members: bool = False) -> PapersDocument:
    return rules.document_of(
        NOVEMBER, [item()], {"i": files}, organisation="Norrdalen", language="sv", for_members=for_members
    )


def published(before: list[Publication], *files: AttachmentShown, key: str = "k") -> Publication | None:
    there = rules.published_files([item()], {"i": files})
    return rules.publish(NOVEMBER, before, key, (PDF, PDF), there, told=True, now=NOW)


@pytest.mark.parametrize(
    ("roles", "reply", "reads"),
    [
        ([MemberRole.CHAIR], None, True),
        ([MemberRole.MEMBER], Reply(person_id="p", role=MemberRole.MEMBER, asked=False), True),
        ([MemberRole.SECRETARY], None, True),
        ([MemberRole.CO_OPTED], Reply(person_id="p", role=MemberRole.CO_OPTED), False),
        ([MemberRole.SUBSTITUTE], None, False),
        ([MemberRole.SUBSTITUTE], Reply(person_id="p", role=MemberRole.SUBSTITUTE, instead_of="q"), True),
        ([MemberRole.SUBSTITUTE], Reply(person_id="p", role=MemberRole.SUBSTITUTE, asked=False, instead_of="q"), False),
        ([MemberRole.SUBSTITUTE, MemberRole.MEMBER], None, True),
        ([], None, False),
        ([], Reply(person_id="p", role=MemberRole.SUBSTITUTE, instead_of="q"), False),
        ([MemberRole.CO_OPTED], Reply(person_id="p", role=MemberRole.SUBSTITUTE, instead_of="q"), False),
    ],
)
def test_what_is_confidential_is_read_by_members_and_who_is_called(
    roles: list[MemberRole], reply: Reply | None, reads: bool
) -> None:
    assert rules.reads_confidential(roles, reply) is reads


def test_files_keep_their_numbers_where_others_are_left_out() -> None:
    there = (file("a"), file("b", confidential=True), file("c", pages=None))
    assert [(one.number, one.pages, one.why) for one in document(*there).items[0].files] == [
        ("1.1", 3, None),
        ("1.3", None, "type"),
    ]
    assert [one.number for one in document(*there, for_members=True).items[0].files] == ["1.1", "1.2", "1.3"]


def test_what_is_too_much_is_listed_and_what_still_fits_is_bound_in() -> None:
    there = (file("a", pages=2000), file("bb", pages=1001), file("ccc", pages=1000), file("dddd", size=49 << 20))
    assert [one.why for one in document(*there).items[0].files] == [None, "full", None, "full"]


def test_papers_are_others_when_anything_in_them_is() -> None:
    first, other = file("a"), file("bb")
    keys = {rules.key_of(one) for one in (document(first), document(other), document(), document(first, other))}
    assert len(keys) == 4
    assert rules.key_of(document(first)) == rules.key_of(document(first))


def test_late_is_what_came_after_the_notice_and_was_not_published_before() -> None:
    one, late = file("a"), file("bb", late=True)
    first = published([], one)
    assert first is not None
    assert (first.number, first.late) == (1, ())
    assert published([first], one) is None, "just this was published"
    second = published([first], one, late, key="l")
    assert second is not None
    assert (second.number, second.late) == (2, ("bb",))
    third = published([first, second], one, late, key="m")
    assert third is not None
    assert third.late == ()
    handed_in = HandedIn(name="b.pdf", content=PDF, pages=1)
    newer = attachments.shown(attachments.replace(late, NOVEMBER, handed_in, NOW + timedelta(days=1)), NOW)
    fourth = published([first, second, third], one, newer, key="n")
    assert fourth is not None
    assert fourth.late == ("bb",), "another version of it"


def test_papers_of_a_meeting_that_was_held_stand() -> None:
    with pytest.raises(Refused, match="was held"):
        rules.publish(HELD, [], "k", (PDF, PDF), [], told=False, now=NOW)


def test_an_item_that_comes_back_says_from_where_and_why() -> None:
    stay = Stay(
        meeting_id="october",
        body="Styrelsen",
        starts=datetime(2022, 10, 28, 13),
        how=HowItLeft.REFERRED_BACK,
        reason="Kostnaden ska\nredas ut",
        at=NOW,
        to_meeting_id=None,
    )
    tabled = stay.model_copy(update={"how": HowItLeft.TABLED, "starts": datetime(2022, 9, 23, 13), "reason": None})
    back = item().model_copy(update={"stays": (tabled, stay)})

    def came(language: Language) -> tuple[str, ...]:
        said = rules.document_of(NOVEMBER, [back], {}, organisation="Norrdalen", language=language, for_members=False)
        return said.items[0].came

    assert came("sv") == (
        "Bordlagd av Styrelsen 23 september 2022",
        "Återremitterad av Styrelsen 28 oktober 2022: Kostnaden ska redas ut",
    )
    assert came("en")[1].endswith("28 October 2022: Kostnaden ska redas ut")
