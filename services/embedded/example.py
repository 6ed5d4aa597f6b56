"""The example that the start page of `justera up` offers: minutes that stand ready, to be clicked through."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from services.embedded.assembly import AllInOne
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import MeetingDetails
from services.meetings.minutes.drafting import Drafting
from services.meetings.minutes.minutes import parse_minutes
from services.signing.commands import SigningCommands
from shared.errors import NotFound, Unavailable
from shared.events import Person, SignerInvitation
from shared.rendering.minutes import Language

_DATA = Path(__file__).parent / "demo_data"
_MINUTES: Mapping[Language, Path] = {"sv": _DATA / "minutes.md", "en": _DATA / "minutes.en.md"}
_LOCAL = "127.0.0.1"


async def prepare_example(system: AllInOne, language: Language) -> str:
    """Schedule the meeting and draft its minutes; return the agreement's id once it stands ready. Raises Unavailable.

    The adjuster's address is one that the embedded inbox bounces: so a bounce and an alternate can be tried, too.
    """
    organisation = system.settings.organisation
    meetings: MeetingsCommands = system.services["meetings"].commands
    signing: SigningCommands = system.services["signing"].commands
    # Without its own first number, so that each further example continues the year.
    text = "".join(
        line
        for line in _MINUTES[language].read_text(encoding="utf-8").splitlines(keepends=True)
        if not line.startswith("first_paragraph:")
    )
    front = parse_minutes(text).front
    details = MeetingDetails(
        body=front.body, title=front.title, place=front.place, starts=front.starts, ends=front.ends
    )
    meeting = await meetings.meetings.schedule(organisation, details)
    drafted = await meetings.minutes.draft_minutes(organisation, meeting.id, text, _drafting(language), ip=_LOCAL)
    await _ready(signing, organisation, drafted.agreement_id)
    return drafted.agreement_id


def _drafting(language: Language) -> Drafting:
    def signer(role: str, email: str, name: str | None = None) -> SignerInvitation:
        return SignerInvitation(role=role, email=email, name=name, language=language)

    return Drafting(
        sender=Person(email="karin.ek@norrdalen.example", name="Karin Ek", language=language),
        signers=(
            signer("secretary", "maja.lind@norrdalen.example", "Maja Lind"),
            signer("chair", "olof.berg@bjorka.example"),
            signer("adjuster", "sven.dahl@studsar.example"),
        ),
        language=language,
    )


async def _ready(signing: SigningCommands, organisation: str, agreement_id: str) -> None:
    """The event has to travel from meetings to signing first."""
    for _ in range(200):
        try:
            await signing.queries.state(organisation, agreement_id)
        except NotFound:
            await asyncio.sleep(0.05)
        else:
            return
    raise Unavailable("the example is being prepared and takes long", hint="look for it under the documents")
