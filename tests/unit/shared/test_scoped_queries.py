"""The eye of `tests/integration/fuzz/test_organisations.py` sees what it should."""

import pytest

from tests.support.scoped_queries import unscoped

TABLES = {"meeting", "minutes", "timer"}


@pytest.mark.parametrize(
    ("sql", "bad"),
    [
        ("SELECT 1 FROM meeting WHERE meeting.organisation = $1 AND meeting.id = $2", []),
        ("SELECT 1 FROM meeting WHERE meeting.id = $1", ["meeting"]),
        ("SELECT meeting.organisation FROM meeting AS m WHERE m.id = $1 ORDER BY organisation", ["meeting"]),
        ("SELECT 1 FROM meeting JOIN minutes ON minutes.organisation = meeting.organisation", ["meeting", "minutes"]),
        ("SELECT 1 FROM meeting, minutes WHERE meeting.organisation = $1 AND minutes.id = meeting.id", ["minutes"]),
        ("DELETE FROM timer WHERE (organisation, kind) IN (SELECT organisation, kind FROM timer)", ["timer"] * 2),
        ("UPDATE meeting SET title = $1 WHERE id = $2", ["meeting"]),
        ("INSERT INTO meeting (id, title) VALUES ($1, $2)", ["meeting"]),
        ("INSERT INTO meeting (organisation, id) VALUES ($1, $2)", []),
    ],
)
def test_a_query_that_does_not_is_found(sql: str, bad: list[str]) -> None:
    assert unscoped(sql, TABLES) == bad
