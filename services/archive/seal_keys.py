"""What makes a seal's signature and the local test authority's time stamps: pyHanko, with its keys loaded once."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Self

from asn1crypto import cms, tsp, x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.timestamps import TimeStamper

from services.archive import asn1_lengths as asn1_lengths  # a mend

_DIGEST = "sha256"
_TEST_POLICY = "2.999.1"  # below the arc of examples


class LoadedKeySigner(SimpleSigner):
    """pyHanko's signer loads its key for each signature, and OpenSSL checks an RSA key fully: 33 ms. Here, once."""

    @classmethod
    def of(cls, signer: SimpleSigner) -> Self:
        """The same certificate, key and chain."""
        return cls(signing_cert=signer.signing_cert, signing_key=signer.signing_key, cert_registry=signer.cert_registry)

    @cached_property
    def _loaded(self) -> Any:
        return load_der_private_key(self.signing_key.dump(), password=None)

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        mechanism = self.get_signature_mechanism_for_digest(digest_algorithm).signature_algo
        if isinstance(self._loaded, RSAPrivateKey) and (mechanism, digest_algorithm) == ("rsassa_pkcs1v15", _DIGEST):
            return self._loaded.sign(data, PKCS1v15(), SHA256())
        signature: bytes = super().sign_raw(data, digest_algorithm)
        return signature


class LocalTimeStamper(TimeStamper):
    """Time stamps (RFC 3161) signed here, with the machine's time: for trying things out."""

    def __init__(self, signer: SimpleSigner, now: Callable[[], datetime] | None = None) -> None:
        holder: x509.Certificate = signer.signing_cert
        super().__init__()  # type: ignore[no-untyped-call]
        self._signer = LoadedKeySigner.of(signer)
        self._now = now or partial(datetime.now, UTC)
        self._name = x509.GeneralName("directory_name", holder.subject)

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        information = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": tsp.ObjectIdentifier(_TEST_POLICY),
                "message_imprint": req["message_imprint"],
                "serial_number": secrets.randbits(120),
                "gen_time": self._now().replace(microsecond=0),
                "nonce": req["nonce"],
                "tsa": self._name,
            }
        )
        content = cms.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": cms.ParsableOctetString(information.dump())}
        )
        token = await self._signer.async_sign_general_data(content, _DIGEST, detached=False)
        return tsp.TimeStampResp({"status": tsp.PKIStatusInfo({"status": "granted"}), "time_stamp_token": token})
