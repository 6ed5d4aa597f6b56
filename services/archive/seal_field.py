"""The signature field on the report's last page: where it lies, and how it joins the document's tags.

PDF/UA-1 (ISO 14289-1, § 7.18.4) wants every visible widget inside a Form element, and a tab order that follows the
structure.
"""

from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter, PdfFileWriter

FIELD_NAME = "Seal"
WIDTH, HEIGHT = 110, 20  # millimetres

_MM = 72 / 25.4  # PDF units
_PRINTED_AND_LOCKED = 4 + 128  # ISO 32000-1, § 12.5.3
_SIGNED_AND_APPEND_ONLY = 1 + 2  # § 12.7.2
_LEFT, _BOTTOM = 23, 14  # millimetres from the last page's corner, in the wide foot of the report


class Appearance:
    """The first page of a PDF, to be drawn in a field. It is parsed once; threads may share it."""

    def __init__(self, pdf: bytes) -> None:
        self._reader = PdfFileReader(BytesIO(pdf))
        self.add_to(PdfFileWriter())  # from now on the reader has every object in memory, and reads the file no more

    def add_to(self, writer: BasePdfFileWriter) -> generic.IndirectObject:
        drawn: generic.IndirectObject = writer.import_page_as_xobject(self._reader)
        return drawn


def append_field(
    writer: IncrementalPdfFileWriter, words: str, appearance: Appearance, value: generic.IndirectObject
) -> None:
    """A visible, tagged field with `value` at the foot of the last page; `words` are its accessible name."""
    page_ref, _ = writer.find_page_for_modification(-1)
    page = page_ref.get_object()
    left, bottom = round(_LEFT * _MM), round(_BOTTOM * _MM)
    box = (left, bottom, left + round(WIDTH * _MM), bottom + round(HEIGHT * _MM))
    widget_ref = writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/Widget"),
                pdf_name("/FT"): pdf_name("/Sig"),
                pdf_name("/T"): pdf_string(FIELD_NAME),
                pdf_name("/TU"): pdf_string(words),
                pdf_name("/V"): value,
                pdf_name("/F"): generic.NumberObject(_PRINTED_AND_LOCKED),
                pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, box)),
                pdf_name("/P"): page_ref,
                pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): appearance.add_to(writer)}),
            }
        )
    )
    page["/Annots"] = generic.ArrayObject([*_items(page.get("/Annots", generic.ArrayObject())), widget_ref])
    writer.mark_update(page_ref)
    form = {
        pdf_name("/Fields"): generic.ArrayObject([widget_ref]),
        pdf_name("/SigFlags"): generic.NumberObject(_SIGNED_AND_APPEND_ONLY),
    }
    writer.root["/AcroForm"] = writer.add_object(generic.DictionaryObject(form))
    writer.update_root()
    if "/StructTreeRoot" in writer.root:
        _tag(writer, words, page_ref, widget_ref)


def _tag(
    writer: IncrementalPdfFileWriter, words: str, page_ref: generic.IndirectObject, widget_ref: generic.IndirectObject
) -> None:
    """A Form element for the field, last in the document, found from both ends (ISO 32000-1, § 14.7.4)."""
    page = page_ref.get_object()
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
