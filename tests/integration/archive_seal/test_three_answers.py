"""Integrity, identity and time are three answers; a name or a time that the file alone says is never `proven`."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from services.archive.findings import BROKEN, UNIDENTIFIED, UNTIMED, WHOLE, Findings, Word
from services.archive.trust import Asked, Pin, load_crls, load_roots
from services.archive.verification import verify_final, verify_history
from services.cli.main import app
from shared.errors import InvalidInput
from shared.history import verify_chain
from tests.integration.archive_seal.authorities import NOW, ORGANISATION, YEAR, Authority, Issued
from tests.integration.archive_seal.conftest import Copy, a_final

DAY = timedelta(days=1)


@dataclass
class Trusted:
    """What a careful asker has: two roots, the lists of what they revoked, and whose seal it should be."""

    root: Authority
    time_root: Authority
    seal: Issued
    stamps: Issued
    folder: Path

    def asked(self, sealed_by: str | None = f"O={ORGANISATION}", **revoked: object) -> Asked:
        crls = [self.root.crl(**revoked), self.time_root.crl()]  # type: ignore[arg-type]
        for number, one in enumerate(crls):
            (self.folder / f"{number}.crl").write_bytes(one.public_bytes(Encoding.PEM if number else Encoding.DER))
        return Asked(
            sealed_by=None if sealed_by is None else Pin.of(sealed_by),
            roots=load_roots([self.root.write(self.folder / "root.pem")]),
            time_roots=load_roots([self.time_root.write(self.folder / "time.pem")]),
            crls=load_crls([self.folder / "0.crl", self.folder / "1.crl"]),
        )


@pytest.fixture
def trusted(tmp_path: Path) -> Trusted:
    root, time_root = Authority(), Authority("Tidens rot", "Klockan AB")
    return Trusted(root, time_root, root.issue(), time_root.stamps(), tmp_path)


def words(findings: Findings) -> tuple[Word, Word, Word]:
    return findings.integrity.word, findings.identity.word, findings.time.word


def test_what_is_pinned_and_vouched_for_is_proven(trusted: Trusted, copy: Copy) -> None:
    sealed = trusted.seal.sealer(trusted.stamps).seal(copy.final)
    for sealed_by in (f"O={ORGANISATION}", f"CN=Protokoll,O={ORGANISATION}", trusted.seal.fingerprint.upper()):
        findings = verify_final(sealed, trusted.asked(sealed_by))
        assert (*words(findings), findings.status) == (Word.WHOLE, Word.PROVEN, Word.PROVEN, WHOLE), findings


def test_a_pinned_certificate_needs_no_root_and_no_list(trusted: Trusted, copy: Copy) -> None:
    sealed = trusted.seal.sealer(trusted.stamps).seal(copy.final)
    findings = verify_final(sealed, Asked(sealed_by=Pin.of(trusted.seal.fingerprint)))
    assert (findings.identity.word, findings.time.word, findings.status) == (Word.PROVEN, Word.CLAIMED, UNTIMED)


def test_a_self_made_certificate_with_the_organisations_name_proves_nothing(trusted: Trusted, copy: Copy) -> None:
    forger = Authority()
    sealed = forger.issue().sealer(forger.stamps()).seal(copy.final)
    unasked = verify_final(sealed)
    assert (*words(unasked), unasked.status) == (Word.WHOLE, Word.CLAIMED, Word.CLAIMED, UNIDENTIFIED)
    findings = verify_final(sealed, trusted.asked())
    assert (*words(findings), findings.status) == (Word.WHOLE, Word.CLAIMED, Word.CLAIMED, UNIDENTIFIED)
    assert verify_final(sealed, trusted.asked(trusted.seal.fingerprint)).identity.word is Word.REFUTED


def test_another_certificate_under_the_trusted_root_is_not_who_was_expected(trusted: Trusted, copy: Copy) -> None:
    stranger = trusted.root.issue("Protokoll", "Någon annan AB")
    sealed = stranger.sealer(trusted.stamps).seal(copy.final)
    findings = verify_final(sealed, trusted.asked())
    assert (findings.identity.word, findings.status) == (Word.REFUTED, UNIDENTIFIED)
    unpinned = verify_final(sealed, trusted.asked(None))
    assert (unpinned.identity.word, unpinned.status) == (Word.CLAIMED, UNIDENTIFIED)
    assert "--sealed-by" in unpinned.identity.text


def test_a_root_of_seals_vouches_for_no_time(trusted: Trusted, copy: Copy) -> None:
    sealed = trusted.seal.sealer(trusted.root.stamps(), NOW - DAY).seal(copy.final)
    findings = verify_final(sealed, trusted.asked())
    assert (findings.identity.word, findings.time.word, findings.status) == (Word.PROVEN, Word.CLAIMED, UNTIMED)


def test_a_backdated_stamp_of_a_self_made_authority_is_only_claimed(trusted: Trusted, copy: Copy) -> None:
    forger = Authority()
    backdated = forger.stamps(since=NOW - 9 * YEAR)
    sealed = trusted.seal.sealer(backdated, NOW - 6 * YEAR).seal(copy.final)
    for asked in (Asked(), trusted.asked()):
        assert verify_final(sealed, asked).time.word is Word.CLAIMED


def test_a_stamp_of_the_future_is_refuted(trusted: Trusted, copy: Copy) -> None:
    sealed = trusted.seal.sealer(trusted.stamps, NOW + DAY).seal(copy.final)
    assert verify_final(sealed, trusted.asked()).time.word is Word.REFUTED


def test_a_stamp_from_outside_its_certificates_life_is_refuted(trusted: Trusted, copy: Copy) -> None:
    sealed = trusted.seal.sealer(trusted.stamps, NOW - 2 * YEAR).seal(copy.final)
    assert verify_final(sealed, trusted.asked()).time.word is Word.REFUTED


def test_one_that_expired_after_an_honest_stamp_is_proven(trusted: Trusted, copy: Copy) -> None:
    expired = trusted.root.issue(since=NOW - 2 * YEAR, until=NOW - YEAR)
    stamps = trusted.time_root.stamps(since=NOW - 3 * YEAR)
    sealed = expired.sealer(stamps, NOW - 2 * YEAR + DAY).seal(copy.final)
    pinned = verify_final(sealed, trusted.asked(expired.fingerprint))
    assert (*words(pinned), pinned.status) == (Word.WHOLE, Word.PROVEN, Word.PROVEN, WHOLE), pinned
    kept = verify_final(sealed, trusted.asked(keeps_since=NOW - 5 * YEAR))
    assert (*words(kept), kept.status) == (Word.WHOLE, Word.PROVEN, Word.PROVEN, WHOLE), kept
    # Without the proof of when, it may have been sealed yesterday by who found the key; but the file is whole.
    untimed = verify_final(sealed, Asked(sealed_by=Pin.of(expired.fingerprint)))
    assert (*words(untimed), untimed.status) == (Word.WHOLE, Word.CLAIMED, Word.CLAIMED, UNIDENTIFIED)


def test_a_list_of_after_a_certificates_end_may_have_forgotten_it(trusted: Trusted, copy: Copy) -> None:
    expired = trusted.root.issue(since=NOW - 2 * YEAR, until=NOW - YEAR)
    sealed = expired.sealer(trusted.time_root.stamps(since=NOW - 3 * YEAR), NOW - 2 * YEAR + DAY).seal(copy.final)
    for said in ({}, {"keeps_since": NOW - DAY}):
        identity = verify_final(sealed, trusted.asked(**said)).identity
        assert identity.word is Word.CLAIMED
        assert "may forget" in identity.text


def test_one_that_expired_before_its_stamp_is_refuted(trusted: Trusted, copy: Copy) -> None:
    expired = trusted.root.issue(since=NOW - 2 * YEAR, until=NOW - YEAR)
    sealed = expired.sealer(trusted.stamps).seal(copy.final)
    assert verify_final(sealed, trusted.asked(expired.fingerprint)).identity.word is Word.REFUTED


@pytest.mark.parametrize(("revoked", "word"), [(NOW - 9 * DAY, Word.REFUTED), (NOW - DAY, Word.PROVEN)])
def test_revoked_is_asked_at_the_stamped_time(revoked: object, word: Word, trusted: Trusted, copy: Copy) -> None:
    sealed = trusted.seal.sealer(trusted.stamps, NOW - 5 * DAY).seal(copy.final)
    asked = trusted.asked(revoked={trusted.seal.certificate.serial_number: revoked})
    assert verify_final(sealed, asked).identity.word is word


def test_without_a_list_a_chain_proves_nothing(trusted: Trusted, copy: Copy) -> None:
    """As the EU's validator: it is INDETERMINATE whether a certificate was revoked of which nobody says so."""
    sealed = trusted.seal.sealer(trusted.stamps).seal(copy.final)
    asked = trusted.asked()
    findings = verify_final(sealed, Asked(asked.sealed_by, asked.roots, asked.time_roots))
    assert words(findings) == (Word.WHOLE, Word.CLAIMED, Word.CLAIMED)
    assert "--crl" in findings.identity.text
    assert "--crl" in findings.time.text


