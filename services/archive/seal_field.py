"""The signature field on the report's last page: where it lies, and how it joins the document's tags.

pyHanko adds a field, but leaves the structure tree alone; PDF/UA-1 (ISO 14289-1, § 7.18.4) wants every visible widget
inside a Form element, and a tab order that follows the structure.
"""

import uuid
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

FIELD_NAME = "Seal"
WIDTH, HEIGHT = 110, 20  # millimetres

_MM = 72 / 25.4  # PDF units
_LEFT, _BOTTOM = 23, 14  # millimetres from the last page's corner, in the wide foot of the report


def append_field(writer: IncrementalPdfFileWriter, words: str) -> None:
    """An empty, visible, tagged field at the foot of the last page; `words` are its accessible name."""
    left, bottom = round(_LEFT * _MM), round(_BOTTOM * _MM)
    box = (left, bottom, left + round(WIDTH * _MM), bottom + round(HEIGHT * _MM))
    append_signature_field(writer, SigFieldSpec(FIELD_NAME, on_page=-1, box=box, readable_field_name=words))
    if "/StructTreeRoot" in writer.root:
        _tag(writer, words)


def _tag(writer: IncrementalPdfFileWriter, words: str) -> None:
    """A Form element for the field, last in the document, found from both ends (ISO 32000-1, § 14.7.4)."""
    page_ref, _ = writer.find_page_for_modification(-1)
    page = page_ref.get_object()
    widget_ref = page["/Annots"].raw_get(-1)
    tree = writer.root["/StructTreeRoot"]
    parent_ref, parent = _document_element(tree)
    element_ref = writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/StructElem"),
                pdf_name("/S"): pdf_name("/Form"),
                pdf_name("/P"): parent_ref,
                pdf_name("/Alt"): generic.TextStringObject(words),
                pdf_name("/K"): generic.DictionaryObject(
                    {
                        pdf_name("/Type"): pdf_name("/OBJR"),
                        pdf_name("/Obj"): widget_ref,
                        pdf_name("/Pg"): page_ref,
                    }
                ),
            }
        )
    )
    parent["/K"] = generic.ArrayObject([*_kids(parent), element_ref])
    writer.mark_update(parent_ref)
    key = _register(writer, tree, element_ref)
    widget_ref.get_object()["/StructParent"] = generic.NumberObject(key)
    writer.mark_update(widget_ref)
    page["/Tabs"] = pdf_name("/S")
    writer.mark_update(page_ref)


def _document_element(tree: generic.DictionaryObject) -> tuple[Any, generic.DictionaryObject]:
    """The reference to the topmost element, and the element."""
    (reference, *_) = _kids(tree)
    return reference, reference.get_object()


def _kids(element: generic.DictionaryObject) -> list[Any]:
    """`/K` may be absent, one kid or an array of them."""
    if "/K" not in element:
        return []
    kids = element["/K"]
    return _items(kids) if isinstance(kids, generic.ArrayObject) else [element.raw_get("/K")]


def _register(
    writer: IncrementalPdfFileWriter, tree: generic.DictionaryObject, element_ref: generic.IndirectObject
) -> int:
    """Enters the element in the parent tree, a number tree (ISO 32000-1, § 7.9.7) of one or more leaves."""
    numbers = tree["/ParentTree"]
    key = int(tree.get("/ParentTreeNextKey", None) or _last_key(numbers) + 1)
    pair = [generic.NumberObject(key), element_ref]
    if "/Kids" in numbers:
        limits = generic.ArrayObject([generic.NumberObject(key), generic.NumberObject(key)])
        leaf = {pdf_name("/Nums"): generic.ArrayObject(pair), pdf_name("/Limits"): limits}
        numbers["/Kids"].append(writer.add_object(generic.DictionaryObject(leaf)))
        writer.update_container(numbers["/Kids"])
    else:
        numbers["/Nums"] = generic.ArrayObject([*_items(numbers["/Nums"]), *pair])
        writer.update_container(numbers)
    tree["/ParentTreeNextKey"] = generic.NumberObject(key + 1)
    writer.update_container(tree)
    return key


def _items(array: generic.ArrayObject) -> list[generic.PdfObject]:
    return [array.raw_get(index) for index in range(len(array))]


def _last_key(numbers: generic.DictionaryObject) -> int:
    while "/Kids" in numbers:
        numbers = numbers["/Kids"][-1]
    return int(numbers["/Nums"][-2]) if numbers["/Nums"] else -1


def parsed_page(pdf: bytes) -> PdfFileReader:
    """A PDF of one page to be drawn many times, whose objects are all in memory: threads may share it."""
    reader = PdfFileReader(BytesIO(pdf))
    PdfFileWriter().import_page_as_xobject(reader)
    return reader


class PageAsAppearance(PdfContent):
    """The first page of a parsed PDF, drawn as it is. (pyHanko's own takes a path.)"""

    def __init__(self, page: PdfFileReader) -> None:
        super().__init__()
        self._page = page

    def render(self) -> bytes:
        drawn = self._ensure_writer.import_page_as_xobject(self._page)
        name = f"/Seal{uuid.uuid4().hex}"
        self.resources.xobject[name] = drawn
        left, bottom, right, top = drawn.get_object()["/BBox"]
        self.box = BoxConstraints(width=right - left, height=top - bottom)
        return f"{name} Do".encode()
