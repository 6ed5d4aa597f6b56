"""Steps of a year that the system does not allow, all in one replay: each is refused in one line, and changes nothing
that stands in the way of the next."""

from pathlib import Path

from services.embedded.replay import Replay, replaying
from services.embedded.scenario import RefusedScenario, Step, load_scenario

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
"""
MEETING = "meeting: board 2023-02-24"
ITEM = f"{MEETING}, item: Budget"
POLL = "answer_by: 2023-02-01, times: [{starts: 2023-02-27T09:00, ends: 2023-02-27T12:00}]"

# Each step, and why it is refused; one without is done.
STEPS: list[tuple[str, str]] = [
    (
        "schedule_meeting: {body: board, title: Möte, place: Forsby, starts: 2023-02-24T09:00, ends: 2023-02-24T12:00}",
        "",
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
    (f"add_items: {{{MEETING}, items: [Budget]}}", ""),
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
    (f"cancel_meeting: {{{MEETING}, reason: x}}", ""),
    (
        f"reply: {{{MEETING}, person: olof, answer: coming, via: link}}",
        "(reply olof): there is no meeting board 2023-02-24",
    ),
    (f"calendar_reply: {{{MEETING}, person: olof, answer: coming}}", ""),
]


async def test_each_step_that_is_not_allowed_is_refused_in_one_line_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    steps = "".join(f"  - {{at: 2023-01-09T09:00:00Z, {step}}}\n" for step, _ in STEPS)
    path.write_text(HEAD + steps, encoding="utf-8")
    scenario = load_scenario(path)
    first = HEAD.count("\n") + 1
    expected = [
        f"step {number + 2} {why.replace('): ', f'), line {first + number}: ', 1)}" if why else ""
        for number, (_, why) in enumerate(STEPS)
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
