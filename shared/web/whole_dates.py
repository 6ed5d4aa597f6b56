"""A date such as 2022-09-23 stays on one line: browsers break after a hyphen, and half a date reads as another."""

import re

_TOKEN = re.compile(
    r"<(title|textarea|option|script|style)\b.*?</\1>"  # nothing is marked up in there
    r"|<[^>]*>"
    r"|(?<![\w-])(?P<date>\d{4}-\d{2}-\d{2})(?![\w-])",
    re.DOTALL,
)


def whole_dates(html: str) -> str:
    """The page with each date of its text in a `span` of the stylesheet's `whole`; attributes stay as they are.

    `html` is of our templates, where every `<` and `>` of a text or of an attribute is escaped.
    """
    return _TOKEN.sub(_whole, html)


def _whole(found: re.Match[str]) -> str:
    date = found["date"]
    return f'<span class="whole">{date}</span>' if date else found[0]
