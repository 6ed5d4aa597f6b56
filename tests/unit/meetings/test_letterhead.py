"""What a letterhead may hold: a readable colour, and a logo in which nothing runs and nothing is loaded."""

import base64
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.letterhead import letterhead as rules
from services.meetings.letterhead.letterhead import LetterheadDetails, LogoFile, cleaned, contrast_on_white
from services.meetings.letterhead.logo import MOST_BYTES, logo_type
from shared.errors import InvalidInput, Refused
from shared.rendering.minutes import Letterhead

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 4 4">{}</svg>'


def png(width: int = 2, height: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x20\x40\x80\xff" * 2) * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def svg(inside: str) -> bytes:
    return SVG.format(inside).encode()


GRADIENT = '<defs><linearGradient id="a"><stop stop-color="#123"/></linearGradient></defs><rect fill="url(#a)"/>'


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(), "png"),
        (svg('<path d="M0 0h4v4z"/>'), "svg"),
        (svg(GRADIENT), "svg"),
        (
            b'\xef\xbb\xbf<?xml version="1.0"?><!-- a --><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">' + svg(""),
            "svg",
        ),
    ],
)
def test_a_logo_is_told_by_its_content(content: bytes, kind: str) -> None:
    assert logo_type(content) == kind


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"GIF89a", "neither a PNG nor an SVG"),
        (png() + b"x" * MOST_BYTES, "at most 64 KiB"),
        (png(60_000, 60_000), "at most 2000 pixels"),
        (png()[:20], "damaged PNG"),
        (b"<html></html>", "is no SVG"),
        (b"<svg/>", "is no SVG"),
        (svg("<script>alert(1)</script>"), "<script>"),
        (svg('<g onload="a()"/>'), "a script in it"),
        (svg('<image href="https://a.example/x.png"/>'), "<image>"),
        (svg("<foreignObject/>"), "<foreignObject>"),
        (svg('<use href="#a"/>'), "<use>"),
        (svg("<text>Norrdalen</text>"), "<text>"),
        (svg('<linearGradient xlink:href="https://a.example/#x"/>'), "from elsewhere"),
        (svg('<rect style="fill: url( https://a.example/x )"/>'), "from elsewhere"),
        (svg("<style>@im\\70ort 'https://a.example'</style>"), "from elsewhere"),
        (svg("<style>@import 'https://a.example'</style>"), "from elsewhere"),
        (svg("<style>@im&#112;ort 'https://a.example'</style>"), "from elsewhere"),
        (svg("<style>g { fill: u&#114;l(https://a.example) }</style>"), "from elsewhere"),
        (svg("<style>@im<!-- -->port 'https://a.example'</style>"), "from elsewhere"),
        (svg("<style>@im<![CDATA[port]]> 'https://a.example'</style>"), "from elsewhere"),
        (svg("<style>@im<title>a</title>port 'https://a.example'</style>"), "from elsewhere"),
        (svg("""<rect style="mask: image-set('https://a.example' 1x)"/>"""), "from elsewhere"),
        (svg('<x:script xmlns:x="http://www.w3.org/1999/xhtml"/>'), "another language"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"), "declarations of its own"),
        (b'<?xml-stylesheet href="https://a.example/x.css"?>' + svg(""), "a style from elsewhere"),
        (svg("<g>"), "cannot be read as SVG"),
        (svg("<g/>" * 2001), "more than 2000 shapes"),
    ],
)
def test_what_runs_or_loads_or_is_none_is_refused_with_one_sentence(content: bytes, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        logo_type(content)
    assert why in caught.value.message
    assert caught.value.message.startswith("logo: ")
    assert "\n" not in caught.value.message


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda inside: b"<svg" + inside))
def test_any_bytes_are_a_logo_or_refused(content: bytes) -> None:
    with suppress(InvalidInput):
        logo_type(content)


@pytest.mark.parametrize(("colour", "contrast"), [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54)])
def test_contrast_is_reckoned_as_wcag_does(colour: str, contrast: float) -> None:
    assert contrast_on_white(colour) == pytest.approx(contrast, abs=0.01)


@pytest.mark.parametrize(
    ("details", "why"),
    [
        ({"colour": "#777777"}, "colour: is too light"),
        ({"colour": "red"}, "colour: must be such as"),
        ({"logo": LogoFile(content="å", alt="a")}, "logo: its content is no base64"),
        ({"foot": "a\x07b"}, "foot: "),
        ({"logo": LogoFile(content=base64.b64encode(png()).decode(), alt=" ")}, "alt: say what"),
    ],
)
def test_what_cannot_stand_on_a_page_is_refused_by_its_field(details: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        cleaned(LetterheadDetails.model_validate(details))
    assert caught.value.message.startswith(why)


def test_a_letterhead_is_kept_as_it_was_given() -> None:
    found = cleaned(
        LetterheadDetails(
            colour=" #7A1F5F", foot="Granvik", logo=LogoFile(content=base64.b64encode(png()).decode(), alt="Märke")
        )
    )
    assert (found.colour, found.foot) == ("#7a1f5f", "Granvik")
    assert found.logo
    assert (found.logo.type, found.logo.content) == ("png", png())
    assert type(found).model_validate_json(found.model_dump_json()) == found


def test_two_who_change_it_are_told_apart_by_what_they_saw() -> None:
    one, other = Letterhead(colour="#7a1f5f"), Letterhead(colour="#7a1f5f", foot="Granvik")
    marks = {rules.mark_of(each) for each in (None, one, other)}
    assert len(marks) == 3
    rules.require_unchanged(one, rules.mark_of(one))
    rules.require_unchanged(one, None)
    rules.require_unchanged(None, "none")
    for there, seen in ((one, rules.mark_of(other)), (one, "none"), (None, rules.mark_of(one)), (one, "")):
        with pytest.raises(Refused, match="changed by someone else"):
            rules.require_unchanged(there, seen)
