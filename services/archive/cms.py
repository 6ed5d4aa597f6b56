"""CMS signed data (RFC 5652) as seals and time stamps have it: one signer, SHA-256, RSA (PKCS #1 v1.5) or ECDSA.

Encoded here in DER (X.690), from parts that are the same for every signature: a general ASN.1 library in Python takes
some twenty milliseconds for it, more than all else in a seal. Made for CAdES baseline signatures (ETSI EN 319 122-1):
the signed attributes are content type, message digest and signing certificate (RFC 5035).
"""

import hashlib
from collections.abc import Callable, Sequence

from asn1crypto import algos, core, x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate

SigningKey = RSAPrivateKey | EllipticCurvePrivateKey

INTEGER, OCTET_STRING, GENERALIZED_TIME, SEQUENCE, SET = 0x02, 0x04, 0x18, 0x30, 0x31
CONTEXT = 0xA0  # plus the number: [0], [1] …, constructed
DIRECTORY_NAME = CONTEXT + 4  # of the GeneralName (RFC 5280)


def der(tag: int, *contents: bytes) -> bytes:
    """Tag, length, contents."""
    length = sum(map(len, contents))
    if length < 0x80:
        return b"".join((bytes((tag, length)), *contents))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return b"".join((bytes((tag, 0x80 | len(size))), size, *contents))


def object_identifier(dotted: str) -> bytes:
    encoded: bytes = core.ObjectIdentifier(dotted).dump()
    return encoded


DATA = object_identifier("1.2.840.113549.1.7.1")
SHA_256: bytes = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()

_SIGNED_DATA = object_identifier("1.2.840.113549.1.7.2")
_CONTENT_TYPE = object_identifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = object_identifier("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE_V2 = object_identifier("1.2.840.113549.1.9.16.2.47")
_TIME_STAMP_TOKEN = object_identifier("1.2.840.113549.1.9.16.2.14")
_VERSION_1, _VERSION_3 = der(INTEGER, b"\x01"), der(INTEGER, b"\x03")


class CmsSigner:
    """One key with its certificate, and the `chain` that is embedded beside it.

    Raises ValueError for another kind of key, or one that is not the certificate's.
    """

    def __init__(self, key: object, certificate: x509.Certificate, chain: Sequence[x509.Certificate] = ()) -> None:
        if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
            raise ValueError("the key is neither RSA nor ECDSA")
        if not _belongs(key, certificate):
            raise ValueError("the key is not the certificate's")
        self.certificate = certificate
        self._key: SigningKey = key
        self._certificates = der(CONTEXT, *sorted({one.dump() for one in (certificate, *chain)}))
        issuer, serial = certificate.issuer.dump(), core.Integer(certificate.serial_number).dump()
        self._signer = der(SEQUENCE, issuer, serial)
        scheme = "sha256_rsa" if isinstance(key, RSAPrivateKey) else "sha256_ecdsa"
        self._scheme = algos.SignedDigestAlgorithm({"algorithm": scheme}).dump()
        issued = der(SEQUENCE, der(SEQUENCE, der(DIRECTORY_NAME, issuer)), serial)
        identified = der(SEQUENCE, der(OCTET_STRING, certificate.sha256), issued)  # with SHA-256 by default
        self._signing_certificate = _attribute(_SIGNING_CERTIFICATE_V2, der(SEQUENCE, der(SEQUENCE, identified)))

    def sign_digest(self, digest: bytes, time_stamp: Callable[[bytes], bytes] | None = None) -> bytes:
        """A detached signature over data with this SHA-256, as DER.

        `time_stamp` takes the SHA-256 of the signature's value and gives a time-stamp token (RFC 3161) in DER.
        """
        attributes = self._attributes(DATA, digest)
        signature = self._sign(attributes)
        unsigned = b""
        if time_stamp is not None:
            token = time_stamp(hashlib.sha256(signature).digest())
            unsigned = der(CONTEXT + 1, _attribute(_TIME_STAMP_TOKEN, token))
        return self._signed_data(_VERSION_1, der(SEQUENCE, DATA), attributes, signature, unsigned)

    def sign_content(self, content_type: bytes, content: bytes) -> bytes:
        """Signed data that holds `content`, as DER. `content_type` is an object identifier in DER."""
        attributes = self._attributes(content_type, hashlib.sha256(content).digest())
        encapsulated = der(SEQUENCE, content_type, der(CONTEXT, der(OCTET_STRING, content)))
        return self._signed_data(_VERSION_3, encapsulated, attributes, self._sign(attributes), b"")

    def _attributes(self, content_type: bytes, digest: bytes) -> bytes:
        """The contents of a SET OF, which DER sorts."""
        digest_attribute = _attribute(_MESSAGE_DIGEST, der(OCTET_STRING, digest))
        return b"".join(sorted((_attribute(_CONTENT_TYPE, content_type), digest_attribute, self._signing_certificate)))

    def _sign(self, attributes: bytes) -> bytes:
        """What is signed is the explicit SET, not the [0] that stands in the message (RFC 5652, § 5.4)."""
        data = der(SET, attributes)
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), SHA256())
        return self._key.sign(data, ECDSA(SHA256()))

    def _signed_data(
        self, version: bytes, encapsulated: bytes, attributes: bytes, signature: bytes, unsigned: bytes
    ) -> bytes:
        signer_info = der(
            SEQUENCE,
            _VERSION_1,
            self._signer,
            SHA_256,
            der(CONTEXT, attributes),
            self._scheme,
            der(OCTET_STRING, signature),
            unsigned,
        )
        signed_data = der(SEQUENCE, version, der(SET, SHA_256), encapsulated, self._certificates, der(SET, signer_info))
        return der(SEQUENCE, _SIGNED_DATA, der(CONTEXT, signed_data))


def _attribute(kind: bytes, value: bytes) -> bytes:
    return der(SEQUENCE, kind, der(SET, value))


def _belongs(key: SigningKey, certificate: x509.Certificate) -> bool:
    return load_der_x509_certificate(certificate.dump()).public_key() == key.public_key()
