"""The page where a Word document, or a file of minutes in Markdown, becomes the draft of minutes."""

import re
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.meetings.manuscript.commands import Desk
from services.meetings.manuscript.manuscript import Manuscript, Remark, Source
from services.meetings.minutes.word_package import MAX_WORD
from services.meetings.pages.manuscript_desk import AT, facts_of, why_of
from services.meetings.pages.office import READER, SECRETARY, Fields, OfficePages, back, get, version_of, wrong
from shared.auth import Principal
from shared.errors import InvalidInput, Refused, TooLarge
from shared.text_file import read_text
from shared.web import Field, form_text, form_upload, large_file_form

# What a document is refused for, by what the refusal says; the text key below `error.word.`.
_WHY_WORD = {
    r"a Word document has at most": "too_large",
    r"the Word document unpacks|the text of the Word document|.*nested too deeply|.*takes longer": "too_long",
    r"the file is no Word document": "no_word",
    r".*holds macros": "macros",
    r".*from elsewhere": "external",
    r"no paragraph was found": "no_paragraph",
    r".*(is damaged|does not write)": "damaged",
    r"minutes have at most": "too_many",
    r"the minutes are longer": "long_text",
    r"the minutes have no fields": "no_fields",
    r"line \d+: text before": "before_first",
    r".*(is no text|is a workbook)": "no_text",
}
# What of a Word document was not kept, by how the sentence begins; the text key below `manuscript.not_kept.`.
_NOT_KEPT = {
    r"a picture": "picture",
    r"the look of the style (?P<about>.*) \(its text": "style",
    r"struck-through": "struck",
    r"a table inside": "inner_table",
    r"merged cells": "merged",
    r"the address behind": "link",
    r"a list inside": "inner_list",
    r"the level of": "level",
    r"a table of more": "wide_table",
    r"tracked changes": "tracked",
    r"comments": "comments",
    r"heads and feet": "heads",
    r"an embedded": "embedded",
    r"before the first paragraph: (?P<about>.*)": "before",
}
_MARKDOWN = (".md", ".markdown", ".txt")  # what such a file's name ends with
_LARGEST_FORM = 2 * MAX_WORD
"""A file somewhat too large is told of at its field; a far larger one by a page, before it has arrived."""


class ManuscriptWordPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, f"{AT}/word", self.office_manuscript_word)
        router.add_api_route(
            f"{AT}/word",
            self.office_manuscript_word_read,
            methods=["POST"],
            response_model=None,
            dependencies=[large_file_form(MAX_WORD, _LARGEST_FORM)],
        )

    async def office_manuscript_word(
        self, request: Request, meeting_id: str, principal: Principal = READER
    ) -> Response:
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        return self._word(request, principal, desk, {"file": Field("file")})

    async def office_manuscript_word_read(
        self, request: Request, meeting_id: str, principal: Principal = SECRETARY
    ) -> Response:
        """What the document says becomes the draft, in the place of one that was seen."""
        desk = await self._commands.manuscripts.desk(principal.organisation, meeting_id)
        seen = version_of(await form_text(request, "version"))
        fields, meanwhile = {"file": Field("file")}, False
        file = await form_upload(request, "file")
        wrong(fields, "file", "word.none" if file is None else None)
        if file is not None:
            try:
                content = await file.read(MAX_WORD + 1)
                markdown, source, remarks = await self._read(principal, meeting_id, file.filename or "", content)
                await self._commands.manuscripts.put(
                    principal.organisation, meeting_id, markdown, source, remarks, seen=seen
                )
                return back(request, "office_manuscript", f"{source}-read", meeting_id=meeting_id)
            except (InvalidInput, TooLarge, Refused) as error:
                why = why_of(_WHY_WORD, error.message)
                meanwhile = isinstance(error, Refused) and why is None
                if not meanwhile:
                    wrong(fields, "file", f"word.{why or 'other'}")
        return self._word(request, principal, desk, fields, meanwhile=meanwhile)

    async def _read(
        self, principal: Principal, meeting_id: str, name: str, content: bytes
    ) -> tuple[str, Source, Sequence[Remark]]:
        """A whole file of minutes, by what the file is called. Raises InvalidInput, TooLarge."""
        if name.lower().endswith(_MARKDOWN):
            return read_text(content, "the file"), Source.TEXT, ()
        found = await self._commands.minutes.from_word(principal.organisation, meeting_id, content)
        return found.markdown, Source.WORD, [Remark(what="not_kept", about=one) for one in found.not_kept]

    def _word(
        self, request: Request, principal: Principal, desk: Desk, fields: Fields, *, meanwhile: bool = False
    ) -> Response:
        return self._page(
            request,
            "office/manuscript_word.html",
            principal,
            fields=fields,
            refused=meanwhile,
            meanwhile=meanwhile,
            most=MAX_WORD,
            **facts_of(desk),
        )


def not_kept_of(manuscript: Manuscript) -> list[tuple[str, str]]:
    """Of a Word document: the text key, empty for a sentence that has none, and what it is about."""
    said = []
    for remark in manuscript.remarks:
        if remark.what == "not_kept":
            found = ((key, re.match(pattern, remark.about)) for pattern, key in _NOT_KEPT.items())
            key, match = next(((key, match) for key, match in found if match), ("", None))
            said.append((key, (match.groupdict().get("about") or "") if match else remark.about))
    return said
