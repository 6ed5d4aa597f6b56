"""The public rendition of signed minutes: names and passages that a person confirmed are masked, and gone. Pure.

What is masked is replaced in the data that the pages are set from, before anything is set: there is no text below a
bar, in the file or its text layer. Every text of the document is looked at, whatever field it stands in, so that a new
field is masked, too. Signatures stand with names and times; addresses, IP addresses, the audit report and the original
are no part of it, and annexes are only listed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput, Refused
from shared.rendering.minutes import Language, MinutesDocument, Stamp, initials_of
from shared.rendering.render import page_data
from shared.rendering.typesetting import Job

MOST_MASKS = 200
LONGEST_MASK = 10_000  # characters
SHORTEST_MASK = 2  # a letter alone stands in every word

_INSTEAD: dict[Language, str] = {"sv": "[maskerat]", "en": "[masked]"}
# What programs read: no text of people.
_TECHNICAL = frozenset(
    {"kind", "align", "language", "timezone", "template_version", "starts", "ends", "content", "colour", "type"}
)
_SHOWN = 40  # characters to either side


class Mask(BaseModel):
    """A name, wherever it stands, also as `Bergs`; or a passage of one paragraph, or of all when that is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["name", "passage"]
    text: str = Field(max_length=LONGEST_MASK)
    paragraph: int | None = None


class Hit(BaseModel):
    """Where something would be masked: `paragraph` is None before the first and after the last one."""

    model_config = ConfigDict(frozen=True)

    mask: int = Field(description="which of the masks, from 0")
    paragraph: int | None
    before: str
    masked: str
    after: str


class Masking(BaseModel):
    """What a person looks at, and confirms by `pin`: of these minutes, and of nothing but these masks."""

    model_config = ConfigDict(frozen=True)

    hits: tuple[Hit, ...]
    unused: tuple[int, ...] = Field(description="masks that stand nowhere")
    pin: str


def masking(document: MinutesDocument, masks: Sequence[Mask]) -> Masking:
    """What the masks would take away. Raises InvalidInput for one that cannot be meant, and for too many."""
    _require_few(masks)
    patterns = _patterns(masks)
    hits = tuple(_hits(document, masks, patterns))
    found = {hit.mask for hit in hits}
    unused = tuple(number for number in range(len(masks)) if number not in found)
    return Masking(hits=hits, unused=unused, pin=_pin(document, masks))


def masked(document: MinutesDocument, masks: Sequence[Mask], *, confirmed: str) -> MinutesDocument:
    """The minutes without what is masked. `confirmed`: the pin of what the person looked at.

    Raises Refused when that was another document, or other masks; InvalidInput.
    """
    _require_few(masks)
    if confirmed != _pin(document, masks):
        raise Refused("what is masked is not what was looked at", hint="look at it again, and confirm it then")
    made = _masked(document.model_dump(), None, masks, _patterns(masks), _INSTEAD[document.language])
    made["annexes"] = [annex | {"bound": False} for annex in made["annexes"]]
    return MinutesDocument.model_validate(made)


def masked_stamps(stamps: Sequence[Stamp], masks: Sequence[Mask], language: Language) -> tuple[Stamp, ...]:
    """Who signed when, with the names that are not masked."""
    patterns = _patterns(masks)
    wide = [pattern for mask, pattern in zip(masks, patterns, strict=True) if mask.paragraph is None]
    return tuple(one.model_copy(update={"name": _replaced(one.name, wide, _INSTEAD[language])}) for one in stamps)


def masked_text(text: str, masks: Sequence[Mask], language: Language) -> str:
    """A text that stands beside the minutes, such as an item's title, without what is masked in any paragraph."""
    return _replaced(text, _patterns(masks), _INSTEAD[language])


def public_job(
    document: MinutesDocument, stamps: Sequence[Stamp], masks: Sequence[Mask], *, confirmed: str, at: datetime
) -> Job:
    """The pages to be set. Nothing is attached. Raises as `masked`."""
    public = masked(document, masks, confirmed=confirmed)
    signed = masked_stamps(stamps, masks, document.language)
    return Job(f"v{public.template_version}", page_data(public, signed, tuple(initials_of(signed))), at)


def _require_few(masks: Sequence[Mask]) -> None:
    """Where they are given: what several documents mask together, as `masked_text` is asked for, may be more."""
    if len(masks) > MOST_MASKS:
        raise InvalidInput(f"masks: more than {MOST_MASKS}")


