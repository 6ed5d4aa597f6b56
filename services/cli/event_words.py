"""What a line of `justera events` says of a fact about a meeting, beside what stands in every line. Pure.

Whoever can write to Kafka chose what is in a body: nothing in it is taken to be of its type.
"""

from collections.abc import Callable, Mapping
from typing import Any

Body = Mapping[str, Any]


def words_of(name: str, body: Any) -> list[str]:
    """Columns; none for a fact that needs no more words."""
    words = _WORDS.get(name)
    if words is None or not isinstance(body, dict):
        return []
    return [said for said in words(body) if said]


def _scheduled(body: Body) -> list[str]:
    hours = f"{_text(body.get('starts')).replace('T', ' ')} to {_text(body.get('ends'))[-5:]}"
    return [f"{_text(body.get('title'))} of {body.get('body')}, {hours}", _text(body.get("place"))]


def _cancelled(body: Body) -> list[str]:
    return [f"{_text(body.get('title'))} of {body.get('body')}", _text(body.get("reason"))]


def _drafted(body: Body) -> list[str]:
    first, last = body.get("first_paragraph"), body.get("last_paragraph")
    numbers = f"§ {first}" if first == last else f"§§ {first}-{last}"
    return [f"{_text(body.get('document_name'))}, {numbers}/{body.get('year')}, version {body.get('version')}"]


def _of_draft(body: Body) -> list[str]:
    return [f"{_text(body.get('document_name'))}, version {body.get('version')}", _text(body.get("reason"))]


def _body_known(body: Body) -> list[str]:
    return [f"{_text(body.get('name'))}, {_text(body.get('kind')).replace('_', ' ')}"]


def _body_closed(body: Body) -> list[str]:
    return [f"last day {body.get('on')}"]


def _seat(body: Body) -> list[str]:
    order = f" {body['order']}" if body.get("order") else ""
    basis = body.get("basis")
    by = f"by § {basis.get('paragraph')}/{basis.get('year')} of {basis.get('body')}" if isinstance(basis, dict) else ""
    term = f"{_text(body.get('begins'))}/{_text(body.get('ends'))}"
    role = _text(body.get("role")).replace("_", " ")
    return [f"{body.get('person_id')} {role}{order}", term if term != "/" else "", by]


def _plan(body: Body) -> list[str]:
    changes = body.get("changes")
    kinds = [_text(one.get("kind")) for one in changes if isinstance(one, dict)] if isinstance(changes, list) else []
    told = f"to {_count(body)}" if body.get("tell") is not False else "nobody is mailed"
    what = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return [f"{body.get('plan')} {body.get('year')} of {body.get('body')}, {told}", what]


def _person(body: Body) -> list[str]:
    return [_text(body.get("name")), "" if body.get("email") else "no address"]


def _issued(body: Body) -> list[str]:
    changes = ", ".join(_texts(body.get("changes")))
    return [f"{body.get('kind')} of {_meeting(body)} to {_count(body)}", f"changed: {changes}" if changes else ""]


def _reminded(body: Body) -> list[str]:
    return [f"{_count(body)} asked again about {_meeting(body)}"]


def _withdrawn(body: Body) -> list[str]:
    what = "no longer asked to" if body.get("cancelled") is False else "called off"
    other = body.get("taken_over_by")
    starts = _text(other.get("starts")).replace("T", " ") if isinstance(other, dict) else ""
    items = f"its items go to {starts}" if starts else ""
    return [f"{what} {_meeting(body)}, to {_count(body)}", _text(body.get("reason")), items]


def _papers(body: Body) -> list[str]:
    late = ", ".join(_texts(body.get("late")))
    told = f"to {_count(body)}" if body.get("told") is not False else "nobody is mailed"
    return [f"of {_meeting(body)}, {told}", f"late: {late}" if late else ""]


def _reply(body: Body) -> list[str]:
    return [f"{body.get('person_id')} {body.get('answer')} by {body.get('via')}", _text(body.get("comment"))]


def _left_empty(body: Body) -> list[str]:
    return [f"the place of {body.get('person_id')}"]


