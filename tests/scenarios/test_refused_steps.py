"""Steps that the system does not allow, of a year and of an agreement, each all in one replay: each is refused in one
line, and changes nothing that stands in the way of the next."""

import json
from pathlib import Path

import pytest

from services.embedded.replay import Replay, replaying
from services.embedded.scenario import RefusedScenario, Step, load_scenario

MINUTES = Path(__file__).with_name("minutes.md")
HEAD = """language: sv
timezone: Europe/Stockholm
steps:
  - at: 2023-01-09T09:00:00Z
    register:
      people:
        olof: {name: Olof Berg, email: olof.berg@bjorka.example}
        maja: {name: Maja Lind, email: maja.lind@norrdalen.example}
        nils: {name: Nils Falk}
      bodies:
        board: {name: Styrelsen, kind: board, members: [{person: olof, role: chair}, {person: nils, role: member}]}
        au: {name: AU, kind: committee, members: [{person: olof, role: chair}]}
"""
MEETING = "meeting: board 2023-02-24"
MET = "title: Möte, place: Forsby, starts: 2023-02-24T09:00, ends: 2023-02-24T12:00"
ITEM = f"{MEETING}, item: Budget"
POLL = "answer_by: 2023-02-01, times: [{starts: 2023-02-27T09:00, ends: 2023-02-27T12:00}]"

