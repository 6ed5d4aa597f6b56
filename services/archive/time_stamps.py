"""Time-stamp tokens (RFC 3161): from an authority by HTTP, or from the local test authority."""

import asyncio
import os
from datetime import UTC, datetime

from services.archive.cms import (
    CONTEXT,
    DIRECTORY_NAME,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SHA_256,
    CmsSigner,
    der,
    object_identifier,
)
from shared.errors import Unavailable

_TST_INFO = object_identifier("1.2.840.113549.1.9.16.1.4")
_TEST_POLICY = object_identifier("2.999.1")  # below the arc of examples
_VERSION_1 = der(INTEGER, b"\x01")


class RemoteTimeStamps:
    """From the authority at `url`. Uses an event loop of its own: call it in a thread from asynchronous code."""

    def __init__(self, url: str) -> None:
        from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError  # 11 MB: only where it is used

        self._stamper = HTTPTimeStamper(url)
        self._trouble = TimestampRequestError

    def __call__(self, digest: bytes) -> bytes:
        """The token for a SHA-256, as DER. Raises Unavailable."""
        try:
            token: bytes = asyncio.run(self._stamper.async_timestamp(digest, "sha256")).dump()
        except self._trouble as error:
            raise Unavailable("the time-stamp authority does not answer", hint="try again later") from error
        return token


class LocalTimeStamps:
    """Signed here, with the machine's time: for trying things out."""

    def __init__(self, signer: CmsSigner) -> None:
        self._signer = signer
        self._name = der(CONTEXT, der(DIRECTORY_NAME, signer.certificate.subject.dump()))

    def __call__(self, digest: bytes) -> bytes:
        """The token for a SHA-256, as DER."""
        serial = b"\x01" + os.urandom(15)  # positive, and never the same
        information = der(
            SEQUENCE,
            _VERSION_1,
            _TEST_POLICY,
            der(SEQUENCE, SHA_256, der(OCTET_STRING, digest)),
            der(INTEGER, serial),
            der(GENERALIZED_TIME, f"{datetime.now(UTC):%Y%m%d%H%M%SZ}".encode()),
            self._name,
        )
        return self._signer.sign_content(_TST_INFO, information)
