"""A length that ends in the byte 0x80 is as good as any other."""

from typing import Any

import pytest
from asn1crypto import cms, core

from services.archive import asn1_lengths as asn1_lengths


class _Counted(core.OctetString):
    written = 0

    def dump(self, force: bool = False) -> Any:
        type(self).written += force
        return super().dump(force)


class _Level(core.SequenceOf):
    _child_spec = _Counted


@pytest.mark.parametrize("length", [0x80 - 2, 0x180 - 4])
def test_a_definite_length_is_written_as_it_is(length: int) -> None:
    inner = core.OctetString(bytes(length)).dump()
    level = _Level.load(b"\x30" + (b"\x81\x80" if length < 0x80 else b"\x82\x01\x80") + inner)
    assert level[0].native == bytes(length)
    _Counted.written = 0
    assert level.dump() == level._header + inner
    assert _Counted.written == 0


def test_an_indefinite_length_is_still_made_definite() -> None:
    loaded = core.SequenceOf.load(b"\x30\x80\x04\x01a\x00\x00", spec=core.OctetString)
    assert loaded.dump() == b"\x30\x03\x04\x01a"


def test_a_sequence_too() -> None:
    attribute = cms.CMSAttribute({"type": "content_type", "values": ["data"]})
    assert cms.CMSAttribute.load(attribute.dump()).dump() == attribute.dump()
