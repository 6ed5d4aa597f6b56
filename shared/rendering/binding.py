"""Files bound into one PDF behind pages of our own, by pikepdf: nothing of a file comes along but what its pages show.

Of a foreign page are kept its size, its content with what that draws with, and links to the web. Scripts, actions,
embedded files, forms and multimedia stand elsewhere in a PDF (ISO 32000-2, 12.6 and 13), and so stay behind; what
annotations and filled-in forms show is drawn into the page first. `press.Press` does all this in another process.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, OutlineItem, Pdf
from PIL import Image, ImageOps

from shared.rendering.bound import BoundFile, CannotBeBound

MOST_PAGES = 1000
"""Of one file."""
MOST_PIXELS = 40_000_000
"""Of one image."""

# In the units of a PDF, 1/72 inch.
_A4 = (595.28, 841.89)
_IMAGE_MARGIN = 42.0
_LARGEST_SIDE = 14_400.0  # what readers show (ISO 32000-2, annex C)
_SMALLEST_SIDE = 36.0
_FOOT = 8.0  # size of the mark at the foot

_SHARPEST = 2500  # pixels of a side: 200 an inch on A4
_KEPT = ("/MediaBox", "/CropBox", "/Rotate", "/Resources", "/Contents", "/UserUnit", "/Group")
_INHERITED = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")
_DEEPEST = 50  # of a tree of pages
_WEB = ("http://", "https://", "mailto:")
_MOST_LINKS = 500
_FONT = "/JusteraFoot"
# What pikepdf and Pillow say of a file that is not what it claims to be.
_DAMAGED = (
    *(pikepdf.PdfError, OSError, EOFError, ValueError, SyntaxError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RuntimeError, struct.error, zlib.error),
)
_CLAIMS = (
    "{http://www.aiim.org/pdfa/ns/id/}part",
    "{http://www.aiim.org/pdfa/ns/id/}conformance",
    "{http://www.aiim.org/pdfua/ns/id/}part",
)


def count_pages(content: bytes, media_type: str) -> int:
    """How many pages the file has when it is bound in, which is tried. Raises CannotBeBound."""
    with _foreign(content, media_type) as pages, Pdf.new() as pdf:
        for page in pages:
            pdf.pages.append(pikepdf.Page(page))
        # As when it is bound in: what fails there makes every other file of the papers be listed, too.
        _stamp(pdf, {page.obj.objgen: "" for page in pdf.pages})
        return len(pages)


def bind(own: bytes, files: Sequence[BoundFile], contents: Sequence[bytes]) -> bytes:
    """Our own pages, whose outline names the sections in order, with the files behind theirs. Raises CannotBeBound."""
    if not files:
        return own
    with ExitStack() as stack:
        pdf = stack.enter_context(Pdf.open(io.BytesIO(own)))
        firsts: dict[str, Any] = {}
        marks: dict[tuple[int, int], str] = {}
        with pdf.open_outline() as outline:
            places = {page.obj.objgen: index for index, page in enumerate(pdf.pages)}
            begins = [places[_page_of(item)] for item in outline.root]
            ends = [*begins[1:], len(pdf.pages)]
            # From behind, so that the places before stay.
            for file, content in reversed(list(zip(files, contents, strict=True))):
                pages = stack.enter_context(_foreign(content, file.media_type))
                at = ends[file.section]
                for page in reversed(pages):
                    pdf.pages.insert(at, pikepdf.Page(page))
                    marks[pdf.pages[at].obj.objgen] = file.mark
                firsts[file.link] = pdf.pages[at].obj
                item = OutlineItem(file.title, Array([firsts[file.link], Name.Fit]))
                outline.root[file.section].children.insert(0, item)
        _stamp(pdf, marks)
        _lead_to(pdf, firsts)
        _claim_nothing(pdf)
        made = io.BytesIO()
        pdf.save(made, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return made.getvalue()


@contextmanager
def _foreign(content: bytes, media_type: str) -> Iterator[list[Any]]:
    """Page objects of a file, clean, to be put into another one while it is open. Raises CannotBeBound."""
    try:
        pdf = _image_page(content) if media_type.startswith("image/") else Pdf.open(io.BytesIO(content))
    except pikepdf.PasswordError as error:
        raise CannotBeBound("encrypted") from error
    except Image.DecompressionBombError as error:
        raise CannotBeBound("heavy") from error
    except _DAMAGED as error:
        raise CannotBeBound("damaged") from error
    with pdf:
        try:
            yield _clean_pages(pdf)
        except _DAMAGED as error:
            raise CannotBeBound("damaged") from error


def _clean_pages(pdf: Pdf) -> list[Any]:
    if pdf.is_encrypted:
        raise CannotBeBound("encrypted")
    _require_plain(pdf)
    if len(pdf.pages) > MOST_PAGES:
        raise CannotBeBound("pages")
    if not len(pdf.pages):
        raise CannotBeBound("damaged")
    links = [_web_links(page.obj) for page in pdf.pages]
    if any(_draws(page.obj) for page in pdf.pages):
        pdf.flatten_annotations()
    return [_clean(pdf, page.obj, found) for page, found in zip(pdf.pages, links, strict=True)]


def _require_plain(pdf: Pdf) -> None:
    """Raises CannotBeBound for what shows otherwise than its pages say: layers that are off, forms made by scripts."""
    layers = pdf.Root.get("/OCProperties", Dictionary()).get("/D", Dictionary())
    if len(layers.get("/OFF", Array())) or layers.get("/BaseState", Name.ON) != Name.ON:
        raise CannotBeBound("layers")
    if "/XFA" in pdf.Root.get("/AcroForm", Dictionary()) and pdf.Root.get("/NeedsRendering", False):
        raise CannotBeBound("form")


def _clean(pdf: Pdf, page: Any, links: Sequence[Any]) -> Any:
    clean = Dictionary(Type=Name.Page)
    for key in _KEPT:
        value = _inherited(page, key) if key in _INHERITED else page.get(key)
        if value is not None and _is_meant(key, value):
            clean[key] = value
    if "/MediaBox" not in clean:
        clean["/MediaBox"] = Array([0, 0, *_A4])
    left, bottom, right, top = _visible(clean)
    sides = sorted((right - left, top - bottom))
    if sides[0] < _SMALLEST_SIDE or sides[1] > _LARGEST_SIDE:
        raise CannotBeBound("size")
    if links:
        clean["/Annots"] = Array(links)
    return pdf.make_indirect(clean)


def _is_meant(key: str, value: Any) -> bool:
    """Readers pass over a turn and a unit that are none (ISO 32000-2, table 31)."""
    if key == "/Rotate":
        return isinstance(value, int | Decimal) and value % 90 == 0
    return key != "/UserUnit" or (isinstance(value, int | Decimal) and value > 0)


def _inherited(page: Any, key: str) -> Any:
    for _ in range(_DEEPEST):
        if key in page:
            return page[key]
        if "/Parent" not in page:
            return None
        page = page["/Parent"]
    raise CannotBeBound("damaged")


def _visible(page: Any) -> tuple[float, float, float, float]:
    """Of the page's own system: left, bottom, right, top of what is shown."""
    media = _box(page["/MediaBox"])
    crop = _box(page["/CropBox"]) if "/CropBox" in page else media
    return (
        max(media[0], crop[0]),
        max(media[1], crop[1]),
        min(media[2], crop[2]),
        min(media[3], crop[3]),
    )


