"""What goes along when an organisation is exported: each table is spoken of, and nothing opens a door."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from services.embedded.exporting import holdings_of
from shared.holdings import Holdings, faults
from shared.names import SERVICES

_OPENS = ("token", "secret", "password", "cookie", "claim", "salt")
_NO_SECRETS = {
    "history_entry.salt",  # without it nobody can check a history; the entry's payload stands beside it
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_of_organisations_is_exported_or_left_out_with_a_reason(service: str) -> None:
    holdings = holdings_of(service)
    assert faults(holdings) == []
    assert all(holdings.said_left_out().values())


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_that_opens_a_door_is_exported(service: str) -> None:
    columns = {f"{one.table.name}.{name}" for one in holdings_of(service).taken() for name in one.columns}
    assert {name for name in columns if any(word in name for word in _OPENS)} <= _NO_SECRETS


def test_a_table_that_nobody_spoke_of_is_a_fault() -> None:
    metadata = MetaData()
    for name in ("body", "person"):
        Table(name, metadata, Column("organisation", Text, primary_key=True), Column("id", Integer, primary_key=True))
    Table("other", metadata, Column("id", Integer, primary_key=True))
    assert faults(Holdings((metadata,), exported=("body",))) == ["person is neither exported nor left out"]
    assert faults(Holdings((metadata,), exported=("body", "person", "other"))) == [
        "other is no table with organisation"
    ]
    twice = Holdings((metadata,), exported=("body", "person"), left_out={"body": "it is large"})
    assert faults(twice) == ["body is said twice"]
    keyless = Holdings((metadata,), exported=("body", "person"), without={"body": {"id": "nobody needs it"}})
    assert faults(keyless) == ["body cannot be without ['id']"], "rows are read in the order of their key"
