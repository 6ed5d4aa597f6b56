"""A mend for asn1crypto 1.5.1, which pyHanko stands on, applied when this module is imported.

Its `dump` takes a header that ends in the byte 0x80 for one of indefinite length, and then encodes all below anew, at
each level twice. But a definite length ends so too (`30 82 01 80`: 384 bytes): by chance one seal in some twenty took
half a minute instead of a tenth of a second, with the lease of its job gone meanwhile, and a certificate can be made so
on purpose. An indefinite length is one byte right behind the tag (X.690, § 8.1.3.6).
"""

from typing import Any

from asn1crypto import core


def _only_if_indefinite(encoding: type) -> None:
    as_it_was = encoding.dump  # type: ignore[attr-defined]

    def dump(self: Any, force: bool = False) -> Any:
        if not force and _ends_definitely_in_80(self._header):
            return core.Asn1Value.dump(self)
        return as_it_was(self, force)

    encoding.dump = dump  # type: ignore[attr-defined]


def _ends_definitely_in_80(header: bytes | None) -> bool:
    if header is None or header[-1:] != b"\x80":
        return False
    tag_bytes = 1
    if header[0] & 0x1F == 0x1F:  # a tag of several bytes, each but the last with its highest bit set
        while header[tag_bytes] & 0x80:
            tag_bytes += 1
        tag_bytes += 1
    return len(header) > tag_bytes + 1


for _encoding in (core.Sequence, core.SequenceOf):
    _only_if_indefinite(_encoding)