def _box(corners: Any) -> tuple[float, float, float, float]:
    x, y, u, v = (float(corner) for corner in corners)
    return min(x, u), min(y, v), max(x, u), max(y, v)


def _web_links(page: Any) -> list[Any]:
    found = []
    for annotation in _annotations(page)[:_MOST_LINKS]:
        action = annotation.get("/A")
        if annotation.get("/Subtype") != Name.Link or not isinstance(action, Dictionary):
            continue
        address = str(action.get("/URI", "")) if action.get("/S") == Name.URI else ""
        if address.lower().startswith(_WEB):
            found.append(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Link,
                    Rect=Array(list(_box(annotation["/Rect"]))),
                    Border=Array([0, 0, 0]),
                    A=Dictionary(S=Name.URI, URI=pikepdf.String(address)),
                )
            )
    return found


def _draws(page: Any) -> bool:
    return any(annotation.get("/Subtype") != Name.Link for annotation in _annotations(page))


def _annotations(page: Any) -> list[Any]:
    return [one for one in page.get("/Annots", Array()) if isinstance(one, Dictionary)]


def _page_of(item: OutlineItem) -> tuple[int, int]:
    """Of our own outlines, which typst makes."""
    destination: Any = item.destination if item.destination is not None else item.action["/D"]  # type: ignore[index]
    objgen: tuple[int, int] = destination[0].objgen
    return objgen


