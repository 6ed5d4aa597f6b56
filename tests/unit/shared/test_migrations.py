import pytest
from alembic.script import ScriptDirectory

from shared.migrations import _config, newest_revision
from shared.names import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_the_newest_file_holds_the_revision_that_alembic_takes_for_the_head(service: str) -> None:
    assert ScriptDirectory.from_config(_config(service)).get_heads() == [newest_revision(service)]
