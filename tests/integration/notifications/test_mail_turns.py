"""Organisations take turns at the mailer: by the rule of `shared.turns`, in its own SQL."""

from services.notifications.delivery import store
from shared.row_security import for_all
from shared.turns import Turns
from tests.integration.notifications.conftest import MakePost
from tests.integration.notifications.post import (
    ORGANISATION,
    created,
    message,
    requested,
)
from tests.support.smtp_server import RecordingSmtpServer


async def test_one_mail_waits_for_no_thousands_of_another_organisation(
    make_post: MakePost, server: RecordingSmtpServer
) -> None:
    """Nor do mails that are due later, or that another mailer holds, cost anybody a turn."""
    post = make_post(automatic=False)
    noisy = [requested(request_id=f"r-{number}") for number in range(300)]
    await post.bring(message(created(), organisation="bjorka"), *(message(one, organisation="bjorka") for one in noisy))
    for number in range(20):
        later = f"later-{number}"
        await post.bring(message(created(), organisation=later), message(requested(), organisation=later))
    await post.bring(message(requested()))
    async with post.database.transaction() as connection:
        await connection.exec_driver_sql("SET LOCAL justera.organisations = '*'")
        await connection.exec_driver_sql(
            "UPDATE delivery SET due_at = clock_timestamp() + '1 hour' WHERE organisation LIKE 'later-%'"
        )
    turns = Turns()
    async with post.database.single() as connection:
        with for_all("a test"):
            first = await store.claim_due(connection, claim="one", lease=60, most=8, turns=turns)
            second = await store.claim_due(connection, claim="one", lease=60, most=8, turns=turns)
    assert [sum(one.organisation == of for one in first) for of in ("bjorka", ORGANISATION)] == [7, 1]
    assert len(second) == 8, "and each claim is full"
    firsts = [one for one in (*first, *second) if one.organisation == "bjorka"]
    assert {one.request_id for one in firsts} == {f"r-{number}" for number in range(15)}, "those due longest"


async def test_of_more_organisations_than_a_claim_has_rows_each_has_its_turn(make_post: MakePost) -> None:
    post = make_post(automatic=False)
    names = [f"o{number}" for number in range(9)]
    for name in names:
        asked = [requested(request_id=f"r-{number}") for number in range(3)]
        await post.bring(*(message(one, organisation=name) for one in (created(), *asked)))
    turns, claimed = Turns(), []
    async with post.database.single() as connection:
        with for_all("a test"):
            for _ in range(3):
                found = await store.claim_due(connection, claim="one", lease=60, most=4, turns=turns)
                claimed += [one.organisation for one in found]
    assert set(claimed) == set(names)
    assert len(claimed) == 12
