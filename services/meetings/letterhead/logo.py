"""A logo, told by its content: a PNG, or an SVG in which nothing runs and nothing is loaded. Pure.

SVG is a language for programs, too (SVG 2, chapters 2 and 15): what is taken are shapes, colours and gradients.
"""

import struct
from typing import Never
from xml.parsers import expat

from shared.errors import InvalidInput
from shared.rendering.minutes import LogoType

MOST_BYTES = 64 * 1024
"""It stands in each document, and in the data each is set from."""
MOST_PIXELS = 2000  # of either side
_MOST_ELEMENTS = 2000
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "http://www.w3.org/2000/svg"
_SHAPES = frozenset(
    {"svg", "g", "defs", "title", "desc", "metadata", "style", "linearGradient", "radialGradient", "stop", "clipPath"}
    | {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
)
_LOADS = ("@import", "@font-face", "image(", "image-set(", "src(", "javascript:", "\\")
# What drawing programs write beside the drawing, which no reader acts on.
_NOTES = (
    "http://www.inkscape.org/",
    "http://sodipodi.",
    "http://www.w3.org/1999/02/22-rdf",
    "http://purl.org/dc/",
    "http://creativecommons.org/",
    "http://web.resource.org/cc/",
    "http://www.serif.com/",
    "http://ns.adobe.com/",
)


def logo_type(content: bytes) -> LogoType:
    """Raises InvalidInput with one sentence."""
    if not content:
        _refuse("the file is empty")
    if len(content) > MOST_BYTES:
        _refuse(f"a logo has at most {MOST_BYTES // 1024} KiB, and this one {-(-len(content) // 1024)}")
    if content.startswith(_PNG):
        _check_png(content)
        return "png"
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        _check_svg(content)
        return "svg"
    raise InvalidInput("logo: is neither a PNG nor an SVG", hint="save it as one of them")


def _check_png(content: bytes) -> None:
    """The header alone (PNG 3rd edition, 11.2.1): what claims more pixels than it may is not unpacked."""
    if len(content) < 33 or content[12:16] != b"IHDR":
        _refuse("is a damaged PNG")
    width, height = struct.unpack(">II", content[16:24])
    if not (1 <= width <= MOST_PIXELS and 1 <= height <= MOST_PIXELS):
        _refuse(f"a PNG has at most {MOST_PIXELS} pixels on either side, and this one {width} times {height}")
    if b"acTL" in content[:4096]:
        _refuse("an animated PNG cannot stand on paper")


def _check_svg(content: bytes) -> None:
    seen = 0
    texts: list[list[str]] = []  # of the elements that are open; expat tells a text in pieces

    def doctype(name: str, system: str | None, public: str | None, has_subset: bool) -> None:
        if has_subset:
            _refuse("an SVG with declarations of its own (<!DOCTYPE … [ ]>) is not taken")

    def element(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen
        seen += 1
        texts.append([])
        if seen > _MOST_ELEMENTS:
            _refuse(f"an SVG of more than {_MOST_ELEMENTS} shapes is not taken; simplify it")
        space, _, local = name.rpartition(" ")
        if seen == 1 and (space, local) != (_SVG, "svg"):
            _refuse("is no SVG")
        if space != _SVG:
            if not space.startswith(_NOTES):
                _refuse(f"an SVG with <{local[:40]}> of another language in it is not taken")
            return
        if local not in _SHAPES:
            _refuse(
                f"an SVG with <{local[:40]}> is not taken", "let your drawing program turn all into paths, and save"
            )
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2], value)

    def end(_: str) -> None:
        _check_css("".join(texts.pop()))

    def characters(data: str) -> None:
        texts[-1].append(data)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.ProcessingInstructionHandler = _no_instruction
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        _refuse(f"cannot be read as SVG: {expat.ErrorString(error.code)} in line {error.lineno}")
    except (ValueError, LookupError):
        _refuse("cannot be read as SVG")


def _no_instruction(target: str, data: str) -> None:
    if target.lower() == "xml-stylesheet":
        _refuse("an SVG that loads a style from elsewhere is not taken")


def _check_attribute(name: str, value: str) -> None:
    if name.lower().startswith("on"):
        _refuse("an SVG with a script in it is not taken")
    if name == "href" and not value.startswith("#"):
        _refuse("an SVG that loads something from elsewhere is not taken")
    _check_css(value)


def _check_css(text: str) -> None:
    """Whatever loads: `url(…)` but of a part of the same file, `@import`, functions of images (CSS Images 4).

    And what may hide them (CSS escapes).
    """
    flat = "".join(text.lower().split())
    inner = flat.replace("url(#", "").replace("url('#", "").replace('url("#', "")
    if "url(" in inner or any(one in flat for one in _LOADS):
        _refuse("an SVG that loads something from elsewhere is not taken")


def _refuse(why: str, hint: str = "save the logo as a plain SVG or a PNG") -> Never:
    raise InvalidInput(f"logo: {why}", hint=hint)
