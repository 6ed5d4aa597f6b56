"""The signature dictionary of a seal (ISO 32000-1, § 12.8), and how it is signed once its place in the file is known.

pyHanko could do it, but its signing half takes 11 MB of a process that stays, of which the seal needs none.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.extensions import DeveloperExtension, DevExtensionMultivalued
from pyhanko.pdf_utils.generic import pdf_date, pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

# Tells readers of PDF 1.7 to expect PAdES (ETSI EN 319 142-1, § 5.6).
_PADES = DeveloperExtension(
    prefix_name=pdf_name("/ESIC"),
    base_version=pdf_name("/1.7"),
    extension_level=1,
    compare_by_level=True,
    multivalued=DevExtensionMultivalued.NEVER,
)
_LARGEST = 9_999_999_999  # of an offset: keeps the place that the numbers of /ByteRange need
_NO_CHANGES = 1


class NoRoom(ValueError):
    """A signature that is longer than the room kept for it."""


def add_value(
    writer: IncrementalPdfFileWriter, *, room: int, reason: str, name: str, at: datetime
) -> generic.IndirectObject:
    """A certifying signature without its signature, for which `room` bytes are kept. `at` is aware."""
    value = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Sig"),
            pdf_name("/Filter"): pdf_name("/Adobe.PPKLite"),
            pdf_name("/SubFilter"): pdf_name("/ETSI.CAdES.detached"),
            pdf_name("/Contents"): generic.ByteStringObject(bytes(room)),
            pdf_name("/ByteRange"): generic.ArrayObject(map(generic.NumberObject, (0, _LARGEST, _LARGEST, _LARGEST))),
            pdf_name("/M"): pdf_date(at),
            pdf_name("/Name"): pdf_string(name),
            pdf_name("/Reason"): pdf_string(reason),
            pdf_name("/Reference"): generic.ArrayObject([_no_changes()]),
        }
    )
    reference: generic.IndirectObject = writer.add_object(value)
    writer.root["/Perms"] = generic.DictionaryObject({pdf_name("/DocMDP"): reference})
    writer.update_root()
    writer.register_extension(_PADES)
    return reference


def _no_changes() -> generic.DictionaryObject:
    parameters = {
        pdf_name("/Type"): pdf_name("/TransformParams"),
        pdf_name("/V"): pdf_name("/1.2"),
        pdf_name("/P"): generic.NumberObject(_NO_CHANGES),
    }
    return generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/SigRef"),
            pdf_name("/TransformMethod"): pdf_name("/DocMDP"),
            pdf_name("/TransformParams"): generic.DictionaryObject(parameters),
        }
    )


def sign_written(file: BytesIO, begins: int, room: int, sign_digest: Callable[[bytes], bytes]) -> None:
    """Fills in the value that `add_value` made, which stands after offset `begins`. Raises NoRoom.

    All of the file but the signature itself is signed: `sign_digest` takes its SHA-256.
    """
    written = file.getvalue()
    contents = written.index(b"<%s>" % (b"00" * room), begins)
    rest = contents + 2 * room + 2
    numbers = re.compile(rb"/ByteRange *(\[[^]]*%d[^]]*\])" % _LARGEST).search(written, begins)
    if numbers is None:
        raise ValueError("the file has no value to be signed")
    file.seek(numbers.start(1))
    file.write((b"[0 %d %d %d]" % (contents, rest, len(written) - rest)).ljust(len(numbers[1])))
    with file.getbuffer() as buffer:
        digest = hashlib.sha256(buffer[:contents])
        digest.update(buffer[rest:])
    signature = sign_digest(digest.digest())
    if len(signature) > room:
        raise NoRoom(f"the signature takes {len(signature)} bytes; there are {room}")
    file.seek(contents + 1)
    file.write(signature.hex().encode())
