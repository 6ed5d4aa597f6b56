"""A draft catches up with a sitting that was corrected after it was written. Pure.

Each piece knows what was written of the sitting for it (`Piece.written`). What is written of the sitting now is
compared with that, not with what somebody made of it: so only what was corrected is news. Taken over, the correction
and what was edited are put together; where both changed one passage, what was edited stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from services.meetings.manuscript.manuscript import Manuscript, Piece, Source, begun, with_fields, within_size
from services.meetings.minutes.fields import COLUMNS, LINES, in_a_form, of_a_form
from services.meetings.minutes.from_sitting import FromSitting
from services.meetings.versions import require_version
from shared.errors import NotFound

FIELDS = "fields"
"""The key of the news about the fields; that about a paragraph is its item's id."""


@dataclass(frozen=True, slots=True)
class News:
    """`key`: `FIELDS`, or the item's id. `edited`: somebody changed what was written; what they wrote is kept.

    `before`, `now`: the passages that differ in what is written of the sitting. `piece_id`: of the draft; none when the
    item is new.
    """

    key: str
    what: Literal["changed", "added", "gone", "fields"]
    heading: str = ""
    piece_id: str | None = None
    edited: bool = False
    before: tuple[str, ...] = ()
    now: tuple[str, ...] = ()


def news(there: Manuscript, written: FromSitting) -> list[News]:
    """`written`: of the sitting as it is now. The paragraphs in their order, then those that are gone, then the fields;
    none of a draft that was not written of a sitting."""
    if there.fields_written is None:
        return []
    made, found = _made(written), list[News]()
    for item_id, piece in made.items():
        mine = _of_item(there, item_id)
        if mine is None:
            found.append(News(item_id, "added", piece.heading, now=tuple(_blocks(piece.text)[1:])))
        elif mine.written is not None and mine.written != piece.text:
            before, now = _differing(_blocks(mine.written), _blocks(piece.text))
            edited = mine.text != mine.written
            found.append(News(item_id, "changed", mine.heading, mine.id, edited, before, now))
    for mine in there.pieces:
        if mine.item_id is not None and mine.item_id not in made:
            found.append(News(mine.item_id, "gone", mine.heading, mine.id, mine.text != mine.written))
    was, then, mine_now = (in_a_form(one) for one in (there.fields_written, _fields_of(written), there.fields))
    if was != then:
        pairs = [_differing(was[name].split("\n"), then[name].split("\n")) for name in was]
        before, now = (tuple(line for pair in pairs for line in pair[side] if line) for side in (0, 1))
        found.append(News(FIELDS, "fields", edited=mine_now != was, before=before, now=now))
    return found


def caught_up(there: Manuscript, written: FromSitting, key: str, body: str, *, seen: int) -> tuple[Manuscript, bool]:
    """With the correction that `key` is of, and whether all of it could be taken over: what somebody edited is kept.

    Raises NotFound, Refused (changed since), InvalidInput (the fields do not fit the paragraphs), TooLarge.
    """
    require_version("the draft", there.version, seen)
    one = next((one for one in news(there, written) if one.key == key), None)
    if one is None:
        raise NotFound("the draft says what the sitting says", hint="look at the draft again")
    if one.what == "fields":
        return _fields_caught_up(there, _fields_of(written), body)
    made = _made(written)
    version = there.version + 1
    if one.what == "gone":
        left = tuple(piece for piece in there.pieces if piece.item_id != key)
        if one.edited or not left:  # somebody's text, or the last paragraph: theirs to remove
            return there, False
        return there.model_copy(update={"version": version, "pieces": left}), True
    new = made[key]
    if one.what == "added":
        number = there.made + 1
        fresh = new.model_copy(update={"id": f"p{number}", "version": version, "item_id": key, "written": new.text})
        place = _place_of(there, list(made), key)
        pieces = (*there.pieces[:place], fresh, *there.pieces[place:])
        return within_size(there.model_copy(update={"version": version, "made": number, "pieces": pieces})), True
    all_pieces, whole = list[Piece](), True
    for mine in there.pieces:
        if mine.item_id == key and mine.written is not None:
            blocks, whole = put_together(*(_blocks(text) for text in (mine.written, mine.text, new.text)))
            update = {"text": "\n\n".join(blocks), "written": new.text, "version": version}
            mine = mine.model_copy(update=update)
        all_pieces.append(mine)
    return within_size(there.model_copy(update={"version": version, "pieces": tuple(all_pieces)})), whole


def put_together(was: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> tuple[list[str], bool]:
    """What two made of one text, passage by passage; where both changed one, `mine` stays, and the second is False."""
    in_mine, in_theirs = _same(was, mine), _same(was, theirs)
    made, whole = list[str](), True
    at = (0, 0, 0)
    for anchor in (*sorted(in_mine.keys() & in_theirs.keys()), None):
        ends = (len(was), len(mine), len(theirs)) if anchor is None else (anchor, in_mine[anchor], in_theirs[anchor])
        old, ours, new = was[at[0] : ends[0]], mine[at[1] : ends[1]], theirs[at[2] : ends[2]]
        if ours == old:
            made += new
        else:
            made += ours
            whole = whole and new in (old, ours)
        if anchor is not None:
            made.append(was[anchor])
            at = (ends[0] + 1, ends[1] + 1, ends[2] + 1)
    return made, whole


def _fields_caught_up(there: Manuscript, fields: str, body: str) -> tuple[Manuscript, bool]:
    was, now, mine = (in_a_form(text) for text in (there.fields_written or "", fields, there.fields))
    form, whole = dict[str, str](), True
    for name in (*LINES, *COLUMNS):
        lines, all_of_it = put_together(*(one[name].split("\n") for one in (was, mine, now)))
        form[name], whole = "\n".join(lines), whole and all_of_it
    made = with_fields(there, of_a_form(form, body), seen=None)
    return made.model_copy(update={"fields_written": fields}), whole


def _made(written: FromSitting) -> dict[str, Piece]:
    pieces = begun(written.markdown, Source.SITTING).pieces
    return dict(zip(written.items, pieces, strict=True))


def _fields_of(written: FromSitting) -> str:
    return begun(written.markdown, Source.SITTING).fields


def _of_item(there: Manuscript, item_id: str) -> Piece | None:
    return next((piece for piece in there.pieces if piece.item_id == item_id), None)


def _place_of(there: Manuscript, items: Sequence[str], key: str) -> int:
    """Behind the paragraph of the last item before it that the draft has; else at its beginning."""
    before = set(items[: items.index(key)])
    return max((place for place, piece in enumerate(there.pieces, 1) if piece.item_id in before), default=0)


def _blocks(text: str) -> list[str]:
    return text.split("\n\n")


def _differing(before: Sequence[str], now: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    same = _same(before, now)
    kept = set(same.values())
    return (
        tuple(one for place, one in enumerate(before) if place not in same),
        tuple(one for place, one in enumerate(now) if place not in kept),
    )


def _same(before: Sequence[str], now: Sequence[str]) -> dict[int, int]:
    """Where what is kept of `before` stands in `now`; both ascend."""
    blocks = SequenceMatcher(None, before, now, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}
