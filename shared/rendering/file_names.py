"""What the files of an agreement are called: nobody takes the sealed copy for the original, or this for that."""

from collections.abc import Mapping
from urllib.parse import quote

from shared.rendering.minutes import Language

_ORIGINAL: Mapping[Language, str] = {"sv": "original utan signaturer", "en": "original without signatures"}
_SEALED: Mapping[Language, str] = {"sv": "signerat och förseglat", "en": "signed and sealed"}
# What Windows, macOS or a shell would not take in a file's name.
_UNWANTED = str.maketrans(dict.fromkeys('\\/:*?"<>|', "-"))


def original_name(document_name: str, language: str) -> str:
    """`Protokoll styrelsen 2022-09-23 (original utan signaturer).pdf`"""
    return _named(document_name, _ORIGINAL, language)


def sealed_name(document_name: str, language: str) -> str:
    """`Protokoll styrelsen 2022-09-23 (signerat och förseglat).pdf`"""
    return _named(document_name, _SEALED, language)


def shown_as(name: str) -> str:
    """The value of `Content-Disposition` (RFC 6266) for a file that a browser shows."""
    return f"inline; filename*=UTF-8''{quote(name, safe='')}"


def fetched_as(name: str) -> str:
    """The value of `Content-Disposition` (RFC 6266) for a file that a browser keeps."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _named(document_name: str, kinds: Mapping[Language, str], language: str) -> str:
    kind = kinds["en" if language == "en" else "sv"]
    return f"{document_name.translate(_UNWANTED)} ({kind}).pdf"
