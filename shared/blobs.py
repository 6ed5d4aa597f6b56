"""Documents by reference (claim check): bytes under their SHA-256, in S3 or in a folder, through obstore.

Content addressing makes a put idempotent: a crash between storing a blob and committing its reference leaves, at worst,
bytes that nothing speaks of. The organisation is the prefix of every key.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from shared.errors import JusteraError, NotFound, TooLarge, Unavailable
from shared.events.base import BlobRef
from shared.settings import BadConfiguration

LARGEST_BLOB = 64 * 1024 * 1024
_PIECE = 1024 * 1024
_AT_ONCE = 500  # names of documents
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Altered(JusteraError):
    """The stored bytes are not those that were stored. Waiting does not mend it: a person must look."""

    slug = "altered-document"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class BlobStore:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, organisation: str, data: bytes, media_type: str) -> BlobRef:
        """Raises Unavailable when the store does not take it."""
        ref = BlobRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type)
        try:
            await obstore.put_async(self._store, _key(organisation, ref.sha256), data)
        except (BaseError, OSError) as error:
            raise Unavailable(f"the blob store did not take a document: {type(error).__name__}") from error
        return ref

    async def put_file(self, organisation: str, file: IO[bytes], media_type: str) -> BlobRef:
        """Piece by piece, from the beginning; never all of it in memory. Raises Unavailable."""
        ref = await asyncio.to_thread(_described, file, media_type)
        file.seek(0)
        try:
            await obstore.put_async(self._store, _key(organisation, ref.sha256), _pieces(file))
        except (BaseError, OSError) as error:
            raise Unavailable(f"the blob store did not take a document: {type(error).__name__}") from error
        return ref

    async def get(self, organisation: str, ref: BlobRef) -> bytes:
        """The bytes, checked against their hash. Raises NotFound, TooLarge, Altered, or Unavailable."""
        if ref.size > LARGEST_BLOB:
            raise TooLarge(f"the document {ref.sha256[:12]} is larger than {LARGEST_BLOB} bytes")
        try:
            result: Any = await obstore.get_async(self._store, _key(organisation, ref.sha256))
            data = bytes(await result.bytes_async())
        except FileNotFoundError as error:
            raise NotFound(f"the document {ref.sha256[:12]} is not in the blob store") from error
        except (BaseError, OSError) as error:
            raise Unavailable(f"the blob store does not answer: {type(error).__name__}") from error
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise Altered(f"the document {ref.sha256[:12]} was altered in the blob store")
        return data

    async def names(self, organisation: str) -> AsyncIterator[str]:
        """The hashes of all that is stored of an organisation, spoken of or not, in no order. Raises Unavailable."""
        try:
            async for some in obstore.list(self._store, prefix=f"{organisation}/", chunk_size=_AT_ONCE):
                for one in some:
                    if _SHA256.fullmatch(name := one["path"].rpartition("/")[2]):
                        yield name
        except (BaseError, OSError) as error:
            raise Unavailable(f"the blob store does not answer: {type(error).__name__}") from error

    async def erase(self, organisation: str) -> int:
        """All that is stored of an organisation. Nobody else's is there: its name is the prefix of every key. How many
        there were. Raises Unavailable.
        """
        count = 0
        names = [name async for name in self.names(organisation)]
        try:
            for first in range(0, len(names), _AT_ONCE):
                paths = [_key(organisation, name) for name in names[first : first + _AT_ONCE]]
                await obstore.delete_async(self._store, paths)
                count += len(paths)
        except FileNotFoundError:  # another process erases, too
            pass
        except (BaseError, OSError) as error:
            raise Unavailable(f"the blob store does not erase: {type(error).__name__}") from error
        return count

    async def pieces(self, organisation: str, sha256: str) -> AsyncIterator[bytes]:
        """The bytes as they are stored, unchecked, never all of them in memory. Raises NotFound, Unavailable."""
        try:
            result = await obstore.get_async(self._store, _key(organisation, sha256))
            async for piece in result.stream(min_chunk_size=_PIECE):
                yield bytes(piece)
        except FileNotFoundError as error:
            raise NotFound(f"the document {sha256[:12]} is not in the blob store") from error
        except (BaseError, OSError) as error:
            raise Unavailable(f"the blob store does not answer: {type(error).__name__}") from error


def open_blobs(location: str) -> BlobStore:
    """`file:FOLDER` (made when missing) or `s3://bucket/prefix` (credentials from AWS_… variables)."""
    if location.startswith("file:"):
        folder = Path(location.removeprefix("file:")).absolute()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return BlobStore(LocalStore(folder))
    if location.startswith("s3://"):
        return BlobStore(S3Store.from_url(location))
    raise BadConfiguration(f"JUSTERA_BLOBS: {location!r} is neither file:FOLDER nor s3://bucket/prefix")


def _described(file: IO[bytes], media_type: str) -> BlobRef:
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(file):
        digest.update(piece)
        size += len(piece)
    return BlobRef(sha256=digest.hexdigest(), size=size, media_type=media_type)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _key(organisation: str, sha256: str) -> str:
    return f"{organisation}/{sha256[:2]}/{sha256}"