def _patterns(masks: Sequence[Mask]) -> list[re.Pattern[str]]:
    return [_pattern(number, mask) for number, mask in enumerate(masks, 1)]


def _pattern(number: int, mask: Mask) -> re.Pattern[str]:
    words = mask.text.split()
    if len("".join(words)) < SHORTEST_MASK:
        raise InvalidInput(f"masks, number {number}: is shorter than {SHORTEST_MASK} characters")
    text = r"\s+".join(re.escape(word) for word in words)
    return re.compile(rf"(?<!\w){text}s?(?!\w)" if mask.kind == "name" else text, re.IGNORECASE)


def _hits(document: MinutesDocument, masks: Sequence[Mask], patterns: Sequence[re.Pattern[str]]) -> Iterator[Hit]:
    for paragraph, text in _texts(document.model_dump(), None):
        for number, (mask, pattern) in enumerate(zip(masks, patterns, strict=True)):
            if mask.paragraph in (None, paragraph):
                for found in pattern.finditer(text):
                    begin, end = found.span()
                    yield Hit(
                        mask=number,
                        paragraph=paragraph,
                        before=text[max(0, begin - _SHOWN) : begin],
                        masked=found[0],
                        after=text[end : end + _SHOWN],
                    )


def _texts(value: Any, paragraph: int | None) -> Iterator[tuple[int | None, str]]:
    """All texts of people, each with its paragraph; runs of one line as one text."""
    if isinstance(value, str):
        yield paragraph, value
    elif _is_line(value):
        yield paragraph, "".join(run["text"] for run in value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, paragraph)
    elif isinstance(value, dict):
        inside = value["number"] if "blocks" in value else paragraph
        for key, one in value.items():
            if key not in _TECHNICAL:
                yield from _texts(one, inside)


def _masked(
    value: Any, paragraph: int | None, masks: Sequence[Mask], patterns: Sequence[re.Pattern[str]], instead: str
) -> Any:
    here = [one for mask, one in zip(masks, patterns, strict=True) if mask.paragraph in (None, paragraph)]
    if isinstance(value, str):
        return _replaced(value, here, instead)
    if _is_line(value):
        return _line(value, here, instead)
    if isinstance(value, list | tuple):
        return [_masked(one, paragraph, masks, patterns, instead) for one in value]
    if isinstance(value, dict):
        inside = value["number"] if "blocks" in value else paragraph
        return {
            key: one if key in _TECHNICAL else _masked(one, inside, masks, patterns, instead)
            for key, one in value.items()
        }
    return value


def _is_line(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(one, dict) and one.keys() == {"text", "bold", "italic"} for one in value)
    )


def _replaced(text: str, patterns: Sequence[re.Pattern[str]], instead: str) -> str:
    spans = _spans(text, patterns)
    kept = [text[begin:end] for begin, end in _between(spans, len(text))]
    return instead.join(kept)


def _line(runs: Sequence[dict[str, Any]], patterns: Sequence[re.Pattern[str]], instead: str) -> list[dict[str, Any]]:
    """A name may begin in one style and end in another: what stands for it has the style that it begins in."""
    text = "".join(run["text"] for run in runs)
    spans = _spans(text, patterns)
    made = []
    for run, (begin, end) in zip(runs, pairwise([0, *accumulate(len(run["text"]) for run in runs)]), strict=True):
        part, at = "", begin
        for first, last in spans:
            if last <= begin or first >= end:
                continue
            part += text[at : max(at, first)] + (instead if first >= begin else "")
            at = min(end, last)
        part += text[at:end]
        if part:
            made.append(run | {"text": part})
    return made


def _spans(text: str, patterns: Sequence[re.Pattern[str]]) -> list[tuple[int, int]]:
    """What is masked, in order; what overlaps or touches is one."""
    found = sorted(match.span() for pattern in patterns for match in pattern.finditer(text))
    merged: list[tuple[int, int]] = []
    for begin, end in found:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _between(spans: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    edges = [0, *(edge for span in spans for edge in span), length]
    yield from zip(edges[::2], edges[1::2], strict=True)


def _pin(document: MinutesDocument, masks: Sequence[Mask]) -> str:
    said = [document.model_dump_json(), [mask.model_dump() for mask in masks]]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
