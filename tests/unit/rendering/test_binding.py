"""Files bound behind our own pages: what comes along, what stays behind, and what cannot be bound."""

import io
import struct
import zlib
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image

from shared.rendering.binding import MOST_PAGES, CannotBeBound, bind, count_pages
from shared.rendering.papers import PapersDocument, PapersFile, PapersItem, bound_files, papers_job
from shared.rendering.typesetting import typeset

PDF_TYPE = "application/pdf"


def saved(pdf: Pdf, **how: Any) -> bytes:
    made = io.BytesIO()
    pdf.save(made, **how)
    return made.getvalue()


def blank(pages: int = 1, text: str = "Sida") -> Pdf:
    pdf = Pdf.new()
    font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for number in range(1, pages + 1):
        page = pdf.add_blank_page(page_size=(595, 842))
        page.obj.Resources = Dictionary(Font=Dictionary(F=font))
        page.obj.Contents = pdf.make_stream(f"BT /F 20 Tf 100 700 Td ({text} {number}) Tj ET".encode())
    return pdf


def pdf_of(pages: int = 1, text: str = "Sida") -> bytes:
    return saved(blank(pages, text))


def image_of(form: str, size: tuple[int, int] = (40, 20), mode: str = "RGB", **how: Any) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size).save(made, form, **how)
    return made.getvalue()


def active() -> bytes:
    """A PDF that would do each thing that one can do."""
    pdf = blank(2)
    page = pdf.pages[0].obj
    script = Dictionary(S=Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    launch = Dictionary(S=Name.Launch, F=pikepdf.String("calc.exe"))
    pdf.Root.OpenAction = script
    pdf.Root.AA = Dictionary(WC=script)
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([pikepdf.String("a"), script])))
    pdf.attachments["evil.exe"] = b"MZ"
    page.AA = Dictionary(O=script)
    look = pdf.make_stream(b"0 0 10 10 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 10, 10]))
    box = Array([10, 10, 90, 30])
    widget = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Btn, T=pikepdf.String("b"), Rect=box)
    widget.A, widget.AA, widget.AP = script, Dictionary(D=launch), Dictionary(N=look)
    widget = pdf.make_indirect(widget)
    pdf.Root.AcroForm = Dictionary(Fields=Array([widget]), XFA=pikepdf.String("<xdp/>"))
    media = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=box)
    links = [
        Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=box, A=action)
        for action in (
            launch,
            script,
            Dictionary(S=Name.URI, URI=pikepdf.String("javascript:alert(1)")),
            Dictionary(S=Name.URI, URI=pikepdf.String("https://norrdalen.example/budget")),
            Dictionary(S=Name.GoToR, F=pikepdf.String("other.pdf")),
        )
    ]
    page.Annots = pdf.make_indirect(Array([widget, media, *links]))
    return saved(pdf)


def document(*files: tuple[int, str], **changed: Any) -> PapersDocument:
    """Three items; the second has no pages. `files`: pages and media type of each file of the first."""
    listed = PapersFile(
        number="1.9", title="Kalkyl", name="Kalkyl.xlsx", size="3 kB", sha256="b" * 64, media_type="x", why="type"
    )
    bound = [
        PapersFile(
            number=f"1.{number}",
            title=f"Budget {number}",
            name="Budget.pdf",
            size="3 MB",
            sha256="a" * 64,
            media_type=media_type,
            pages=pages,
        )
        for number, (pages, media_type) in enumerate(files, start=1)
    ]
    items = (
        PapersItem(number=1, title="Ekonomi", kind="decision", background=("Kort.",), files=(*bound, listed)),
        PapersItem(number=2, title="Övrigt", kind="information"),
        PapersItem(number=3, title="Val # *", kind="election", proposal=("Att välja.",)),
    )
    facts = {
        "organisation": "Kommunalförbundet Norrdalen",
        "body": "Styrelsen",
        "title": "Styrelsen",
        "place": "Digitalt",
        "starts": datetime(2022, 11, 25, 13),
        "ends": datetime(2022, 11, 25, 15),
        "items": items,
    }
    return PapersDocument.model_validate(facts | changed)


