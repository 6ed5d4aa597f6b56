"""Where the notice board and its archive are read, below the service's own address. Pure. They are for good."""

from collections.abc import Mapping

from shared.rendering.minutes import Language

FOLDERS: Mapping[Language, str] = {"sv": "/anslagstavla", "en": "/notice-board"}
ARCHIVES: Mapping[Language, str] = {"sv": "arkiv", "en": "archive"}


def board_of(language: Language) -> str:
    return FOLDERS[language]


def archive_of(language: Language) -> str:
    return f"{FOLDERS[language]}/{ARCHIVES[language]}"


def posting_of(publication_id: str, language: Language) -> str:
    return f"{FOLDERS[language]}/{publication_id}"
