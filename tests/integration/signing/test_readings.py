"""How many statements a reading takes: each is a round trip that a page waits for."""

import pytest
from sqlalchemy import event

from shared.errors import NotFound
from tests.integration.signing.flow import ORGANISATION, Flow
from tests.unit.signing.story import AGREEMENT_ID, SECRETARY


@pytest.fixture
async def asked(flow: Flow) -> list[str]:
    """The statements since the sending off, but for that which says once on a connection for whom they are."""
    await flow.draft()
    await flow.send_off()
    statements: list[str] = []
    event.listen(
        flow.service.database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: "set_config" in statement or statements.append(statement),
    )
    return statements


async def test_no_sealed_copy_is_looked_for_before_there_can_be_one(flow: Flow, asked: list[str]) -> None:
    await flow.queries.agreement(ORGANISATION, AGREEMENT_ID)
    await flow.queries.agreements(ORGANISATION)
    assert len(asked) == 4
    assert not any("sealed_copy" in statement for statement in asked)


async def test_a_signers_document_takes_one_reading(flow: Flow, asked: list[str]) -> None:
    """What the document is, and what it was set from, is told with the request."""
    request_id = await flow.id(SECRETARY)
    asked.clear()
    view = await flow.queries.request(ORGANISATION, request_id, 1)
    with pytest.raises(NotFound):  # nothing was ever put there: the blob store was asked
        await flow.queries.document(ORGANISATION, view.document)
    assert await flow.queries.minutes(ORGANISATION, view.render_input) is None
    assert len(asked) == 1