# Each step, and why it is refused; one without is done.
Steps = list[tuple[str, str]]
OF_A_YEAR: Steps = [
    ("deliver_all: {}", "(deliver_all): no mail is waiting"),
    (
        f"cancel_meeting: {{{MEETING}, reason: Few}}",
        "(cancel_meeting board 2023-02-24): there is no meeting board 2023-02-24",
    ),
    (
        "plan: {plan: '2023', year: '2023', bodies: {ghosts: {meetings: []}}}",
        "(plan): bodies, ghosts: there is no body ghosts (name bodies by their keys, as the register does)",
    ),
    (f"schedule_meeting: {{body: board, {MET}}}", ""),
    (
        f"schedule_meeting: {{body: au, {MET}}}",
        "(schedule_meeting au): there are clashes (1): 2023-02-24 Styrelsen: Möte, 09:00-12:00: Olof Berg",
    ),
    (f"move_items: {{{MEETING}, items: [Budget]}}", "(move_items board 2023-02-24): items: there is no item 'Budget'"),
    (f"reply: {{{MEETING}, person: x, answer: absent}}", "(reply x): x is not asked to board 2023-02-24"),
    (
        f"strike: {{{MEETING}, to: board 2023-02-24, reason: Few}}",
        "(strike board 2023-02-24): to_meeting_id: is the meeting that is struck",
    ),
    ("timers: {}", "(timers): nothing is due in meetings by now"),
    (
        "bounce: {to: olof.berg@bjorka.example, status: 5.1.1}",
        "(bounce olof.berg@bjorka.example): no request or notice reached olof.berg@bjorka.example",
    ),
    (
        f"reply: {{{MEETING}, person: olof, answer: coming, via: link}}",
        "(reply olof): no mail with a link to their own page reached olof.berg@bjorka.example",
    ),
    (
        f"reply: {{{MEETING}, person: nils, answer: coming, via: link}}",
        "(reply nils): Nils Falk has no address, so nothing was mailed to them",
    ),
    (
        f"calendar_reply: {{{MEETING}, person: olof, answer: coming}}",
        "(calendar_reply olof): no invitation to that meeting reached olof.berg@bjorka.example",
    ),
    (
        f"propose_item: {{{MEETING}, person: gunnar, title: Budget}}",
        "(propose_item gunnar): there is no person gunnar",
    ),
    (
        f"answer_poll: {{{MEETING}, person: olof, times: {{2023-02-27T09:00: can}}}}",
        "(answer_poll olof): the meeting has no date poll",
    ),
    (f"call_off_poll: {{{MEETING}, reason: x}}", "(call_off_poll board 2023-02-24): the meeting has no date poll"),
    (f"open_poll: {{{MEETING}, {POLL}}}", ""),
    (
        f"open_poll: {{{MEETING}, {POLL}}}",
        "(open_poll board 2023-02-24): the meeting has a date poll that is open",
    ),
    (
        f"answer_poll: {{{MEETING}, person: olof, times: {{2023-02-27T09:00: can}}}}",
        "(answer_poll olof): no mail with a link to their own page reached olof.berg@bjorka.example",
    ),
    ("deliver_all: {}", ""),
    (
        f"answer_poll: {{{MEETING}, person: olof, times: {{2023-02-28T09:00: can}}}}",
        "(answer_poll olof): the date poll does not ask about 2023-02-28T09:00",
    ),
    (
        f"choose_date: {{{MEETING}, starts: 2023-02-24T09:00}}",
        "(choose_date board 2023-02-24): the date poll does not ask about 2023-02-24T09:00",
    ),
    (f"call_off_poll: {{{MEETING}, reason: Ingen kan}}", ""),
    (
        f"answer_poll: {{{MEETING}, person: olof, times: {{2023-02-27T09:00: can}}}}",
        "(answer_poll olof): the date poll was called off",
    ),
    (f"attach: {{{ITEM}, name: a.txt, text: b}}", "(attach Budget): items: there is no item 'Budget'"),
    (f"add_items: {{{MEETING}, items: [Budget, Skola]}}", ""),
    (f"change_item: {{{ITEM}, kind: information}}", "(change_item Budget): the item says that already"),
    (
        f"order_items: {{{MEETING}, items: [Budget, Budget]}}",
        "(order_items board 2023-02-24): items: are not the 2 of the agenda, each once",
    ),
    (f"remove_items: {{{MEETING}, items: [Skola]}}", ""),
    (
        f"remove_items: {{{MEETING}, items: [Skola]}}",
        "(remove_items board 2023-02-24): items: there is no item 'Skola'",
    ),
    ("close_body: {body: ghosts}", "(close_body ghosts): there is no body ghosts"),
    (
        f"attach: {{{ITEM}, name: a.pdf, text: b}}",
        "(attach Budget): a.pdf is not a PDF: its content is text",
    ),
    (
        f"replace_file: {{{ITEM}, name: a.txt, text: b, title: Draft}}",
        "(replace_file Budget): title: the item has no attachment 'Draft'",
    ),
    (f"attach: {{{ITEM}, name: a.txt, text: b, title: Draft}}", ""),
    (
        f"replace_file: {{{ITEM}, name: a.txt, text: b, title: Draft}}",
        "(replace_file Budget): Draft is that very file already",
    ),
    (f"publish_papers: {{{MEETING}}}", ""),
    (
        f"publish_papers: {{{MEETING}}}",
        "(publish_papers board 2023-02-24): nothing changed since the papers were published",
    ),
    (
        f"take_proposal: {{{MEETING}, title: Skola}}",
        "(take_proposal board 2023-02-24): title: there is no proposal 'Skola'",
    ),
    (f"propose_item: {{{MEETING}, person: olof, title: Skola}}", ""),
    (f"decline_proposal: {{{MEETING}, title: Skola, reason: Senare}}", ""),
    (
        f"take_proposal: {{{MEETING}, title: Skola}}",
        "(take_proposal board 2023-02-24): the proposal was declined already",
    ),
    (f"notice: {{{MEETING}}}", ""),
    ("deliver_all: {}", ""),
    (
        f"calendar_reply: {{{MEETING}, person: maja, answer: coming}}",
        "(calendar_reply maja): no invitation to that meeting reached maja.lind@norrdalen.example",
    ),
    (
        f"open_sitting: {{{MEETING}, present: [olof]}}",
        "(open_sitting board 2023-02-24): the meeting is to come, on 2023-02-24 at 09:00",
    ),
    (f"record: {{{MEETING}, do: closed}}", "(record closed): the sitting has not been opened"),
    (
        f"write_minutes: {{{MEETING}}}",
        "(write_minutes board 2023-02-24): the sitting has not been opened",
    ),
    (
        f"edit_minutes: {{{MEETING}, paragraph: Budget, text: x}}",
        "(edit_minutes Budget): no minutes are being written for this meeting",
    ),
    (
        f"open_review: {{{MEETING}, people: [olof], answer_by: 2023-01-10}}",
        "(open_review board 2023-02-24): no minutes have been drafted for this meeting",
    ),
    (f"agree_to_minutes: {{{MEETING}, person: olof}}", "(agree_to_minutes olof): nobody was asked to read the minutes"),
    (
        f"unlock: {{{MEETING}, reason: x, ip: 192.0.2.1}}",
        "(unlock board 2023-02-24): no minutes have been drafted for this meeting",
    ),
    (
        f"post_minutes: {{{MEETING}, names: [Olof Berg]}}",
        "(post_minutes board 2023-02-24): the minutes are not signed by everyone",
    ),
    (
        f"remove_posting: {{{MEETING}}}",
        "(remove_posting board 2023-02-24): the minutes are not on the notice board",
    ),
    (
        f"give_task: {{{MEETING}, paragraph: Budget, what: x, owner: olof, due: 2023-03-01}}",
        "(give_task x): no minutes have been drafted for this meeting",
    ),
    (f"finish_task: {{{MEETING}, what: x}}", "(finish_task x): the minutes: there is no task 'x'"),
    (f"cancel_meeting: {{{MEETING}, reason: x}}", ""),
    (
        f"reply: {{{MEETING}, person: olof, answer: coming, via: link}}",
        "(reply olof): there is no meeting board 2023-02-24",
    ),
    (f"calendar_reply: {{{MEETING}, person: olof, answer: coming}}", ""),
]