def test_no_stamp_no_proven_time(trusted: Trusted, copy: Copy) -> None:
    findings = verify_final(trusted.seal.sealer().seal(copy.final), trusted.asked())
    assert (*words(findings), findings.status) == (Word.WHOLE, Word.PROVEN, Word.CLAIMED, UNTIMED)


def test_a_broken_file_proves_nothing(trusted: Trusted, copy: Copy) -> None:
    sealed = trusted.seal.sealer(trusted.stamps).seal(copy.final)
    findings = verify_final(sealed + b"\n% more", trusted.asked())
    assert (*words(findings), findings.status) == (Word.BROKEN, Word.CLAIMED, Word.CLAIMED, BROKEN)


def test_erased_entries_are_counted(trusted: Trusted, copy: Copy) -> None:
    content = json.loads(copy.history)
    content["entries"][0] |= {"payload": None, "salt": None}
    erased = json.dumps(content).encode()
    verify_chain(erased)
    expected = "history: 1 entry, 1 of them erased: what those said is gone; the chain holds"
    assert expected in verify_history(erased).integrity.remarks
    final = trusted.seal.sealer().seal(a_final(copy.original, erased))
    assert expected in verify_final(final).integrity.remarks


HOSTILE = 'Norrdalen\nidentity  proven    sealed by "Norrdalen"\x1b[2K\u202e\u2028', 'x" is proven: "'


