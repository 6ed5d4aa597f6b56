"""The seal, as implementations that are not ours see it: poppler, OpenSSL and veraPDF."""

import hashlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps import HTTPTimeStamper

from services.archive import local_authority
from services.archive.findings import Word
from services.archive.local_authority import TestAuthority, ensure_test_authority
from services.archive.seal import Sealer
from services.archive.trust import Asked, Pin, load_roots
from services.archive.verification import verify_final
from shared.errors import InvalidInput, Unavailable
from shared.rendering.render import render_minutes
from shared.settings import BadConfiguration, Settings
from tests.integration.archive_seal.conftest import Copy
from tests.integration.archive_seal.stamping import openssl_authority
from tests.integration.rendering.sample import CREATED, sample_minutes
from tests.integration.rendering.tools import assert_conforms, page_texts, poppler
from tests.support.parts import missing


@pytest.fixture
def sealed(copy: Copy, tmp_path: Path) -> Path:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(copy.sealed)
    return path


def test_the_sealed_file_begins_with_the_given_one(copy: Copy) -> None:
    assert copy.sealed.startswith(copy.final)


def test_a_signature_that_has_grown_is_given_more_room(
    copy: Copy, sealer: Sealer, authority_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer, "_room", 2000)
    assert_signed_for_openssl(sealer.seal(copy.final), authority_folder / "authority.pem", tmp_path)


_TIME_STAMP = "signature_time_stamp_token"


def test_poppler_finds_the_seal_valid_over_the_whole_file(sealed: Path) -> None:
    told = poppler("pdfsig", str(sealed))
    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "Justera test seal" in told


def test_openssl_verifies_the_signature_and_its_chain(copy: Copy, authority_folder: Path, tmp_path: Path) -> None:
    assert_signed_for_openssl(copy.sealed, authority_folder / "authority.pem", tmp_path)


def assert_signed_for_openssl(data: bytes, root: Path, tmp_path: Path) -> None:
    (seal,) = PdfFileReader(BytesIO(data)).embedded_regular_signatures
    start, length, resume, rest = (int(number) for number in seal.byte_range)
    (tmp_path / "content").write_bytes(data[start : start + length] + data[resume : resume + rest])
    (tmp_path / "signature").write_bytes(seal.pkcs7_content)
    command = ["cms", "-verify", "-inform", "DER", "-in", str(tmp_path / "signature"), "-binary"]
    command += ["-content", str(tmp_path / "content"), "-out", str(tmp_path / "verified"), "-purpose", "any"]
    openssl(*command, "-CAfile", str(root))


def openssl(*arguments: str) -> None:
    if shutil.which("openssl") is None:
        missing("openssl", "openssl is not installed")
    finished = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_openssl_verifies_the_time_stamp(copy: Copy, authority_folder: Path, tmp_path: Path) -> None:
    """The token is over the value of the signature that it stands in."""
    (seal,) = PdfFileReader(BytesIO(copy.sealed)).embedded_regular_signatures
    (token,) = (one["values"][0] for one in seal.signer_info["unsigned_attrs"] if one["type"].native == _TIME_STAMP)
    (tmp_path / "token").write_bytes(token.dump())
    digest = hashlib.sha256(seal.signer_info["signature"].native).hexdigest()
    command = ["ts", "-verify", "-token_in", "-in", str(tmp_path / "token"), "-digest", digest]
    openssl(*command, "-CAfile", str(authority_folder / "authority.pem"))


def test_a_remote_authority_stamps_the_time(authority_folder: Path, copy: Copy) -> None:
    """openssl answers as the authority."""
    with openssl_authority(ensure_test_authority(authority_folder)) as url:
        sealed = Sealer.from_test_authority(authority_folder, HTTPTimeStamper(url)).seal(copy.final)
    findings = verify_final(sealed)
    assert findings.broken is None
    assert findings.time.word is Word.CLAIMED
    roots = load_roots([authority_folder / "timestamp.pem"])
    assert verify_final(sealed, Asked(time_roots=roots)).time.word is Word.PROVEN


