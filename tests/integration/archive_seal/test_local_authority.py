import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509

from services.archive.local_authority import ensure_test_authority


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    authority = ensure_test_authority(tmp_path / "data" / "ca")
    for key in (authority.seal_key, authority.timestamp_key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


def test_every_certificate_says_that_it_is_a_test(tmp_path: Path) -> None:
    for path in ensure_test_authority(tmp_path / "ca").folder.glob("*.pem"):
        assert "Justera test" in x509.load_pem_x509_certificate(path.read_bytes()).subject.rfc4514_string()


def test_the_authority_cannot_issue_more(tmp_path: Path) -> None:
    names = {path.name for path in ensure_test_authority(tmp_path / "ca").folder.iterdir()}
    assert names == {"authority.pem", "seal.pem", "seal.key", "timestamp.pem", "timestamp.key"}


def test_a_second_start_finds_the_first_ones(tmp_path: Path) -> None:
    first = ensure_test_authority(tmp_path / "ca").seal_certificate.read_bytes()
    assert ensure_test_authority(tmp_path / "ca").seal_certificate.read_bytes() == first


def test_two_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ensure_test_authority, [tmp_path / "ca"] * 4))
    assert len({authority.seal_key.read_bytes() for authority in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["ca"], "nothing is left aside"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "thesis.odt").write_text("years of work")
    with pytest.raises(FileExistsError, match="no test authority"):
        ensure_test_authority(tmp_path / "ca")
    assert (tmp_path / "ca" / "thesis.odt").read_text() == "years of work"