def _unreached(body: Body) -> list[str]:
    return [f"{body.get('email')} about {_meeting(body)}", _text(body.get("diagnostic"))]


def _proposed(body: Body) -> list[str]:
    return [f"{_text(body.get('item'))} by {body.get('person_id')} for {_meeting(body)}, to {_count(body)}"]


def _settled(body: Body) -> list[str]:
    return [f"{_text(body.get('item'))} {body.get('how')} for {_meeting(body)}", _text(body.get("reason"))]


def _quorum(body: Body) -> list[str]:
    said = ", ".join(f"{body.get(name)} {name}" for name in ("coming", "absent", "unanswered"))
    return [f"{_meeting(body)} needs {body.get('needed')}: {said}"]


def _moved(body: Body) -> list[str]:
    left = f"{body.get('from_body')} {_day(body.get('from_starts'))}"
    to = f"to {body.get('to_body')} {_day(body.get('to_starts'))}" if body.get("to_meeting_id") else "and waits"
    how = _text(body.get("how")).replace("_", " ")
    return [f"{_text(body.get('title'))}: {how} from {left} {to}", _text(body.get("reason"))]


def _poll_opened(body: Body) -> list[str]:
    times = body.get("times")
    starts = [_text(one.get("starts")) for one in times if isinstance(one, dict)] if isinstance(times, list) else []
    return [f"{', '.join(starts)} for {body.get('title')}, to {_count(body)} by {body.get('answer_by')}"]


def _poll_closed(body: Body) -> list[str]:
    chosen = body.get("chosen")
    if isinstance(chosen, dict):
        return [f"{chosen.get('starts')} for {body.get('title')}"]
    return [f"called off for {body.get('title')}, to {_count(body)}", _text(body.get("reason"))]


def _poll_unreached(body: Body) -> list[str]:
    return [f"{body.get('email')} about {body.get('title')}", _text(body.get("status")), _text(body.get("diagnostic"))]


def _review_opened(body: Body) -> list[str]:
    return [f"{body.get('document_name')}, to {_count(body)} by {body.get('answer_by')}", _text(body.get("note"))]


def _review_commented(body: Body) -> list[str]:
    paragraphs = body.get("paragraphs")
    numbers = ", ".join(str(one) for one in paragraphs) if isinstance(paragraphs, list) else ""
    return [f"{body.get('name')} on {f'§ {numbers}' if numbers else 'the whole'} of {body.get('document_name')}"]


def _review_unreached(body: Body) -> list[str]:
    return [f"{body.get('email')} about {body.get('document_name')}", _text(body.get("diagnostic"))]


def _review_agreed(body: Body) -> list[str]:
    return [f"{body.get('name')} to {body.get('document_name')}, {body.get('waiting_for')} left"]


def _review_closed(body: Body) -> list[str]:
    return [f"{body.get('document_name')}: {_text(body.get('outcome')).replace('_', ' ')}", _text(body.get("reason"))]


def _task_given(body: Body) -> list[str]:
    owner = _text(body.get("owner_id")) or _text(body.get("owner_role"))
    back = f"back at meeting {body['back_on']}" if body.get("back_on") else ""
    if body.get("back_day"):
        back = f"back on {body['back_day']}"
    return [f"{_text(body.get('what'))}: {owner} by {body.get('due')}", _of_minutes(body), back]


def _task_due(body: Body) -> list[str]:
    when = "today" if body.get("reminder") == "day" else "within a week"
    return [f"{_text(body.get('what'))}: {when}, {body.get('due')}, to {_count(body)}", _of_minutes(body)]


def _task_done(body: Body) -> list[str]:
    return [_text(body.get("what")), _text(body.get("note")), _of_minutes(body)]


def _task_withdrawn(body: Body) -> list[str]:
    return [_text(body.get("what")), _text(body.get("reason")), _of_minutes(body)]


def _of_minutes(body: Body) -> str:
    return f"§ {body.get('paragraph')} of {body.get('body')} {body.get('held_on')}"


