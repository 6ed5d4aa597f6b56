"""The sentences of minutes that are written from what was recorded, as templates in the body's language. Pure.

`{body}` is the body's own name. They are where a secretary begins; what is signed is what they make of them.
"""

from dataclasses import dataclass

from services.meetings.body.membership import MemberRole
from services.meetings.sitting.steps import Choice
from shared.rendering.minutes import Language

NOT_KNOWN = "…"
"""In a field that must be there, and of which nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """`decides` stands before what was decided; a recorded text that says so itself is taken as it is."""

    title: str
    decision: str
    background: str
    attachments: str
    proposals: str
    order: str
    vote: str
    reservation: str
    statement: str
    decides: str
    decides_word: str  # a text that has it is a whole sentence already
    to: str  # with which a text may begin that goes on from `decides`
    proposal_of: str
    proposal_from_papers: str
    put: str  # the proposals, in the order in which they were put
    found: str
    acclamation: str
    ballot: str
    voter: str
    voted: str
    choices: dict[Choice, str]
    counted: str
    by_casting: str
    by_lot: str
    reserves: str
    reserves_saying: str
    states: str
    apart: str
    apart_because: str
    came: str
    left: str
    serves: str
    presides: str
    paused: str
    resumed: str
    adjusters: str
    at_once: str
    and_word: str
    roles: dict[MemberRole, str]
    chair: str  # of who presides and is the chair; both are read as the minutes' chair
    chair_of_meeting: str
    other_chair: str  # the chair, of minutes where somebody else presided
    secretary: str


SWEDISH = Phrases(
    title="Protokoll {body}",
    decision="Beslut",
    background="Bakgrund",
    attachments="Bilagor",
    proposals="Förslag",
    order="Propositionsordning",
    vote="Omröstning",
    reservation="Reservation",
    statement="Protokollsanteckning",
    decides="{body} beslutar att",
    decides_word="beslut",
    to="att ",
    proposal_of="{name} föreslår: {text}",
    proposal_from_papers="Enligt handlingarna: {text}",
    put="Ordföranden ställer förslagen under proposition i denna ordning: {order}.",
    found="Ordföranden finner att {body} beslutar enligt förslag {number}.",
    acclamation="Ordföranden frågar om förslagen kan antas och finner bifall för beslutet.",
    ballot="Votering begärs. Ja är förslag {yes}, nej är förslag {no}.",
    voter="Ledamot",
    voted="Röst",
    choices={Choice.YES: "Ja", Choice.NO: "Nej", Choice.ABSTAIN: "Avstår"},
    counted="Med {yes} ja, {no} nej och {abstain} som avstår vinner förslag {result}.",
    by_casting="Vid lika röstetal avgör ordförandens röst.",
    by_lot="Vid lika röstetal avgör lotten.",
    reserves="{name} reserverar sig mot beslutet.",
    reserves_saying="{name} reserverar sig mot beslutet: {text}",
    states="{name}: {text}",
    apart="{name} anmäler jäv och deltar inte i ärendet.",
    apart_because="{name} anmäler jäv och deltar inte i ärendet: {why}",
    came="{name} kommer kl. {at}.",
    left="{name} lämnar sammanträdet kl. {at}.",
    serves="{name} tjänstgör för {member}.",
    presides="{name} leder sammanträdet.",
    paused="Sammanträdet ajourneras kl. {begun}.",
    resumed="Sammanträdet ajourneras kl. {begun} och återupptas kl. {ended}.",
    adjusters="{body} utser {names} att justera protokollet.",
    at_once="Paragrafen justeras omedelbart.",
    and_word="och",
    roles={
        MemberRole.FIRST_VICE_CHAIR: "1:e vice ordförande",
        MemberRole.SECOND_VICE_CHAIR: "2:e vice ordförande",
        MemberRole.SUBSTITUTE: "ersättare",
        MemberRole.CO_OPTED: "adjungerad",
    },
    chair="ordförande",
    chair_of_meeting="mötesordförande",
    other_chair="ordinarie ordförande",
    secretary="sekreterare",
)

ENGLISH = Phrases(
    title="Minutes of {body}",
    decision="Decision",
    background="Background",
    attachments="Attachments",
    proposals="Proposals",
    order="Order of proposals",
    vote="Vote",
    reservation="Reservation",
    statement="Statement for the minutes",
    decides="{body} decides to",
    decides_word="decide",
    to="to ",
    proposal_of="{name} proposes: {text}",
    proposal_from_papers="As in the papers: {text}",
    put="The chair puts the proposals in this order: {order}.",
    found="The chair finds that {body} decides as in proposal {number}.",
    acclamation="The chair asks whether the proposals can be agreed to, and finds acclamation for the decision.",
    ballot="A vote is asked for. Yes is proposal {yes}, no is proposal {no}.",
    voter="Member",
    voted="Vote",
    choices={Choice.YES: "Yes", Choice.NO: "No", Choice.ABSTAIN: "Abstains"},
    counted="With {yes} yes, {no} no and {abstain} abstaining, proposal {result} wins.",
    by_casting="The votes are equal; the chair’s decides.",
    by_lot="The votes are equal; the lot decides.",
    reserves="{name} has a reservation against the decision.",
    reserves_saying="{name} has a reservation against the decision: {text}",
    states="{name}: {text}",
    apart="{name} declares a conflict of interest and has no part in the item.",
    apart_because="{name} declares a conflict of interest and has no part in the item: {why}",
    came="{name} comes at {at}.",
    left="{name} leaves the sitting at {at}.",
    serves="{name} serves for {member}.",
    presides="{name} presides.",
    paused="The sitting is adjourned at {begun}.",
    resumed="The sitting is adjourned at {begun} and resumed at {ended}.",
    adjusters="{body} chooses {names} to approve the minutes.",
    at_once="The paragraph is approved at once.",
    and_word="and",
    roles={
        MemberRole.FIRST_VICE_CHAIR: "first vice chair",
        MemberRole.SECOND_VICE_CHAIR: "second vice chair",
        MemberRole.SUBSTITUTE: "substitute",
        MemberRole.CO_OPTED: "co-opted",
    },
    chair="chair",
    chair_of_meeting="chair",
    other_chair="regular chair",
    secretary="secretary",
)

PHRASES: dict[Language, Phrases] = {"sv": SWEDISH, "en": ENGLISH}