OF_MINUTES = f"""language: sv
timezone: Europe/Stockholm
minutes: {json.dumps(str(MINUTES))}
sender: {{name: Karin Ek, email: karin.ek@norrdalen.example}}
signers:
  - {{role: secretary, name: Maja Lind, email: maja.lind@norrdalen.example}}
  - {{role: chair, email: olof.berg@bjorka.example}}
steps:
  - {{at: 2023-01-09T09:00:00Z, create: {{ip: 192.0.2.12}}}}
"""
SIGN_FIRST = "sign: {email: maja.lind@norrdalen.example, ip: 198.51.100.7}"
SIGN_SECOND = "sign: {email: olof.berg@bjorka.example, ip: 203.0.113.66}"
SIGNED: Steps = [
    (SIGN_FIRST, "(sign maja.lind@norrdalen.example): the document has not been sent off yet"),
    ("create: {ip: 192.0.2.12}", "(create): the document has been created already"),
    ("send: {}", ""),
    (
        SIGN_SECOND,
        "(sign olof.berg@bjorka.example): it is not their turn: maja.lind@norrdalen.example has not signed",
    ),
    (
        "deliver: {to: olof.berg@bjorka.example}",
        "(deliver olof.berg@bjorka.example): no mail is waiting for olof.berg@bjorka.example",
    ),
    (
        "bounce: {to: maja.lind@norrdalen.example, status: 5.1.1}",
        "(bounce maja.lind@norrdalen.example): no request or notice reached maja.lind@norrdalen.example",
    ),
    ("deliver: {to: maja.lind@norrdalen.example}", ""),
    (
        f"new_version: {{minutes: {json.dumps(str(MINUTES))}, ip: 192.0.2.12}}",
        f"(new_version {MINUTES}): minutes of this meeting have been drafted already",
    ),
    (SIGN_FIRST, ""),
    ("deliver: {to: olof.berg@bjorka.example}", ""),
    (
        SIGN_FIRST,
        "(sign maja.lind@norrdalen.example): their place is signed already by maja.lind@norrdalen.example",
    ),
    (SIGN_SECOND, "(sign olof.berg@bjorka.example): they have not stated a name"),
    ("enter_name: {email: olof.berg@bjorka.example, name: Olof Berg, ip: 203.0.113.66}", ""),
    (SIGN_SECOND, ""),
    (
        "view: {email: olof.berg@bjorka.example, ip: 203.0.113.66}",
        "(view olof.berg@bjorka.example): the agreement is completed",
    ),
]
DECLINED: Steps = [
    ("send: {}", ""),
    ("deliver: {to: maja.lind@norrdalen.example}", ""),
    ("decline: {email: maja.lind@norrdalen.example, reason: nej, ip: 198.51.100.7}", ""),
    (
        "view: {email: maja.lind@norrdalen.example, ip: 198.51.100.7}",
        "(view maja.lind@norrdalen.example): the agreement is declined",
    ),
]


@pytest.mark.parametrize(
    ("head", "steps"),
    [
        pytest.param(HEAD, OF_A_YEAR, id="year"),
        pytest.param(OF_MINUTES, SIGNED, id="signed", marks=pytest.mark.slow),
        pytest.param(OF_MINUTES, DECLINED, id="declined", marks=pytest.mark.slow),
    ],
)
async def test_each_step_that_is_not_allowed_is_refused_in_one_line_with_its_place(
    head: str, steps: Steps, tmp_path: Path
) -> None:
    path = tmp_path / "scenario.yaml"
    lines = "".join(f"  - {{at: 2023-01-09T09:00:00Z, {step}}}\n" for step, _ in steps)
    path.write_text(head + lines, encoding="utf-8")
    scenario = load_scenario(path)
    first = head.count("\n") + 1
    expected = [
        f"step {number + 2} {why.replace('): ', f'), line {first + number}: ', 1)}" if why else ""
        for number, (_, why) in enumerate(steps)
    ]
    async with replaying(scenario) as replay:
        taken = [await refused(replay, step) for step in scenario.steps]
        assert taken == ["", *expected]


async def refused(replay: Replay, step: Step) -> str:
    try:
        await replay.take(step)
    except RefusedScenario as error:
        return error.message
    return ""
