"""For whom the work in hand may touch rows: said at the doors, and not inherited."""

import asyncio
import re
from pathlib import Path

import pytest

from shared.row_security import EVERYBODY, NOBODY, act_for, acting_for, acting_within, for_all, policies, scope
from shared.workers import Worker

ROOT = Path(__file__).parents[3]
# Who may work for all organisations at once, and how often each asks for it: the installation's own work.
FOR_ALL = {
    "services/archive/archiving.py": 1,
    "services/archive/journal.py": 1,
    "services/archive/journal_months.py": 1,
    "services/archive/queries.py": 3,
    "services/notifications/commands.py": 1,
    "services/notifications/delivery/instance.py": 1,
    "services/notifications/delivery/mailer.py": 2,
    "services/notifications/inbox/transport.py": 1,
    "shared/erasing.py": 1,
    "shared/messaging/inbound.py": 2,
    "shared/messaging/relay.py": 1,
    "shared/passed_sessions.py": 2,
    "shared/timers.py": 1,
}


def test_nobody_is_acted_for_before_a_door_says_so() -> None:
    assert scope() == NOBODY
    with acting_for("norrdalen", "bjorka", "norrdalen"):
        assert scope() == "bjorka,norrdalen"
        with acting_for():
            assert scope() == NOBODY
    assert scope() == NOBODY


def test_those_who_share_a_transaction_are_all_acted_for() -> None:
    with acting_within("norrdalen", "bjorka,norrdalen", NOBODY):
        assert scope() == "bjorka,norrdalen"
    with acting_within("norrdalen", EVERYBODY):
        assert scope() == EVERYBODY
    with acting_within():
        assert scope() == NOBODY


@pytest.mark.parametrize("name", ["", "*", "a,b", "a'", "a b", "å"])
def test_what_is_no_name_names_nobody(name: str) -> None:
    with pytest.raises(ValueError, match="no organisation's name"):
        act_for(name)


async def test_a_worker_acts_for_nobody_whoever_started_it() -> None:
    seen, done = [], asyncio.Event()

    async def step() -> None:
        seen.append(scope())
        done.set()
        await asyncio.sleep(10)

    worker = Worker("watched", step, drain=0.0)
    with for_all("a test"):
        worker.start()
        await done.wait()
    await worker.stop()
    assert seen == [NOBODY]


def test_who_works_for_all_organisations_is_on_a_short_list() -> None:
    found = {
        str(file.relative_to(ROOT)): count
        for folder in ("services", "shared")
        for file in (ROOT / folder).rglob("*.py")
        if file.name != "row_security.py"
        and (count := len(re.findall(r"\bfor_all\(|EVERYBODY\b", _without_imports(file))))
    }
    assert found == FOR_ALL | {"shared/migrations.py": 1}


def test_only_the_database_itself_opens_connections() -> None:
    """By another way nobody says for whom it is. The relay reads the outbox alone; migrations and pings no rows."""
    around = re.compile(r"\bengine\.(connect|begin)\(|\basyncpg\.connect\(")
    found = {
        str(file.relative_to(ROOT))
        for folder in ("services", "shared")
        for file in (ROOT / folder).rglob("*.py")
        if around.search(file.read_text(encoding="utf-8"))
    }
    allowed = {"shared/database.py", "shared/migrations.py", "shared/messaging/relay.py"}
    assert found == allowed | {"services/embedded/postgres.py"}


def test_policies_are_forced_upon_the_owner() -> None:
    made = policies("a")
    assert made[0].startswith("CREATE POLICY own_organisation ON a USING (")
    assert made[1:] == ("ALTER TABLE a ENABLE ROW LEVEL SECURITY", "ALTER TABLE a FORCE ROW LEVEL SECURITY")


def _without_imports(file: Path) -> str:
    return "\n".join(line for line in file.read_text(encoding="utf-8").splitlines() if "import " not in line)
