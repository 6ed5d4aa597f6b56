"""The audit report: an agreement's history as a person reads it. Pure: entries in, lines out.

Lines stand in the order of (time, n), since facts of other services are recorded when they arrive, not when they
happened. A signer is called by name from the moment that their name is known. Not every event is a line: only the first
mail that asks a signer, only a signer's first view, no reminder, no deferral, not the second mail to an original signer
beside an alternate (but its bounce). Times are GMT with seconds. An erased payload leaves a neutral line.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import cast

from pydantic import BaseModel, ConfigDict

from shared.events import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    BounceDetected,
    DocumentSigned,
    DocumentViewed,
    EmailSent,
    Event,
    Person,
    SignatureRequested,
    SignerAddressCorrected,
    SignerNameEntered,
    SigningDeclined,
    event_class,
)
from shared.history import Entry
from shared.rendering.minutes import Language
from shared.rendering.report_words import WORDS, Words
from shared.text import email_key

ERASED = "Erased"

_LINES = (
    AgreementCreated,
    EmailSent,
    DocumentViewed,
    SignerNameEntered,
    DocumentSigned,
    BounceDetected,
    AlternateSignerAdded,
    SignerAddressCorrected,
    SigningDeclined,
    AgreementCancelled,
    AgreementExpired,
    AgreementCompleted,
)
_ASKING = frozenset({"signature-request", "alternate-request"})


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReportEntry(_Model):
    """`kind` is the event's name, e.g. `DocumentSigned`, or `Erased`; `detail` the second line: when, from where."""

    kind: str
    text: str
    detail: str


class Report(_Model):
    """`fields` are labels (without colon) and values; `date` is the last line's, in GMT."""

    document_name: str
    heading: str
    date: str
    fields: tuple[tuple[str, str], ...]
    history_heading: str
    entries: tuple[ReportEntry, ...]
    language: Language


class Signature(_Model):
    """A signature that was given. `place` counts from 0 in signing order; `signed_at` is UTC."""

    place: int
    role: str
    name: str
    signed_at: datetime
    ip: str


def build_report(
    entries: Iterable[Entry],
    *,
    language: str | None = None,
    sealed_only: bool = False,
    when: Callable[[datetime], str] | None = None,
) -> Report:
    """The report of a history that begins with entry 0.

    `language` is the agreement's own by default. `sealed_only` leaves out what was recorded after completion, as the
    sealed copy does. `when` writes the entries' times for a page that has another clock. Raises ValueError for no
    entries, pydantic.ValidationError for payloads that are not their events.
    """
    kept = _until_completion(entries) if sealed_only else list(entries)
    if not kept:
        raise ValueError("a history without entries")
    known = _Known([event for entry in kept if (event := entry.event()) is not None])
    spoken = _language(language or known.language)
    words = WORDS[spoken]
    narrator = _Narrator(words, when or _time)
    in_order = sorted(kept, key=lambda entry: (entry.time, entry.n))
    lines = [(entry.time, line) for entry in in_order if (line := narrator.line(entry)) is not None]
    status, ended = _status(kept, words)
    created = min(kept, key=lambda entry: entry.n).time
    name = known.document_name or words.erased
    return Report(
        document_name=name,
        heading=words.final_heading if ended else words.heading,
        date=_date(lines[-1][0] if lines else created),
        fields=(
            (words.created_on, _date(created)),
            (words.created_by, known.sender or words.erased),
            (words.status, status),
            (words.transaction, known.agreement_id or words.erased),
        ),
        history_heading=words.history.format(title=name),
        entries=tuple(line for _, line in lines),
        language=spoken,
    )


def as_text(report: Report) -> str:
    """The whole report as plain text, ending with a newline."""
    lines = [report.document_name, report.heading, report.date, ""]
    lines += [f"{label}: {value}" for label, value in report.fields]
    lines += ["", report.history_heading, ""]
    for entry in report.entries:
        lines += [f"- {entry.text}", f"  {entry.detail}"]
    return "\n".join(lines) + "\n"


def signatures(entries: Iterable[Entry]) -> tuple[Signature, ...]:
    """The signatures in signing order, for the stamps on the final copy. Erased ones are missing."""
    found = [
        Signature(place=event.place, role=event.role, name=event.name, signed_at=entry.time, ip=event.ip)
        for entry in entries
        if isinstance(event := entry.event(), DocumentSigned)
    ]
    return tuple(sorted(found, key=lambda signature: signature.place))


class _Known:
    """What the head of the report says, from whichever entries still tell it."""

    def __init__(self, events: Sequence[Event]) -> None:
        created = next((event for event in events if isinstance(event, AgreementCreated)), None)
        self.language = created.language if created else None
        self.agreement_id = _first(events, "agreement_id")
        self.document_name = _first(events, "document_name")
        sender = next(
            (event.sender for event in events if isinstance(event, AgreementCreated | SignatureRequested)), None
        )
        self.sender = _person(sender) if sender else None


