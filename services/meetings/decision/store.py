"""The SQL of the decision register: PostgreSQL's full-text search, by the stems of the language of the minutes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Date,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REGCONFIG, TSQUERY

from services.meetings.decision.decision import FOUND, FOUND_END, Entry, Wanted
from services.meetings.decision.tables import DECISION
from services.meetings.meeting.meeting import Meeting, body_key
from services.meetings.minutes.tables import MINUTES
from shared.errors import NotFound
from shared.messaging.transaction import Transaction
from shared.rendering.minutes import MinutesDocument

_SV, _EN = (cast(literal_column(f"'{name}'"), REGCONFIG) for name in ("swedish", "english"))
# Names have no stems. Between two of them stands a word of their own, so that no phrase reaches from one into the next.
_PLAIN = cast(literal_column("'simple'"), REGCONFIG)
_BETWEEN_NAMES = " 0 "
_IS_ENGLISH = DECISION.c.language == literal_column("'en'")
_CONFIG = case((_IS_ENGLISH, _EN), else_=_SV)

_AGREEMENT = (
    MINUTES.c.organisation == bindparam("of_organisation"),
    MINUTES.c.agreement_id == bindparam("of_agreement"),
)
_SIGNED = select(MINUTES).where(*_AGREEMENT)
_MARK_SIGNED = (
    update(MINUTES)
    .where(*_AGREEMENT, MINUTES.c.ended.is_(None), MINUTES.c.signed_at.is_(None))
    .values(
        signed_at=bindparam("at"),
        render_input=func.coalesce(MINUTES.c.render_input, bindparam("given", type_=MINUTES.c.render_input.type)),
    )
    .returning(MINUTES.c.render_input, MINUTES.c.drafted_at)
)
_OF_MEETING = (DECISION.c.organisation == bindparam("of"), DECISION.c.meeting_id == bindparam("of_meeting"))
_FIND = select(DECISION).where(*_OF_MEETING, DECISION.c.paragraph == bindparam("of_paragraph"))
_REMOVE = delete(DECISION).where(*_OF_MEETING, DECISION.c.version > 0)
# A paragraph that was approved at once is entered by that, and stands when the whole minutes are signed.
_AT_ONCE = select(DECISION.c.paragraph).where(*_OF_MEETING, DECISION.c.version < 0)
_REPLACED = delete(DECISION).where(*_OF_MEETING, DECISION.c.version > 0, DECISION.c.paragraph == bindparam("number"))
_LATER = select(DECISION.c.paragraph).where(*_OF_MEETING, DECISION.c.version > bindparam("of_version")).limit(1)
_ANY = select(DECISION.c.paragraph).where(DECISION.c.organisation == bindparam("of")).limit(1)
_CLAIM = (
    update(DECISION)
    .where(
        DECISION.c.organisation == bindparam("of"),
        DECISION.c.body_id.is_(None),
        DECISION.c.body_key == func.any(bindparam("keys", type_=ARRAY(Text))),
    )
    .values(body_id=bindparam("of_body"))
)


_ADD = text(
    """
    INSERT INTO decision (
        organisation, meeting_id, paragraph, version, agreement_id, document_name, body_id, body, body_key, held_on,
        language, heading, decision, background, people, words, named
    )
    SELECT
        :organisation, :meeting_id, :paragraph, :version, :agreement_id, :document_name, :body_id, :body, :body_key,
        :held_on, :language, :heading, :decision, :background, :people,
        setweight(to_tsvector(config, :titled), 'A') || setweight(to_tsvector(config, :decision), 'B')
            || setweight(to_tsvector(config, :background), 'C'),
        to_tsvector('simple'::regconfig, :names)
    FROM (SELECT CASE WHEN :language = 'en' THEN 'english'::regconfig ELSE 'swedish'::regconfig END AS config) AS chosen
    """
).bindparams(
    *(bindparam(name, type_=Text) for name in ("organisation", "meeting_id", "agreement_id", "document_name")),
    *(bindparam(name, type_=Text) for name in ("body_id", "body", "body_key", "language", "heading", "decision")),
    *(bindparam(name, type_=Text) for name in ("background", "titled", "names")),
    *(bindparam(name, type_=Integer) for name in ("paragraph", "version")),
    bindparam("held_on", type_=Date),
    bindparam("people", type_=JSONB),
)
# Marked by the text's whole length, or, of a background, a few stretches of it.
_WHOLE = f"StartSel={FOUND}, StopSel={FOUND_END}, HighlightAll=true"
_PARTS = f'StartSel={FOUND}, StopSel={FOUND_END}, MaxFragments=3, MaxWords=30, MinWords=12, FragmentDelimiter=" … "'


class DecisionStore(Transaction):
    async def minutes_of_agreement(self, organisation: str, agreement_id: str) -> Any | None:
        """The row of `MINUTES`, or None."""
        key = {"of_organisation": organisation, "of_agreement": agreement_id}
        return (await self.connection.execute(_SIGNED, key)).one_or_none()

    async def minutes_signed(
        self, organisation: str, agreement_id: str, at: datetime, render_input: dict[str, Any] | None
    ) -> Any | None:
        """Keep that everyone signed; `render_input` where minutes have none. None when nothing was to be kept: they are
        signed already, ended, or not ours. Else its `render_input` and `drafted_at`."""
        key = {"of_organisation": organisation, "of_agreement": agreement_id, "at": at, "given": render_input}
        return (await self.connection.execute(_MARK_SIGNED, key)).one_or_none()

    async def enter_decisions(
        self, organisation: str, meeting: Meeting, minutes: Any, document: MinutesDocument, entries: Sequence[Entry]
    ) -> None:
        """In place of those of an older version; nothing where those of a later one stand.

        Of agreements about one meeting any may be entered first: a timer is tried again when a document was away. The
        meeting is locked, so that two that fire at once see each other's.
        """
        key = {"of": organisation, "of_meeting": meeting.id, "of_version": minutes.version}
        approved = set((await self.connection.execute(_AT_ONCE, key)).scalars())
        entries = [entry for entry in entries if entry.paragraph not in approved]
        if minutes.version > 0:
            if (await self.connection.execute(_LATER, key)).first() is not None:
                return
            await self.connection.execute(_REMOVE, key)
        elif entries:
            await self.connection.execute(_REPLACED, [{**key, "number": entry.paragraph} for entry in entries])
        rows = [
            {
                "organisation": organisation,
                "meeting_id": meeting.id,
                "version": minutes.version,
                "agreement_id": minutes.agreement_id,
                "document_name": minutes.document_name,
                "body_id": meeting.body_id,
                "body": document.body,
                "body_key": body_key(document.body),
                "held_on": document.starts.date(),
                "language": document.language,
                "titled": f"§ {entry.paragraph} {entry.heading}",
                "names": _BETWEEN_NAMES.join(entry.people),
                **entry.model_dump(mode="json"),
            }
            for entry in entries
        ]
        if rows:
            await self.connection.execute(_ADD, rows)

    async def find_decisions(
        self, organisation: str, wanted: Wanted, *, skipped: int, most: int
    ) -> tuple[list[Any], int]:
        """Rows of `DECISION` with `marked_heading`, `marked_decision` and `marked_background`, the best first (without
        words, the latest first), and how many there are in all. Of a background only what was found is marked."""
        found = _matching(organisation, wanted)
        total = (await self.connection.execute(select(func.count()).select_from(found.subquery()))).scalar_one()
        if not total:
            return [], 0
        rows = await self.connection.execute(_page(found, wanted, skipped=skipped, most=most))
        return list(rows), total

    async def decision(self, organisation: str, meeting_id: str, paragraph: int) -> Any:
        """The row of `DECISION`. Raises NotFound."""
        key = {"of": organisation, "of_meeting": meeting_id, "of_paragraph": paragraph}
        row = (await self.connection.execute(_FIND, key)).one_or_none()
        if row is None:
            raise NotFound("there is no such decision", hint="a paragraph is one once everyone has signed its minutes")
        return row

    async def has_decisions(self, organisation: str) -> bool:
        return (await self.connection.execute(_ANY, {"of": organisation})).first() is not None

    async def claim_decisions(self, organisation: str, body_id: str, keys: Collection[str]) -> None:
        """Those of no body that the register knew, whose body's name is one of `keys`, become that body's."""
        await self.connection.execute(_CLAIM, {"of": organisation, "keys": sorted(keys), "of_body": body_id})


def _swedish(words: str) -> Any:
    """A longer stem finds the compounds that begin with it as well; and since PostgreSQL's stemmer leaves `-et` where
    it is, `uppdrag` and `uppdraget` find each other. A lexeme is written as `'stem'`, without spaces in it."""
    stems: Any = cast(func.websearch_to_tsquery(_SV, literal(words, Text)), Text)
    for lexeme, wider in ((r"'([^'\\ ]{4,})(?<!et)'", r"'\1':*"), (r"'([^'\\ ]{3,})et'", r"( '\1et':* | '\1' )")):
        stems = func.regexp_replace(stems, literal(lexeme, Text), literal(wider, Text), literal("g", Text))
    return _once(cast(stems, TSQUERY))


def _english(words: str) -> Any:
    return _once(func.websearch_to_tsquery(_EN, literal(words, Text)))


def _once(query: Any) -> Any:
    """A generic plan, which does not know the words, would make the query anew for each row that it looks at."""
    return select(query).scalar_subquery()


def _matching(organisation: str, wanted: Wanted) -> Select[Any]:
    query = select(DECISION).where(DECISION.c.organisation == organisation)
    if wanted.words:
        swedish, english = _swedish(wanted.words), _english(wanted.words)
        query = query.where(
            or_(
                and_(DECISION.c.words.op("@@")(swedish), ~_IS_ENGLISH),
                and_(DECISION.c.words.op("@@")(english), _IS_ENGLISH),
            )
        )
    if wanted.person:
        query = query.where(
            DECISION.c.named.op("@@")(_once(func.phraseto_tsquery(_PLAIN, literal(wanted.person, Text))))
        )
    if wanted.body:
        query = query.where(DECISION.c.body_id == wanted.body)
    if wanted.since:
        query = query.where(DECISION.c.held_on >= wanted.since)
    if wanted.until:
        query = query.where(DECISION.c.held_on <= wanted.until)
    return query


def _page(found: Select[Any], wanted: Wanted, *, skipped: int, most: int) -> Select[Any]:
    """Marking costs more than finding: only what is shown is marked."""
    order: list[Any] = [DECISION.c.held_on.desc(), DECISION.c.meeting_id, DECISION.c.paragraph]
    if not wanted.words:
        return (
            found.add_columns(*(literal("").label(f"marked_{name}") for name in ("heading", "decision", "background")))
            .order_by(*order)
            .offset(skipped)
            .limit(most)
        )
    query = case((_IS_ENGLISH, _english(wanted.words)), else_=_swedish(wanted.words))
    order.insert(0, func.ts_rank(DECISION.c.words, query, 1).desc())
    ranked = found.add_columns(
        func.row_number().over(order_by=order).label("place"), _CONFIG.label("config"), query.label("query")
    )
    page = ranked.order_by(*order).offset(skipped).limit(most).subquery("page")
    return select(
        page,
        *(
            func.ts_headline(page.c.config, page.c[name], page.c.query, options).label(f"marked_{name}")
            for name, options in (("heading", _WHOLE), ("decision", _WHOLE), ("background", _PARTS))
        ),
    ).order_by(page.c.place)
