"""A paragraph that is approved at once: its number, its own document, and what the whole minutes say of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.meetings.minutes.at_once import Adjusted, Approved, alone, before_it, held, next_version, with_adjusted
from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from services.meetings.minutes.revision import Version
from shared.errors import Refused
from tests.unit.meetings.test_minutes import BODY, FRONT

WHOLE = number_paragraphs(parse_minutes(FRONT + BODY), 28)
SIGNED = datetime(2022, 9, 23, 22, 30, tzinfo=UTC)
ONE = Adjusted(-1, "a" * 44, "Protokoll § 29", 29, 2022, 28, 29, SIGNED, signed_at=SIGNED)


def test_its_own_document_has_the_one_paragraph_and_who_was_there_for_it() -> None:
    own = alone(WHOLE, 29)
    assert [one.number for one in own.paragraphs] == [29]
    assert own.title == "Protokoll styrelsen § 29"
    left = WHOLE.present[1].model_copy(update={"paragraphs": ((28, 28),)})
    own = alone(WHOLE.model_copy(update={"present": (WHOLE.present[0], left)}), 29)
    assert [one.name for one in own.present] == ["Olof Berg"]
    assert [(one.name, one.paragraphs) for one in own.absent] == [("Sven Dahl", ())]


def test_the_whole_says_when_and_by_whom_it_was_approved() -> None:
    made = with_adjusted(WHOLE, [Approved(ONE, alone(WHOLE, 29))])
    [told, *_] = made.paragraphs[1].blocks
    assert told.runs[0].text == (  # type: ignore[union-attr]
        "Paragrafen justerades omedelbart 24 september 2022 av Maja Lind, Olof Berg och Sven Dahl."
    )
    assert made.paragraphs[0] == WHOLE.paragraphs[0]
    assert with_adjusted(WHOLE, []) == WHOLE


def test_who_signed_is_who_approved_it_whoever_was_asked() -> None:
    made = with_adjusted(WHOLE, [Approved(ONE, alone(WHOLE, 29), ("Olof Berg", "Petra Holm"))])
    assert made.paragraphs[1].blocks[0].runs[0].text.endswith(" av Olof Berg och Petra Holm.")  # type: ignore[union-attr]


def test_each_agreement_about_a_paragraph_is_a_version_of_it() -> None:
    ended = Adjusted(-2, "b" * 44, "Protokoll § 30", 30, 2022, 28, 30, SIGNED, ended="declined")
    assert before_it([ended, ONE], 30, "p", "Val") == (2, "b" * 44)
    assert before_it([ended, ONE], 29, "p", "Val") == (2, "a" * 44)
    assert before_it([ended, ONE], 28, "p", "Val") == (1, None)


def test_what_got_the_number_of_another_paragraph_is_no_version_of_it() -> None:
    ended = replace(ONE, piece="p", heading="Val", ended="declined", signed_at=None)
    assert before_it([ended], 29, "q", "Ekonomi") == (1, None)
    assert before_it([ended], 29, "p", "Val av revisor") == (2, "a" * 44), "it has another heading since"
    assert before_it([ended], 29, "q", "Val") == (2, "a" * 44), "it was written anew"


@pytest.mark.parametrize("changed", [{"heading": "Annat"}, {"blocks": ()}, {"number": 31}])
def test_it_stands_as_it_was_approved_or_the_whole_is_refused(changed: dict[str, object]) -> None:
    other = WHOLE.paragraphs[1].model_copy(update=changed)
    with pytest.raises(Refused, match="§ 29 Övriga frågor was approved at once"):
        with_adjusted(
            WHOLE.model_copy(update={"paragraphs": (WHOLE.paragraphs[0], other)}), [Approved(ONE, alone(WHOLE, 29))]
        )


def test_the_rest_waits_for_it() -> None:
    out = Adjusted(-1, "a" * 44, "Protokoll § 29", 29, 2022, 28, 29, SIGNED)
    with pytest.raises(Refused, match="out to be approved"):
        with_adjusted(WHOLE, [Approved(out, alone(WHOLE, 29))])


def test_one_paragraph_is_approved_once_and_not_beside_the_whole() -> None:
    ended = Adjusted(-2, "b" * 44, "Protokoll § 30", 30, 2022, 28, 30, SIGNED, ended="declined")
    assert next_version([], 29, None) == -1
    assert next_version([ended, ONE], 30, None) == -3
    with pytest.raises(Refused, match="§ 29 is approved at once already"):
        next_version([ended, ONE], 29, None)
    whole = Version(1, "c" * 44, 2022, 28, 30, None)
    with pytest.raises(Refused, match="have been put forward already"):
        next_version([], 29, whole)
    signing = Adjusted(-1, "a" * 44, "Protokoll § 29", 29, 2022, 28, 29, SIGNED, unlocked=True)
    with pytest.raises(Refused, match="§ 29 is approved at once already"):
        next_version([signing], 29, None)  # its last signature may have been quicker than the unlocking


def test_a_meetings_numbers_follow_what_was_put_forward_last() -> None:
    ended = Adjusted(-2, "b" * 44, "Protokoll § 30", 30, 2022, 28, 30, SIGNED, ended="declined")
    later = Version(1, "c" * 44, 2022, 28, 32, "cancelled", drafted_at=SIGNED + timedelta(days=1))
    assert held(later, [ONE]) is later
    before = Version(1, "c" * 44, 2022, 28, 32, "cancelled", drafted_at=SIGNED - timedelta(days=1))
    longer = held(before, [ONE])
    assert longer is not None
    assert (longer.first, longer.last) == (28, 29)
    assert held(before, []) is before
    assert held(None, []) is None
    holds = held(None, [ended, ONE])
    assert holds is not None
    assert (holds.first, holds.last) == (28, 30)
