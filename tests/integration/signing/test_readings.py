"""How many statements a reading takes: each is a round trip that a page waits for."""

from sqlalchemy import event

from tests.integration.signing.flow import ORGANISATION, Flow
from tests.unit.signing.story import AGREEMENT_ID


async def test_no_sealed_copy_is_looked_for_before_there_can_be_one(flow: Flow) -> None:
    await flow.draft()
    await flow.send_off()
    asked: list[str] = []
    event.listen(
        flow.service.database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: asked.append(statement),
    )
    await flow.queries.agreement(ORGANISATION, AGREEMENT_ID)
    await flow.queries.agreements(ORGANISATION)
    assert len(asked) == 4
    assert not any("sealed_copy" in statement for statement in asked)