def _posted(body: Body) -> list[str]:
    edition = body.get("edition")
    until = body.get("remove_on")
    return [
        f"{body.get('document_name')} posted {body.get('posted_on')}, until {until or 'somebody removes it'}",
        f"edition {edition}" if edition != 1 else "",
        "in the archive" if body.get("in_archive") else "",
        f"{body.get('masks')} masked" if body.get("masks") else "",
    ]


def _organisation(body: Body) -> list[str]:
    return [_text(body.get("name"))]


def _suspended(body: Body) -> list[str]:
    return [_text(body.get("reason"))]


def _posting_removed(body: Body) -> list[str]:
    kept = "stays in the archive" if body.get("is_readable") else ""
    return [f"{body.get('document_name')} by {body.get('by')}", kept]


def _publication_deadline(body: Body) -> list[str]:
    of = f"{body.get('body')} {body.get('held_on')}" + (f", § {body['paragraph']}" if body.get("paragraph") else "")
    return [f"{of}: to {body.get('deadline')} by {body.get('due')}, {_count(body)} told"]


def _extract(body: Body) -> list[str]:
    recipient = body.get("recipient")
    email = _text(recipient.get("email")) if isinstance(recipient, dict) else ""
    until = f"opens until {_day(body.get('opens_until'))}" if body.get("opens_until") else ""
    of = f"extract {body.get('number')}, § {body.get('paragraph')} of {body.get('document_name')}"
    return [f"{of}, to {email}", until, _text(body.get("diagnostic"))]


def _meeting(body: Body) -> str:
    return f"{body.get('body')} {_text(body.get('starts')).replace('T', ' ')}"


def _count(body: Body) -> str:
    people = body.get("people")
    return str(len(people)) if isinstance(people, list) else "0"


def _day(moment: Any) -> str:
    return _text(moment)[:10]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [_text(one) for one in value] if isinstance(value, list) else []


_WORDS: Mapping[str, Callable[[Body], list[str]]] = {
    "ExtractSent": _extract,
    "ExtractLinkEnded": _extract,
    "ExtractUnreached": _extract,
    "MeetingScheduled": _scheduled,
    "MeetingChanged": _scheduled,
    "MeetingCancelled": _cancelled,
    "ProtocolDrafted": _drafted,
    "ProtocolUnlocked": _of_draft,
    "ProtocolReleased": _of_draft,
    "BodyRegistered": _body_known,
    "BodyChanged": _body_known,
    "BodyClosed": _body_closed,
    "MembershipBegun": _seat,
    "MembershipChanged": _seat,
    "MembershipEnded": _seat,
    "PlanAdopted": _plan,
    "PersonRegistered": _person,
    "PersonChanged": _person,
    "NoticeIssued": _issued,
    "NoticeReminded": _reminded,
    "NoticeWithdrawn": _withdrawn,
    "PapersPublished": _papers,
    "ReplyReceived": _reply,
    "SeatLeftEmpty": _left_empty,
    "NoticeUnreached": _unreached,
    "QuorumAtRisk": _quorum,
    "ItemProposalReceived": _proposed,
    "ItemProposalSettled": _settled,
    "ItemMoved": _moved,
    "DatePollOpened": _poll_opened,
    "DatePollClosed": _poll_closed,
    "DatePollUnreached": _poll_unreached,
    "MinutesPosted": _posted,
    "MinutesPostingRemoved": _posting_removed,
    "OrganisationAdded": _organisation,
    "OrganisationChanged": _organisation,
    "OrganisationSuspended": _suspended,
    "OrganisationResumed": _organisation,
    "OrganisationErased": _organisation,
    "PublicationDeadlineNeared": _publication_deadline,
    "PublicationDeadlineMissed": _publication_deadline,
    "ReviewOpened": _review_opened,
    "ReviewUnreached": _review_unreached,
    "ReviewCommented": _review_commented,
    "ReviewAgreed": _review_agreed,
    "ReviewClosed": _review_closed,
    "TaskGiven": _task_given,
    "TaskChanged": _task_given,
    "TaskDue": _task_due,
    "TaskDone": _task_done,
    "TaskWithdrawn": _task_withdrawn,
}
