"""Minutes of the invented association: drafted, sent off, signed by all, so sealed and archived, and then posted.

Its signers sign as soon as they are mailed, on this machine: the mails are of now, and nobody reads before being asked.
"""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from string import Template

from services.embedded.assembly import AllInOne
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting
from services.meetings.minutes.drafting import Drafting
from services.meetings.publication.publication import Status as Posting
from services.signing.agreement import Agreement, Status
from services.signing.commands import SigningCommands
from shared.errors import NotFound, Refused, Unavailable
from shared.events import Person, SignerInvitation
from shared.rendering.minutes import Language

_DATA = Path(__file__).parent / "example_data"
_LOCAL = "127.0.0.1"
_SENDER = ("Karin Ek", "karin.ek@norrdalen.example")
_SIGNERS = (
    ("secretary", "Maja Lind", "maja.lind@norrdalen.example"),
    ("chair", "Olof Berg", "olof.berg@bjorka.example"),
    ("adjuster", "Sven Dahl", "sven.dahl@granvik.example"),
)
_PAUSE, _MOST_PAUSES = 0.1, 600  # seconds; so many at most


def minutes_text(meeting: Meeting, language: Language) -> str:
    """The file of a meeting's minutes. Pure but for reading the template."""
    details = meeting.details
    return Template((_DATA / f"minutes.{language}.md").read_text(encoding="utf-8")).substitute(
        body=details.body,
        place=details.place,
        starts=f"{details.starts:%Y-%m-%dT%H:%M}",
        ends=f"{details.ends:%Y-%m-%dT%H:%M}",
    )


async def archive_minutes(system: AllInOne, meeting: Meeting, language: Language) -> bool:
    """Whether all have signed them. Goes on from where it was; somebody else's minutes of the meeting stay as they are.

    Raises JusteraError.
    """
    organisation = system.settings.organisation
    meetings: MeetingsCommands = system.services["meetings"].commands
    signing: SigningCommands = system.services["signing"].commands
    agreement_id = _agreement_of(meeting)
    there = await meetings.minutes.versions(organisation, meeting.id)
    if not there:
        text, drafting = minutes_text(meeting, language), _drafting(agreement_id, language)
        await meetings.minutes.draft_minutes(organisation, meeting.id, text, drafting, ip=_LOCAL)
    elif there[0].agreement_id != agreement_id:
        return False
    for _ in range(_MOST_PAUSES):
        # A newcomer may have opened its mails, and been faster.
        with suppress(NotFound, Refused):
            state = await signing.queries.state(organisation, agreement_id)
            if state.status not in (Status.READY, Status.OUT):
                return state.status in (Status.SIGNED, Status.COMPLETED)
            if await _further(signing, organisation, state):
                continue
        await asyncio.sleep(_PAUSE)
    raise Unavailable("the minutes of the example take long to be signed")


async def post_minutes(system: AllInOne, meeting: Meeting) -> None:
    """On the notice board, with nothing masked; what somebody posted or took down stays so. Raises JusteraError."""
    organisation = system.settings.organisation
    meetings: MeetingsCommands = system.services["meetings"].commands
    publications = meetings.publications
    for _ in range(_MOST_PAUSES):
        found = await publications.of_meeting(organisation, meeting.id)
        if found is not None and found.status is not Posting.DRAFT:
            return
        with suppress(Refused):  # meetings has not heard yet that all have signed
            looked = await publications.preview(organisation, meeting.id, ())
            await publications.post(organisation, meeting.id, (), confirmed=looked.pin)
            return
        await asyncio.sleep(_PAUSE)
    raise Unavailable("the minutes of the example take long to be posted")


async def _further(signing: SigningCommands, organisation: str, state: Agreement) -> bool:
    """One step, or False while a mail is awaited."""
    if state.status is Status.READY:
        await signing.send_off(organisation, state.agreement_id)
        return True
    asked = next((one for one in state.open_requests() if one.mail_settled), None)
    if asked is None:
        return False
    if asked.viewed_at is None:
        await signing.view(organisation, asked.id, ip=_LOCAL)
    await signing.sign(organisation, asked.id, ip=_LOCAL)
    return True


def _agreement_of(meeting: Meeting) -> str:
    """The same at each start, so that it is known among agreements of people."""
    return hashlib.sha256(f"greeting/{meeting.id}".encode()).hexdigest()[:44]


def _drafting(agreement_id: str, language: Language) -> Drafting:
    name, email = _SENDER
    return Drafting(
        sender=Person(email=email, name=name, language=language),
        signers=tuple(
            SignerInvitation(role=role, email=email, name=name, language=language) for role, name, email in _SIGNERS
        ),
        language=language,
        transaction_id=agreement_id,
    )