class _Narrator:
    """Tells entries in their order; remembers the names heard and the requests mailed so far."""

    def __init__(self, words: Words, when: Callable[[datetime], str]) -> None:
        self._words = words
        self._time = when
        self._names: dict[str, str] = {}
        self._mailed: set[tuple[str, str]] = set()

    def line(self, entry: Entry) -> ReportEntry | None:
        cls = event_class(entry.type)
        if cls is None:
            return None
        if cls in (AgreementExpired, AgreementCompleted):
            return self._ending(cls, entry)
        event = entry.event()
        if event is None:
            return self._erased(cls, entry)
        self._learn(event)
        text = self._text(event)
        return None if text is None else ReportEntry(kind=cls.__name__, text=text, detail=self._detail(event, entry))

    def _ending(self, cls: type[Event], entry: Entry) -> ReportEntry:
        """These say nothing personal: their header tells it all, and stays when the payload is erased."""
        text = self._words.completed if cls is AgreementCompleted else self._words.expired
        return ReportEntry(kind=cls.__name__, text=text, detail=self._time(entry.time))

    def _erased(self, cls: type[Event], entry: Entry) -> ReportEntry | None:
        if cls not in _LINES:
            return None
        return ReportEntry(kind=ERASED, text=self._words.erased, detail=self._time(entry.time))

    def _text(self, event: Event) -> str | None:
        words = self._words
        match event:
            case AgreementCreated():
                again = event.version > 1
                return (words.created_again if again else words.created).format(
                    by=_person(event.sender), version=event.version
                )
            case EmailSent():
                return self._emailed(event)
            case DocumentViewed():
                return words.viewed.format(who=self._who(event.email)) if event.first else None
            case SignerNameEntered():
                return words.named.format(email=event.email, name=event.name)
            case DocumentSigned():
                return words.signed.format(who=_who(event.email, event.name))
            case BounceDetected():
                return words.bounced.format(email=event.recipient)
            case AlternateSignerAdded():
                old, new = self._who(event.original_email), self._who(event.email)
                return words.alternate.format(by=_person(event.by), old=old, new=new)
            case SignerAddressCorrected():
                self._mailed.discard((event.request_id, email_key(event.email)))
                old, new = self._who(event.original_email), self._who(event.email)
                return words.corrected.format(by=_person(event.by), old=old, new=new)
            case SigningDeclined():
                return words.declined.format(who=self._who(event.email), reason=event.reason)
            case AgreementCancelled():
                return words.cancelled.format(by=_person(event.by), reason=event.reason)
            case _:
                return None

    def _emailed(self, event: EmailSent) -> str | None:
        """A line for the first mail of each request to each address; `request-again` and reminders are none."""
        request = (event.request_id or "", email_key(event.recipient))
        if event.purpose not in _ASKING or request in self._mailed:
            return None
        self._mailed.add(request)
        return self._words.emailed.format(who=self._who(event.recipient))

    def _detail(self, event: Event, entry: Entry) -> str:
        when = self._time(entry.time)
        ip = getattr(event, "ip", None)
        if ip is None:
            return when
        layout = self._words.signature if isinstance(event, DocumentSigned) else self._words.with_ip
        return layout.format(time=when, ip=ip)

    def _learn(self, event: Event) -> None:
        signers = event.signers if isinstance(event, AgreementCreated) else (event,)
        for signer in signers:
            email, name = getattr(signer, "email", None), getattr(signer, "name", None)
            if email is not None and name is not None:
                self._names[email_key(email)] = name

    def _who(self, email: str) -> str:
        return _who(email, self._names.get(email_key(email)))


def _until_completion(entries: Iterable[Entry]) -> list[Entry]:
    kept: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.n):
        kept.append(entry)
        if event_class(entry.type) is AgreementCompleted:
            break
    return kept


def _status(entries: Iterable[Entry], words: Words) -> tuple[str, bool]:
    """The status in words, and whether the agreement has ended (nothing can change any more); told by the headers."""
    classes = {event_class(entry.type) for entry in entries}
    if AgreementCompleted in classes:
        return words.status_signed, True
    if SigningDeclined in classes:
        return words.status_declined, True
    if AgreementCancelled in classes:
        return words.status_cancelled, True
    if AgreementExpired in classes:
        return words.status_expired, True
    return words.status_open, False


def _language(language: str | None) -> Language:
    return cast(Language, language) if language in WORDS else "sv"


def _first(events: Iterable[Event], field: str) -> str | None:
    return next((value for event in events if (value := getattr(event, field, None)) is not None), None)


def _person(person: Person) -> str:
    return _who(person.email, person.name)


def _who(email: str, name: str | None) -> str:
    return f"{name} ({email})" if name else email


def _date(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d - %H:%M:%S} GMT"
