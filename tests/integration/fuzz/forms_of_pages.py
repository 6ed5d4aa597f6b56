"""The forms that a page holds, as a browser without script would fill them in."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = ("checkbox", "radio")


@dataclass
class Typed:
    """A field. `kind`: `hidden`, `file`, `button`, `select` … ; `values`: what would be sent if nobody touched it."""

    name: str
    kind: str
    values: list[str] = field(default_factory=list)
    wrong: bool = False


@dataclass
class PageForm:
    action: str
    is_multipart: bool
    fields: dict[str, Typed] = field(default_factory=dict)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._inside: Typed | None = None
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post":
            self.forms.append(PageForm(given["action"], "multipart" in given.get("enctype", "")))
            self._open = True
        if not self._open:
            return
        if tag == "option" and self._inside is not None:
            if "selected" in given or not self._inside.values:
                self._inside.values = [given.get("value", "")]
            return
        name = given.get("name", "")
        if tag not in ("input", "textarea", "select", "button") or not name:
            return
        kind = given.get("type", "text") if tag == "input" else tag
        found = self.forms[-1].fields.setdefault(name, Typed(name, kind))
        found.wrong = found.wrong or given.get("aria-invalid") == "true"
        if tag == "input" and (kind not in _VOID or "checked" in given):
            found.values.append(given.get("value", "on"))
        if tag == "button" and not found.values:
            found.values.append(given.get("value", ""))
        if tag in ("textarea", "select"):
            self._inside = found
            if tag == "textarea":
                found.values = [""]

    def handle_data(self, data: str) -> None:
        if self._inside is not None and self._inside.kind == "textarea":
            self._inside.values[0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._inside = None
        if tag == "form":
            self._open = False


def forms_of(page: str) -> list[PageForm]:
    parser = _Parser()
    parser.feed(page)
    return parser.forms