def bound(*contents: tuple[bytes, str], **changed: Any) -> Pdf:
    said = document(*((count_pages(content, media_type), media_type) for content, media_type in contents), **changed)
    own = typeset(papers_job(said, at=datetime(2022, 11, 1, tzinfo=UTC)))
    files = [file for file, _ in bound_files(said)]
    return Pdf.open(io.BytesIO(bind(own, files, [content for content, _ in contents])))


def drawn(page: Any) -> str:
    contents = page.obj.Contents
    streams = contents if isinstance(contents, Array) else [contents]
    return b"".join(stream.read_bytes() for stream in streams).decode("cp1252")


def test_files_follow_their_item_with_an_outline_and_one_count_of_pages() -> None:
    pdf = bound((pdf_of(3), PDF_TYPE), (pdf_of(2, "Andra"), PDF_TYPE))
    assert len(pdf.pages) == 8, "agenda, Ekonomi, three and two, Val"
    with pdf.open_outline() as outline:
        places = {page.obj.objgen: number for number, page in enumerate(pdf.pages, start=1)}
        shown = [
            (one.title, [(child.title, places[child.destination[0].objgen]) for child in one.children])
            for one in outline.root
        ]  # type: ignore[index,union-attr]
    assert shown == [
        ("Dagordning", []),
        ("1. Ekonomi", [("1.1 Budget 1", 3), ("1.2 Budget 2", 6)]),
        ("3. Val # *", []),
    ]
    assert "(Sida 1) Tj" in drawn(pdf.pages[2])
    assert "(Bilaga 1.1  3 \\(8\\)) Tj" in drawn(pdf.pages[2])
    assert "(Andra 2) Tj" in drawn(pdf.pages[6])
    assert "(Bilaga 1.2  7 \\(8\\)) Tj" in drawn(pdf.pages[6])


def test_our_links_lead_to_what_is_bound_in() -> None:
    pdf = bound((pdf_of(1), PDF_TYPE))
    targets = [annotation.Dest[0].objgen for annotation in pdf.pages[1].obj.Annots if "/Dest" in annotation]
    assert targets
    assert set(targets) == {pdf.pages[2].obj.objgen}
    assert b"bound:" not in b"".join(obj.unparse() for obj in pdf.objects)


def test_nothing_that_acts_comes_along_and_what_is_seen_does() -> None:
    pdf = bound((active(), PDF_TYPE))
    assert len(pdf.pages) == 5
    everything = b" ".join(obj.unparse(resolved=True) for obj in pdf.objects)
    for gone in (
        b"JavaScript",
        b"app.alert",
        b"Launch",
        b"calc.exe",
        b"RichMedia",
        b"AcroForm",
        b"GoToR",
        b"evil",
        b"/AA",
    ):
        assert gone not in everything, gone
    kept = [one.A.URI for one in pdf.pages[2].obj.Annots]
    assert kept == ["https://norrdalen.example/budget"]
    assert "Do" in drawn(pdf.pages[2]), "the button's look is drawn into the page"


def test_what_is_bound_says_no_more_than_it_keeps() -> None:
    """Our own pages are PDF/A and PDF/UA; with a stranger's among them nobody knows."""
    own = typeset(papers_job(document(), at=datetime(2022, 11, 1, tzinfo=UTC)))
    assert b"pdfuaid:part" in own
    assert bind(own, [], []) == own
    with bound((pdf_of(1), PDF_TYPE)).open_metadata() as metadata:
        assert not [key for key in metadata if "part" in key or "conformance" in key]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_page_that_is_turned_or_cut_has_its_number_inside(turn: int) -> None:
    source = blank()
    page = source.pages[0].obj
    page.Rotate, page.CropBox, page.UserUnit = turn, Array([50, 60, 545, 700]), 2
    pdf = bound((saved(source), PDF_TYPE))
    assert (pdf.pages[2].obj.Rotate, pdf.pages[2].obj.UserUnit) == (turn, 2)
    foot = drawn(pdf.pages[2]).partition("/Artifact BMC q ")[2]
    matrix = {
        0: "1 0 0 1 50.000 60.000",
        90: "0 1 -1 0 545.000 60.000",
        180: "-1 0 0 -1 545.000 700.000",
        270: "0 -1 1 0 50.000 700.000",
    }
    assert foot.startswith(matrix[turn])


