"""`justera organisation export`: everything of one organisation, nothing of another, whole or not at all."""

import asyncio
import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.embedded.exporting import export, holdings_of
from shared import organisations
from shared.blobs import open_blobs
from shared.errors import NotFound, Refused
from shared.names import SERVICES
from shared.row_security import acting_for
from shared.settings import Settings, load_settings
from tests.integration.meetings.test_organisations import NOW
from tests.integration.organisations.filled import OURS, THEIRS, add_people, connected, fill, word_of
from tests.support.postgres import Postgres

PEOPLE = 250


@pytest.fixture
async def settings(postgres: Postgres, tmp_path: Path) -> Settings:
    url = await postgres.create_service_databases(migrated=True)
    return load_settings(database_url=url, blobs=f"file:{tmp_path / 'blobs'}")


def _unobserved(what: str, more: int, total: int) -> None: ...


async def test_everything_of_one_organisation_is_in_the_package_and_nothing_of_another(
    settings: Settings, tmp_path: Path
) -> None:
    await fill(settings)
    with acting_for(OURS):
        async with connected(settings, "meetings") as connection:
            await add_people(connection, OURS, PEOPLE)
    blobs = open_blobs(settings.blobs)
    ours = await blobs.put(OURS, word_of(OURS).encode(), "text/plain")
    await blobs.put(THEIRS, word_of(THEIRS).encode(), "text/plain")

    seen: list[tuple[int, int]] = []
    folder = tmp_path / "package"
    done = await export(settings, OURS, folder, lambda _, more, total: seen.append((more, total)))

    check = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    checked = subprocess.run(check, cwd=folder, check=False)  # noqa: ASYNC221
    assert checked.returncode == 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (done.blobs, done.missing, done.altered) == (1, [], [])
    assert done.rows + done.blobs == sum(more for more, _ in seen) == seen[0][1]
    assert (folder / "blobs" / ours.sha256[:2] / ours.sha256).read_bytes() == word_of(OURS).encode()
    for service in SERVICES:
        told = manifest["services"][service]
        assert told["schema"].startswith(f"{service}_")
        for taken in holdings_of(service).taken():
            rows = _rows(folder / service / f"{taken.table.name}.ndjson")
            assert len(rows) == told["tables"][taken.table.name]["rows"] >= 1, taken.table.name
            assert set(rows[0]) == set(taken.columns)
    assert len({one["id"] for one in _rows(folder / "meetings" / "person.ndjson")}) == PEOPLE + 1
    assert _rows(folder / "archive" / "journal.ndjson")[0]["body"] == "\\x" + word_of(OURS).encode().hex()
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert word_of(THEIRS).encode() not in everything
    assert word_of(THEIRS).encode().hex().encode() not in everything
    assert "login_session" in manifest["services"]["signing"]["left_out"]


async def test_documents_that_are_missing_or_altered_are_named(settings: Settings, tmp_path: Path) -> None:
    await fill(settings)
    blobs = open_blobs(settings.blobs)
    kept = await blobs.put(OURS, b"as it was", "text/plain")
    (tmp_path / "blobs" / OURS / kept.sha256[:2] / kept.sha256).write_bytes(b"as it is")
    gone = hashlib.sha256(b"gone").hexdigest()
    ref = json.dumps({"size": 4, "sha256": gone, "media_type": "text/plain"})
    with acting_for(OURS):
        async with connected(settings, "signing") as connection:
            await _execute(connection, "UPDATE sealed_copy SET pdf = CAST(:ref AS jsonb)", ref=ref)
        done = await export(settings, OURS, tmp_path / "package.zip", _unobserved)
    assert (done.missing, done.altered) == ([gone], [kept.sha256])
    with zipfile.ZipFile(tmp_path / "package.zip") as package:
        assert package.testzip() is None
        told = json.loads(package.read("manifest.json"))["blobs"]
    assert (told["missing"], told["altered"]) == ([gone], [kept.sha256])


@pytest.mark.parametrize("name", ["package", "package.zip"])
async def test_a_package_is_there_whole_or_not_at_all(name: str, settings: Settings, tmp_path: Path) -> None:
    await fill(settings)
    target = tmp_path / "out" / name
    target.parent.mkdir()

    def stopped(what: str, more: int, total: int) -> None:
        if what.startswith("notifications"):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await export(settings, OURS, target, stopped)
    assert list(target.parent.iterdir()) == []
    left = target.with_name(f".{name}.unfinished")  # of a run that was killed
    left.write_bytes(b"half")
    await export(settings, OURS, target, _unobserved)
    assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o077 == 0, "for its owner alone"
    with pytest.raises(Refused, match="there already"):
        await export(settings, OURS, target, _unobserved)


async def test_of_an_organisation_of_which_nothing_is_there_no_package_is_made(
    settings: Settings, tmp_path: Path
) -> None:
    for unknown in ("nobody", "no/body"):
        with pytest.raises(NotFound):
            await export(settings, unknown, tmp_path / "package", _unobserved)
    with acting_for(OURS):
        async with connected(settings, "meetings") as connection:
            await organisations.save(connection, OURS, 1, NOW, organisations.erased(NOW))
    with pytest.raises(NotFound, match="was erased"):
        await export(settings, OURS, tmp_path / "package", _unobserved)
    assert not (tmp_path / "package").exists()


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def _execute(connection: Any, statement: str, **given: Any) -> None:
    await connection.execute(text(statement), given)