@pytest.mark.parametrize("kind", ["rsa", "p-384"])
def test_keys_of_other_kinds_seal_too(kind: str, copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configured keys are what they are, and so are those of a test authority that an earlier version made."""
    keys = {
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }
    monkeypatch.setattr(local_authority, "_new_key", keys[kind])
    path = tmp_path / "sealed.pdf"
    path.write_bytes(Sealer.from_test_authority(tmp_path / "ca").seal(copy.final))
    (certificate,) = load_roots([tmp_path / "ca" / "seal.pem"])
    asked = Asked(sealed_by=Pin(fingerprint=certificate.sha256.hex()))
    assert verify_final(path.read_bytes(), asked).identity.word is Word.PROVEN
    assert "Signature is Valid" in poppler("pdfsig", str(path))
    assert_signed_for_openssl(path.read_bytes(), tmp_path / "ca" / "authority.pem", tmp_path)


def test_several_threads_share_a_sealer(sealer: Sealer, copy: Copy) -> None:
    with ThreadPoolExecutor(4) as pool:
        copies = list(pool.map(sealer.seal, [copy.final] * 12))
    assert [verify_final(pdf).broken for pdf in copies] == [None] * 12


def test_sealing_keeps_the_file_fit_for_archiving_and_accessible(sealed: Path) -> None:
    assert_conforms(sealed)


def test_the_seal_says_on_the_page_that_it_is_a_test(sealed: Path) -> None:
    *others, last = [" ".join(words) for words in page_texts(sealed)]
    assert "Testsigill – inte betrott · Test seal – not trusted" in last
    assert not any("Testsigill" in page for page in others)


def test_a_document_with_one_level_of_tags_can_be_sealed_too(sealer: Sealer, tmp_path: Path) -> None:
    path = tmp_path / "minutes.pdf"
    path.write_bytes(sealer.seal(render_minutes(sample_minutes(), at=CREATED)))
    assert_conforms(path)


def test_nothing_is_sealed_twice(sealer: Sealer, copy: Copy) -> None:
    with pytest.raises(InvalidInput, match="already"):
        sealer.seal(copy.sealed)


@pytest.mark.parametrize("damaged", [b"", b"no PDF", b"%PDF-1.7\n%%EOF\n"])
def test_what_is_no_pdf_is_not_sealed(sealer: Sealer, damaged: bytes) -> None:
    with pytest.raises(InvalidInput, match="no readable PDF"):
        sealer.seal(damaged)


def test_without_a_time_stamp_the_seal_still_stands(authority_folder: Path, copy: Copy, tmp_path: Path) -> None:
    authority = ensure_test_authority(authority_folder)
    path = tmp_path / "untimed.pdf"
    path.write_bytes(Sealer.from_pem(authority.seal_key, authority.seal_certificate).seal(copy.final))
    assert "Signature is Valid" in poppler("pdfsig", str(path))


def test_pkcs12_works_as_configured(authority_folder: Path, copy: Copy, tmp_path: Path) -> None:
    path = tmp_path / "seal.p12"
    path.write_bytes(_as_pkcs12(ensure_test_authority(authority_folder), b"secret"))
    configured = Settings(seal_pkcs12=path, seal_passphrase="secret")  # type: ignore[arg-type]
    assert Sealer.from_settings(configured).seal(copy.final).startswith(copy.final)
    with pytest.raises(BadConfiguration, match="SEAL_PKCS12"):
        Sealer.from_settings(Settings(seal_pkcs12=path, seal_passphrase="wrong"))  # type: ignore[arg-type]


def test_a_seal_must_be_configured() -> None:
    with pytest.raises(BadConfiguration, match="SEAL_PKCS12 is not set"):
        Sealer.from_settings(Settings())


def test_a_silent_time_stamp_authority_is_told(authority_folder: Path, copy: Copy) -> None:
    nobody = Settings(seal_test_authority=authority_folder, seal_timestamp_url="http://127.0.0.1:9/tsa")
    with pytest.raises(Unavailable, match="time-stamp authority"):
        Sealer.from_settings(nobody).seal(copy.final)


def _as_pkcs12(authority: TestAuthority, passphrase: bytes) -> bytes:
    key = serialization.load_pem_private_key(authority.seal_key.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(authority.seal_certificate.read_bytes())
    encryption = serialization.BestAvailableEncryption(passphrase)
    return pkcs12.serialize_key_and_certificates(b"seal", key, certificate, None, encryption)  # type: ignore[arg-type]