@pytest.mark.parametrize(
    ("content", "box"),
    [
        (image_of("PNG", (20, 40)), [0, 0, 595.28, 841.89]),
        (image_of("JPEG", (400, 200)), [0, 0, 841.89, 595.28]),
        (image_of("PNG", mode="RGBA"), [0, 0, 841.89, 595.28]),
        (image_of("PNG", mode="P"), [0, 0, 841.89, 595.28]),
        (image_of("JPEG", mode="CMYK"), [0, 0, 841.89, 595.28]),
        (
            image_of("JPEG", (400, 200), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"),
            [0, 0, 595.28, 841.89],
        ),
    ],
)
def test_an_image_is_a_page(content: bytes, box: list[float]) -> None:
    media_type = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    pdf = bound((content, media_type))
    assert [float(side) for side in pdf.pages[2].obj.MediaBox] == box


def with_layers() -> bytes:
    pdf = blank()
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=pikepdf.String("Dolt")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))
    return saved(pdf)


def sized(width: float, height: float) -> bytes:
    pdf = Pdf.new()
    pdf.add_blank_page().obj.MediaBox = Array([0, 0, width, height])
    return saved(pdf)


def claiming(width: int, height: int) -> bytes:
    """A PNG of some bytes that says it has so many pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (header, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def odd(**entries: Any) -> bytes:
    pdf = blank()
    for key, value in entries.items():
        pdf.pages[0].obj[f"/{key}"] = value
    return saved(pdf)


@pytest.mark.parametrize(
    "entries",
    [
        {"Rotate": Name.X},
        {"Rotate": 45},
        {"Rotate": Array([])},
        {"UserUnit": Name.X},
        {"UserUnit": 0},
        {"Resources": 7},
        {"MediaBox": 7},
        {"Contents": Name.X},
        {"Annots": Name.X},
        {"Group": 7},
    ],
)
def test_what_readers_pass_over_is_bound(entries: dict[str, Any]) -> None:
    assert len(bound((odd(**entries), PDF_TYPE)).pages) > 2


@pytest.mark.parametrize(
    ("content", "media_type", "trouble"),
    [
        (saved(blank(), encryption=pikepdf.Encryption(owner="a", user="b")), PDF_TYPE, "encrypted"),
        (saved(blank(), encryption=pikepdf.Encryption(owner="a", user="")), PDF_TYPE, "encrypted"),
        (b"%PDF-1.7\n%%EOF", PDF_TYPE, "damaged"),
        (pdf_of()[:200], PDF_TYPE, "damaged"),
        (saved(Pdf.new()), PDF_TYPE, "damaged"),
        (pdf_of(MOST_PAGES + 1), PDF_TYPE, "pages"),
        (with_layers(), PDF_TYPE, "layers"),
        (sized(10, 10), PDF_TYPE, "size"),
        (sized(20_000, 600), PDF_TYPE, "size"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png", "damaged"),
        (image_of("JPEG", (400, 400))[:-300], "image/jpeg", "damaged"),
        (image_of("PNG", (10_000, 4_001), mode="1"), "image/png", "heavy"),
        (claiming(20_000, 20_000), "image/png", "heavy"),
        (odd(Resources=Dictionary(Font=7)), PDF_TYPE, "damaged"),
        (pdf_of(), "image/png", "damaged"),
    ],
)
def test_what_cannot_be_bound_is_told_why(content: bytes, media_type: str, trouble: str) -> None:
    with pytest.raises(CannotBeBound) as told:
        count_pages(content, media_type)
    assert told.value.trouble == trouble


def test_a_page_that_is_used_twice_is_bound_twice() -> None:
    source = blank(1)
    source.pages.append(source.pages[0])
    assert len(bound((saved(source), PDF_TYPE)).pages) == 5


def test_pages_inherit_what_stands_above_them() -> None:
    source = blank(1)
    page = source.pages[0].obj
    source.Root.Pages.Resources = page.Resources
    source.Root.Pages.MediaBox = Array([0, 0, 300, 300])
    del page.Resources, page.MediaBox
    pdf = bound((saved(source), PDF_TYPE))
    assert [int(side) for side in pdf.pages[2].obj.MediaBox] == [0, 0, 300, 300]
    assert "/F" in pdf.pages[2].obj.Resources.Font
