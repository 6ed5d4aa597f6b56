"""What every web page shares: the look (templates, one stylesheet, fonts), texts, forms, limits, static files.

A service's pages own a `Look` (their templates and texts), a router with `page_route(look)` as its route class, and
call `include_static(app)` once, so that the service also works alone.
"""

from shared.web.assets import include_static
from shared.web.catalogue import Catalogue, Language
from shared.web.forms import Field, form_text, small_form, text_error
from shared.web.limits import RateLimit, TooMany
from shared.web.look import Look, local_time, path_for, preferred_language
from shared.web.page_route import page_route

__all__ = [
    "Catalogue",
    "Field",
    "Language",
    "Look",
    "RateLimit",
    "TooMany",
    "form_text",
    "include_static",
    "local_time",
    "page_route",
    "path_for",
    "preferred_language",
    "small_form",
    "text_error",
]
