"""Word documents as small as they can be, made part by part (ECMA-376)."""

import zipfile
from io import BytesIO
from xml.sax.saxutils import escape

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="xml" ContentType="application/xml"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
_RELS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'


def run(text: str, *, bold: bool = False, italic: bool = False) -> str:
    style = f"<w:rPr>{'<w:b/>' * bold}{'<w:i/>' * italic}</w:rPr>"
    return f'<w:r>{style}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(*runs: str, style: str = "", numbered: int | None = None, level: int = 0) -> str:
    look = f'<w:pStyle w:val="{style}"/>' if style else ""
    if numbered is not None:
        look += f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{numbered}"/></w:numPr>'
    return f"<w:p><w:pPr>{look}</w:pPr>{''.join(runs)}</w:p>"


def text(words: str, style: str = "") -> str:
    return paragraph(run(words), style=style)


def table(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<w:tc>{text(cell)}</w:tc>" for cell in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def note(number: int) -> str:
    return f'<w:r><w:footnoteReference w:id="{number}"/></w:r>'


def document(*body: str, notes: tuple[str, ...] = (), parts: dict[str, bytes | str] | None = None) -> bytes:
    """`notes`: of footnotes, counting from 2. `parts`: besides, or instead."""
    kinds = {"styles": "styles", "numbering": "numbering", "footnotes": "footnotes"}
    listed = "".join(
        f'<Relationship Id="r{key}" Type="{_R}/{key}" Target="{value}.xml"/>' for key, value in kinds.items()
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
        for key, name in (("Heading1", "heading 1"), ("Heading2", "heading 2"), ("Title", "Title"), ("Own", "Own look"))
    )
    levels = "".join(
        f'<w:abstractNum w:abstractNumId="{key}">'
        + "".join(f'<w:lvl w:ilvl="{n}"><w:numFmt w:val="{form}"/></w:lvl>' for n in (0, 1))
        + "</w:abstractNum>"
        for key, form in ((1, "bullet"), (2, "decimal"))
    )
    numbering = levels + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2))
    footnotes = "".join(f'<w:footnote w:id="{n}">{text(words)}</w:footnote>' for n, words in enumerate(notes, 2))
    made: dict[str, bytes | str] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": f'<Relationships {_RELS}><Relationship Id="r1" Type="{_R}/officeDocument" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": f"<w:document {W}><w:body>{''.join(body)}</w:body></w:document>",
        "word/_rels/document.xml.rels": f"<Relationships {_RELS}>{listed}</Relationships>",
        "word/styles.xml": f"<w:styles {W}>{styles}</w:styles>",
        "word/numbering.xml": f"<w:numbering {W}>{numbering}</w:numbering>",
        "word/footnotes.xml": f"<w:footnotes {W}>{footnotes}</w:footnotes>",
    }
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (made | (parts or {})).items():
            archive.writestr(name, part)
    return content.getvalue()


def external(kind: str, target: str = "https://a.example/x", mode: str = "External") -> bytes:
    one = f'<Relationship Id="x" Type="{_R}/{kind}" Target="{target}" TargetMode="{mode}"/>'
    rels = f"<Relationships {_RELS}>{one}</Relationships>"
    return document(text("§ 1 A"), parts={"word/_rels/settings.xml.rels": rels})
