"""An organisation's life: no order of steps breaks it, and each fact tells what changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.organisation import organisation as rules
from services.meetings.organisation.organisation import Organisation, OrganisationDetails
from shared.errors import InvalidInput, Refused
from shared.events import (
    OrganisationAdded,
    OrganisationChanged,
    OrganisationErased,
    OrganisationResumed,
    OrganisationSuspended,
)
from shared.names import Standing

DETAILS = OrganisationDetails(name="Kommunalförbundet Norrdalen")
NOW = datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)
STEPS = st.lists(st.sampled_from(["suspend", "resume", "rename", "same"]), max_size=20)


def step(name: str, of: Organisation, number: int) -> tuple[Organisation, Any]:
    if name == "suspend":
        return rules.suspend(of, "skäl")
    if name == "resume":
        return rules.resume(of)
    return rules.change(of, OrganisationDetails(name=f"Namn {number}") if name == "rename" else of.details)


@given(STEPS)
def test_no_order_of_steps_breaks_it(steps: list[str]) -> None:
    state, _ = rules.add("norrdalen", DETAILS)
    for number, name in enumerate(steps):
        before = state
        try:
            state, fact = step(name, before, number)
        except Refused:
            assert (name == "suspend") == (before.standing is Standing.SUSPENDED)
            assert state == before
            continue
        assert state.version == before.version + (fact is not None)
        assert (fact is None) == (state == before)
        assert state.id == "norrdalen"
        assert (state.reason == "skäl") == (state.standing is Standing.SUSPENDED)
        if name in ("rename", "same"):
            assert state.standing is before.standing


def test_each_step_is_told() -> None:
    state, added = rules.add("norrdalen", OrganisationDetails(name="  Norrdalen ", language="en"))
    assert added == OrganisationAdded(name="Norrdalen", language="en")
    state, changed = rules.change(state, DETAILS)
    assert changed == OrganisationChanged(name=DETAILS.name, language="sv")
    state, suspended = rules.suspend(state, " uppsagt ")
    assert suspended == OrganisationSuspended(reason="uppsagt")
    _, resumed = rules.resume(state)
    assert resumed == OrganisationResumed()


def test_only_a_suspended_one_is_erased_by_its_name_and_nothing_follows() -> None:
    active, _ = rules.add("norrdalen", DETAILS)
    with pytest.raises(Refused, match="not suspended"):
        rules.erase(active, "norrdalen", NOW)
    suspended, _ = rules.suspend(active, "uppsagt")
    with pytest.raises(InvalidInput, match=r"^confirm: "):
        rules.erase(suspended, "bjorka", NOW)
    erased, fact = rules.erase(suspended, "norrdalen", NOW)
    assert fact == OrganisationErased()
    assert (erased.erased_at, erased.reason, erased.details.name) == (NOW, "", ""), "no name stays"
    for step_on in (rules.suspend, rules.resume, lambda of: rules.change(of, DETAILS)):
        with pytest.raises(Refused, match="was erased"):
            step_on(erased)
    again, _ = rules.erase(erased, "norrdalen", NOW + timedelta(days=1))
    assert (again.version, again.erased_at) == (erased.version + 1, NOW)


@pytest.mark.parametrize("short", ["", "Norrdalen", "-a", "a b", "å", "x" * 64, "a/b", "a.b", "*"])
def test_what_is_no_short_name_is_refused(short: str) -> None:
    with pytest.raises(InvalidInput, match=r"^id: "):
        rules.add(short, DETAILS)


def test_its_mails_can_be_from_elsewhere() -> None:
    said = {
        "name": "Norrdalen",
        "mail_from": " Protokoll@norrdalen.example ",
        "bounce_domain": "Studs.Norrdalen.example",
    }
    _, added = rules.add("norrdalen", OrganisationDetails.model_validate(said))
    assert (added.mail_from, added.bounce_domain) == ("Protokoll@norrdalen.example", "studs.norrdalen.example")
    _, added = rules.add("norrdalen", OrganisationDetails(name="N", bounce_domain="björkå.example"))
    assert added.bounce_domain == "xn--bjrk-toa3h.example"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        *(("mail_from", given) for given in ("norrdalen.example", "N <n@n.example>", "ä@n.example", "a@b@c.example")),
        *(
            ("bounce_domain", given)
            for given in ("a@n.example", "n", "a b.example", "-a.example", "*.n.example", "a..b")
        ),
    ],
)
def test_where_mails_cannot_be_from_is_refused_in_one_line(field: str, given: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field}: [^\n]+$"):
        rules.add("norrdalen", OrganisationDetails.model_validate({"name": "N", field: given}))


def test_it_has_a_name() -> None:
    with pytest.raises(InvalidInput, match=r"^name"):
        rules.add("norrdalen", OrganisationDetails(name=" "))