@pytest.mark.parametrize("name", HOSTILE)
def test_no_certificates_name_makes_a_line_of_its_own(name: str, copy: Copy, tmp_path: Path) -> None:
    forger = Authority()
    file = tmp_path / "protocol\n.pdf"
    file.write_bytes(forger.issue(name[:60], name[:60]).sealer(forger.stamps()).seal(copy.final))
    told = CliRunner().invoke(app, ["verify", str(file)])
    assert told.exit_code == UNIDENTIFIED
    lines = told.stdout.split("\n")[:-1]
    assert all(line.isprintable() for line in lines + told.stderr.split("\n"))
    assert sum(line.startswith('identity  claimed   sealed by "') for line in lines) == 1
    assert not any(line.startswith(("identity  proven", "ok")) for line in lines)
    assert '" is proven' not in told.stdout.replace('\\"', "")


def test_the_command_answers_by_exit_status(trusted: Trusted, copy: Copy, tmp_path: Path) -> None:
    file, history = tmp_path / "protocol.pdf", tmp_path / "history.json"
    file.write_bytes(trusted.seal.sealer(trusted.stamps).seal(copy.final))
    history.write_bytes(copy.history)
    trusted.asked()
    lists = ["--crl", str(tmp_path / "0.crl"), "--crl", str(tmp_path / "1.crl")]
    pin, roots = ["--sealed-by", trusted.seal.fingerprint], ["--trust", str(tmp_path / "root.pem")]
    subject, time = ["--sealed-by", f"O={ORGANISATION}"], ["--trust-time", str(tmp_path / "time.pem")]

    def status(*options: str, of: Path = file) -> int:
        return CliRunner().invoke(app, ["verify", str(of), *options]).exit_code

    assert status(*subject, *roots, *time, *lists) == WHOLE
    assert status(*pin, *time, *lists) == WHOLE
    assert status(*pin) == UNTIMED
    assert status() == status(*roots, *lists) == status(of=history) == UNIDENTIFIED
    assert status("--integrity-only") == status("--integrity-only", of=history) == WHOLE
    file.write_bytes(file.read_bytes() + b"\n")
    assert status("--integrity-only") == status(*pin, *time, *lists) == BROKEN


@pytest.mark.parametrize("text", ["", "Norrdalen", "12:34", "C=SE", "O="])
def test_a_pin_that_names_nobody_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Pin.of(text)


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.crl").write_text("nothing")
    with pytest.raises(InvalidInput, match=r"a\.crl"):
        load_crls([tmp_path / "a.crl"])
