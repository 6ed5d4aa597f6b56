"""Whether a body will be able to decide, by what its people have answered. Pure."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from services.meetings.reply.reply import Answer, Reply
from services.meetings.reply.substitutes import Places, stand_in

NEAR_DAYS = 3
"""Before the meeting: from then on, who has not said does not count."""


class Outlook(BaseModel):
    """Places of members who decide: how many have somebody who comes, nobody, or somebody who has not said.

    `needed`: how many have to be there.
    """

    model_config = ConfigDict(frozen=True)

    needed: int
    coming: int
    absent: int
    unanswered: int

    def is_at_risk(self, *, near: bool) -> bool:
        """When too few can come; `near` the meeting, when too few said that they do."""
        return self.coming + (0 if near else self.unanswered) < self.needed


def outlook(needed: int, places: Places, replies: Mapping[str, Reply]) -> Outlook:
    """`replies`: of all who are or were asked, by person."""
    said = [_said(replies, member) for member in places.members]
    coming, absent = said.count(Answer.COMING), said.count(Answer.ABSENT)
    return Outlook(needed=needed, coming=coming, absent=absent, unanswered=len(said) - coming - absent)


def _said(replies: Mapping[str, Reply], member: str) -> Answer | None:
    """Of a place: what the member said; unless they come, what who stands in said, while somebody does."""
    reply, instead = replies.get(member), stand_in(replies, member)
    if instead is None or (reply is not None and reply.answer is Answer.COMING):
        return reply.answer if reply else None
    return instead.answer
