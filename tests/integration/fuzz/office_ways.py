"""How each form of meetings' pages is reached and honestly filled in: a form that is added gets a line here."""

from dataclasses import dataclass, field

from tests.integration.pages.members import DAYS

_MEETING = "/office/meetings/{meeting_id}"
_WRITING = f"{_MEETING}/manuscript"
_PARAGRAPH = "/office/meetings/{written_id}/manuscript/paragraphs/{piece_id}"


@dataclass(frozen=True)
class Way:
    """`page`: where the form stands, empty where it is the form's own address; None: on no page of this house.

    `fields`: of an honest post, beside what the page fills in; names in braces are ids.
    """

    page: str | None = ""
    fields: dict[str, str] = field(default_factory=dict)
    loose: bool = False
    """An honest post may be refused, or changes nothing."""


WAYS: dict[str, Way] = {
    "/office/meetings/new": Way(
        fields={"body": "{body_id}", "date": "2022-11-03", "begins_at": "13:00", "ends_at": "15:00", "mode": "digital"}
    ),
    f"{_MEETING}/elections": Way(None),
    f"{_MEETING}/change": Way(fields={"begins_at": "13:30"}),
    f"{_MEETING}/cancel": Way(fields={"reason": "Sjukdom."}),
    "/office/plan": Way(fields={"text": "plan: a", "act": "check"}, loose=True),
    "/office/register": Way(fields={"text": "people: {a: {name: A B}}", "act": "check"}, loose=True),
    "/office/bodies/new": Way(fields={"name": "Nätverket"}),
    "/office/bodies/{body_id}/change": Way(fields={"name": "Förbundsstyrelsen"}),
    "/office/bodies/{body_id}/close": Way(),
    "/office/letterhead": Way(fields={"colour": "#7a1f5f"}),
    "/office/letterhead/remove": Way(None),
    "/office/bodies/{body_id}/members/new": Way(fields={"person": "{free_id}"}),
    "/office/bodies/{body_id}/members/{membership_id}": Way(fields={"begins": "2022-01-01"}),
    "/office/bodies/{body_id}/members/{membership_id}/end": Way(),
    "/office/people/new": Way(fields={"name": "Sven Dahl"}),
    "/office/people/{person_id}/change": Way(fields={"party": "C"}),
    "/office/people/{person_id}/leave": Way(),
    "/office/people/{person_id}/end-links": Way(),
    f"{_MEETING}/agenda/new": Way(fields={"item_title": "Resor"}),
    f"{_MEETING}/agenda/begin": Way(None),
    "/office/items/{item_id}": Way(fields={"proposal": "Att bifalla."}),
    "/office/items/{item_id}/step": Way(f"{_MEETING}/agenda", loose=True),
    "/office/items/{item_id}/move": Way(fields={"to_meeting": "{other_id}", "reason": "Kostnaden saknas."}),
    "/office/items/{item_id}/remove": Way(),
    f"{_MEETING}/notice": Way(fields={"what": "preliminary"}),
    f"{_MEETING}/remind": Way("/office/meetings/{told_id}"),
    f"{_MEETING}/replies/{{person_id}}": Way(fields={"said": "absent"}),
    "/office/items/{item_id}/attachments": Way(),
    "/office/attachments/{attachment_id}": Way(fields={"attachment_title": "Budget"}),
    "/office/attachments/{attachment_id}/versions": Way("/office/attachments/{attachment_id}"),
    "/office/attachments/{attachment_id}/step": Way("/office/items/{item_id}/attachments", loose=True),
    "/office/attachments/{attachment_id}/remove": Way(),
    f"{_MEETING}/annexes": Way(),
    f"{_MEETING}/annexes/{{annex_id}}/remove": Way(f"{_MEETING}/annexes"),
    f"{_MEETING}/papers": Way(),
    f"{_MEETING}/proposals": Way(fields={"until": "2022-11-01"}),
    f"{_MEETING}/proposals/{{proposal_id}}/take": Way(f"{_MEETING}/proposals"),
    f"{_MEETING}/proposals/{{proposal_id}}/decline": Way(fields={"reason": "En annan tar den."}),
    f"{_MEETING}/strike": Way(fields={"reason": "Krockar.", "to_meeting": "{other_id}", "act": "look"}, loose=True),
    f"{_MEETING}/poll/new": Way(fields={"own_day_1": "2022-12-02", "answer_by": "2022-10-14"}),
    "/office/polls/{poll_id}/choose/{time}": Way(),
    "/office/polls/{poll_id}/answers/{person_id}": Way(fields=dict.fromkeys(DAYS, "can")),
    "/office/polls/{poll_id}/call-off": Way(fields={"reason": "Mässan flyttas."}),
    f"{_MEETING}/minutes/unlock": Way("/office/meetings/{held_id}/minutes/unlock", fields={"reason": "Fel i § 37."}),
    f"{_MEETING}/review/new": Way("/office/meetings/{unopened_id}/review/new", fields={"note": "Särskilt § 38."}),
    "/office/reviews/{review_id}/comments/{comment_id}": Way("/office/reviews/{review_id}"),
    "/office/reviews/{review_id}/people/{person_id}/ask-again": Way(None),
    "/office/reviews/{review_id}/send": Way("/office/reviews/{review_id}"),
    "/office/reviews/{review_id}/call-off": Way(fields={"reason": "Skrivs om."}),
    "/member/{person_id}/reviews/{review_id}": Way(fields={"comment-37": "Fel namn.", "act": "comment"}),
    "/office/decisions/{meeting_id}/{paragraph}/task": Way(
        fields={"what": "Ta fram", "owner": "person:{person_id}", "due": "2022-11-20"}
    ),
    "/office/tasks/{task_id}/change": Way(fields={"what": "Ta fram mer"}),
    "/office/tasks/{task_id}/done": Way("/office/tasks/{task_id}", fields={"task_note": "Klart."}),
    "/office/tasks/{task_id}/withdraw": Way("/office/tasks/{task_id}", fields={"reason": "Gavs av misstag."}),
    "/office/tasks/{task_id}/take": Way("/office/meetings/{other_id}/agenda"),
    f"{_MEETING}/sitting/open": Way("/office/meetings/{unopened_id}/sitting"),
    f"{_MEETING}/sitting/say": Way("/office/meetings/{held_id}/sitting", loose=True),
    f"{_MEETING}/sitting/correct": Way(
        "/office/meetings/{held_id}/sitting/steps", fields={"reason": "Fel person."}, loose=True
    ),
    f"{_MEETING}/sitting/steps/{{number}}": Way(
        "/office/meetings/{held_id}/sitting/steps/{number}", fields={"reason": "Fel person."}
    ),
    f"{_MEETING}/sitting/steps/{{number}}/after": Way(
        "/office/meetings/{held_id}/sitting/steps/{number}/after?do=guest_arrived",
        fields={"name": "Agnes Frost", "reason": "Glömdes."},
        loose=True,
    ),
    f"{_MEETING}/publish": Way("/office/meetings/{signed_id}/publish", fields={"names": "Olof Berg"}, loose=True),
    f"{_MEETING}/publish/remove": Way(None, loose=True),
    f"{_WRITING}/write": Way(None),
    f"{_WRITING}/catch-up": Way(None, loose=True),
    f"{_WRITING}/forward": Way("/office/meetings/{written_id}/manuscript/forward", loose=True),
    f"{_WRITING}/fields": Way("/office/meetings/{written_id}/manuscript/fields", fields={"minutes_place": "Älvsund"}),
    f"{_WRITING}/word": Way("/office/meetings/{written_id}/manuscript/word", loose=True),
    f"{_WRITING}/add": Way("/office/meetings/{written_id}/manuscript", fields={"heading": "Resor"}),
    f"{_WRITING}/discard": Way("/office/meetings/{written_id}/manuscript"),
    f"{_WRITING}/paragraphs/{{piece_id}}": Way(_PARAGRAPH, fields={"below": "Annan text."}),
    f"{_WRITING}/paragraphs/{{piece_id}}/step": Way("/office/meetings/{written_id}/manuscript", loose=True),
    f"{_WRITING}/paragraphs/{{piece_id}}/remove": Way(_PARAGRAPH),
    f"{_WRITING}/paragraphs/{{piece_id}}/at-once": Way(f"{_PARAGRAPH}/at-once", loose=True),
    f"{_WRITING}/paragraphs/{{piece_id}}/unlock": Way(None, loose=True),
    "/member/{person_id}/meetings/{meeting_id}/answer": Way(
        "/member/{person_id}/meetings/{meeting_id}", fields={"answer": "coming"}
    ),
    "/member/{person_id}/meetings/{meeting_id}/propose": Way(fields={"item_title": "Logotyp"}),
    "/member/{person_id}/polls/{poll_id}": Way(fields=dict.fromkeys(DAYS, "can")),
}
