"""What every web page shares: the look (templates, one stylesheet, fonts), texts, forms, limits, static files.

A service's pages own a `Look` (their templates and texts) and a router with `page_route(look)` as its route class. Each
app serves the static files itself (`shared.http.create_app`), so that a service also works alone.
"""

from shared.web.catalogue import Catalogue, Language
from shared.web.forms import (
    Field,
    file_form,
    form_file,
    form_text,
    form_texts,
    form_upload,
    large_file_form,
    small_form,
    text_error,
)
from shared.web.limits import RateLimit, TooMany, wrong_guesses
from shared.web.live import followed
from shared.web.look import Look, local_time, path_for, preferred_language
from shared.web.page_route import offer_pages, page_route

__all__ = [
    "Catalogue",
    "Field",
    "Language",
    "Look",
    "RateLimit",
    "TooMany",
    "file_form",
    "followed",
    "form_file",
    "form_text",
    "form_texts",
    "form_upload",
    "large_file_form",
    "local_time",
    "offer_pages",
    "page_route",
    "path_for",
    "preferred_language",
    "small_form",
    "text_error",
    "wrong_guesses",
]