def _image_page(content: bytes) -> Pdf:
    """The image on a page of A4, upright or across, as large as fits."""
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
        if image.width * image.height > MOST_PIXELS:
            raise CannotBeBound("heavy")
        turned = image.getexif().get(0x0112, 1) != 1
        as_it_is = image.format == "JPEG" and image.mode in ("L", "RGB") and not turned
        if as_it_is:
            image.load()  # whole, or damaged
            size, data, gray = image.size, content, image.mode == "L"
            encoding = {"/Filter": Name.DCTDecode}
        else:
            plain = _on_white(ImageOps.exif_transpose(image))
            size, data, gray, encoding = plain.size, plain.tobytes(), False, {}
    width, height = size
    page_size = _A4 if height >= width else _A4[::-1]
    scale = min((page_size[0] - 2 * _IMAGE_MARGIN) / width, (page_size[1] - 2 * _IMAGE_MARGIN) / height)
    w, h = width * scale, height * scale
    x, y = (page_size[0] - w) / 2, (page_size[1] - h) / 2
    pdf = Pdf.new()
    drawn = pdf.make_stream(data)
    for key, value in encoding.items():
        drawn[key] = value
    drawn.Type, drawn.Subtype, drawn.Width, drawn.Height = Name.XObject, Name.Image, width, height
    drawn.ColorSpace, drawn.BitsPerComponent = Name.DeviceGray if gray else Name.DeviceRGB, 8
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *page_size]),
        Resources=Dictionary(XObject=Dictionary(Im=drawn)),
        Contents=pdf.make_stream(f"q {w:.3f} 0 0 {h:.3f} {x:.3f} {y:.3f} cm /Im Do Q".encode()),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    return pdf


def _on_white(image: Image.Image) -> Image.Image:
    image.thumbnail((_SHARPEST, _SHARPEST))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        above = image.convert("RGBA")
        ground = Image.new("RGBA", above.size, "white")
        return Image.alpha_composite(ground, above).convert("RGB")
    return image.convert("RGB")


def _stamp(pdf: Pdf, marks: Mapping[tuple[int, int], str]) -> None:
    """The number of the page at the foot of each that has a mark."""
    font = pdf.make_indirect(
        Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    )
    begin = pdf.make_stream(b"q\n")
    total = len(pdf.pages)
    for number, page in enumerate(pdf.pages, start=1):
        if (mark := marks.get(page.obj.objgen)) is None:
            continue
        obj = page.obj
        resources = Dictionary(dict(obj.get("/Resources", Dictionary()).items()))
        fonts = Dictionary(dict(resources.get("/Font", Dictionary()).items()))
        fonts[_FONT] = font
        resources["/Font"] = fonts
        obj["/Resources"] = resources
        there = obj.get("/Contents", Array())
        streams = list(there) if isinstance(there, Array) else [there]
        foot = pdf.make_stream(b"\nQ\n" + _foot(obj, f"{mark}  {number} ({total})"))
        obj["/Contents"] = Array([begin, *streams, foot])


def _foot(page: Any, text: str) -> bytes:
    """Drawn on white in the lower right corner as it is shown, however the page is turned and scaled."""
    left, bottom, right, top = _visible(page)
    unit = float(page.get("/UserUnit", 1)) or 1.0
    turn = int(page.get("/Rotate", 0)) % 360
    matrix, width = {
        0: (f"1 0 0 1 {left:.3f} {bottom:.3f}", right - left),
        90: (f"0 1 -1 0 {right:.3f} {bottom:.3f}", top - bottom),
        180: (f"-1 0 0 -1 {right:.3f} {top:.3f}", right - left),
        270: (f"0 -1 1 0 {left:.3f} {top:.3f}", top - bottom),
    }.get(turn, (f"1 0 0 1 {left:.3f} {bottom:.3f}", right - left))
    size = _FOOT / unit
    long = 0.53 * size * len(text)
    x, y = width - long - 2 * size, 1.5 * size
    said = text.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    ground = f"{x - size / 2:.3f} {y - size / 2:.3f} {long + size:.3f} {1.8 * size:.3f}"
    return (
        f"/Artifact BMC q {matrix} cm 1 g {ground} re f 0.2 g BT {_FONT} {size:.3f} Tf {x:.3f} {y:.3f} Td ("
    ).encode() + (said + b") Tj ET Q EMC\n")


def _lead_to(pdf: Pdf, firsts: Mapping[str, Any]) -> None:
    """Our own links of these addresses lead to the pages."""
    for page in pdf.pages:
        for annotation in _annotations(page.obj):
            action = annotation.get("/A", Dictionary())
            target = firsts.get(str(action.get("/URI", "")))
            if target is not None:
                del annotation["/A"]
                annotation["/Dest"] = Array([target, Name.Fit])


def _claim_nothing(pdf: Pdf) -> None:
    """Whether foreign pages are what PDF/A and PDF/UA ask, nobody knows; ours still are."""
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        for claim in _CLAIMS:
            if claim in metadata:
                del metadata[claim]
