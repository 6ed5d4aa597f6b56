"""docs/decisions: each record has a number of its own, in its name and in its heading."""

import re

from tests.unit.deploy.manifests import ROOT

RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_each_record_has_a_number_of_its_own() -> None:
    numbers = [int(path.name[:4]) for path in RECORDS]
    headings = [path.read_text(encoding="utf-8").splitlines()[0] for path in RECORDS]
    assert len(set(numbers)) == len(numbers) > 20
    assert [int(re.findall(r"^# (\d+)", heading)[0]) for heading in headings] == numbers
