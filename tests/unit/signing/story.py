"""An agreement told step by step: decisions taken, events applied and chained, as the signing service does it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.signing import decisions, remedies
from services.signing.agreement import Agreement, request_for_email
from services.signing.asking import Decision
from services.signing.evolving import evolve
from services.signing.growth import within_limit
from shared import history
from shared.events import (
    BlobRef,
    BounceDetected,
    EmailDeferred,
    EmailSent,
    Person,
    ProtocolDrafted,
    SignatureRequested,
    SignerInvitation,
)

AGREEMENT_ID = "NorrdalenStyrelsen2022-09-23_abcdefghijklmnop"[:44]
DOCUMENT = BlobRef(sha256="ab" * 32, size=4711, media_type="application/pdf")
SENDER = Person(email="karin.ek@norrdalen.example", name="Karin Ek")
SECRETARY = "maja.lind@norrdalen.example"
CHAIR = "olof.berg@bjorka.example"
ADJUSTER = "sven.dahl@norrdalen.example"
ALTERNATE = "sven.dahl@granvik.example"
SENDER_IP = "192.0.2.1"
SIGNERS = (
    SignerInvitation(role="secretary", email=SECRETARY, name="Maja Lind"),
    SignerInvitation(role="chair", email=CHAIR),
    SignerInvitation(role="adjuster", email=ADJUSTER),
)
EXPIRES = datetime(2022, 10, 26, 8, 0, tzinfo=UTC)

_MAIL_PURPOSES = {"first": "signature-request", "alternate": "alternate-request", "again": "request-again"}


def at(text: str) -> datetime:
    """`08:41:44` on the day of the story, or a whole time of its own."""
    return datetime.fromisoformat(text if "T" in text else f"2022-09-26T{text}").replace(tzinfo=UTC)


def draft(
    *, language: str = "sv", signers: Sequence[SignerInvitation] = SIGNERS, sender: Person = SENDER
) -> ProtocolDrafted:
    return ProtocolDrafted(
        meeting_id="meeting-1",
        agreement_id=AGREEMENT_ID,
        document_name="Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23",
        body="Styrelsen",
        year=2022,
        first_paragraph=28,
        last_paragraph=36,
        pdf=DOCUMENT,
        render_input=BlobRef(sha256="cd" * 32, size=815, media_type="application/json"),
        template_version="1",
        sender=sender,
        sender_ip=SENDER_IP,
        signers=tuple(signers),
        language=language,
        timezone="Europe/Stockholm",
    )


class Story:
    """`state` and `entries` after the steps so far. A refused step raises and changes nothing."""

    def __init__(self, when: str = "08:41:44", **drafted: object) -> None:
        self.entries: list[history.Entry] = []
        self.queued: list[SignatureRequested] = []
        self._mails = 0
        self._state: Agreement | None = None
        self._happen(decisions.create(draft(**drafted), at(when)))  # type: ignore[arg-type]

    @property
    def state(self) -> Agreement:
        assert self._state is not None
        return self._state

    @property
    def events(self) -> list[str]:
        return [type(entry.event()).__name__ for entry in self.entries]

    @property
    def last_time(self) -> datetime:
        return self.entries[-1].time

    def send_off(self, when: str = "08:45:00") -> None:
        self._happen(decisions.send_off(self.state, expires=EXPIRES, at=at(when)))

    def deliver(self, when: str, email: str) -> None:
        """The oldest waiting mail to `email` goes out."""
        request = next(request for request in self.queued if request.email == email)
        self.queued.remove(request)
        self.mail_sent(when, email, purpose=_MAIL_PURPOSES[request.purpose], version=request.version)

    def mail_sent(
        self, when: str, email: str, *, purpose: str = "signature-request", version: int | None = None
    ) -> None:
        self._mails += 1
        fact = EmailSent(**self._mail(email, purpose, version), message_id="<1@norrdalen.example>")
        self._happen(decisions.record_email_sent(self.state, fact, at(when)))

    def defer(self, when: str, email: str, diagnostic: str = "greylisted") -> None:
        fact = EmailDeferred(**self._mail(email, "signature-request"), status="4.2.0", diagnostic=diagnostic)
        self._happen(decisions.record_deferral(self.state, fact, at(when)))

    def bounce(
        self,
        when: str,
        email: str,
        *,
        purpose: str = "signature-request",
        status: str = "5.1.1",
        request_id: str | None = None,
        version: int | None = None,
    ) -> None:
        """Of the last mail that was sent."""
        mail = self._mail(email, purpose, version, request_id)
        fact = BounceDetected(**mail, status=status, diagnostic="550 no such user", permanent=status.startswith("5"))
        self._happen(decisions.record_bounce(self.state, fact, at(when)))

    def view(self, when: str, email: str, ip: str = "198.51.100.7") -> None:
        self._happen(decisions.view(self.state, self.id(email), ip=ip, at=at(when)))

    def enter_name(self, when: str, email: str, name: str, ip: str = "198.51.100.7") -> None:
        self._happen(decisions.enter_name(self.state, self.id(email), name, ip=ip, at=at(when)))

    def sign(self, when: str, email: str, ip: str = "198.51.100.7") -> None:
        self._happen(decisions.sign(self.state, self.id(email), ip=ip, at=at(when)))

    def add_alternate(self, when: str, original: str, email: str, name: str | None = None) -> None:
        self._happen(remedies.add_alternate(self.state, original, email, name=name, ip=SENDER_IP, at=at(when)))

    def correct_address(self, when: str, original: str, email: str) -> None:
        self._happen(remedies.correct_address(self.state, original, email, ip=SENDER_IP, at=at(when)))

    def revoke(self, when: str, email: str) -> None:
        self._happen(remedies.revoke_link(self.state, email, ip=SENDER_IP, at=at(when)))

    def revoke_all(self, when: str) -> None:
        self._happen(remedies.revoke_links(self.state, ip=SENDER_IP, at=at(when)))

    def sign_named(self, when: str, email: str, name: str) -> None:
        self.view(when, email)
        self.enter_name(when, email, name)
        self.sign(when, email)

    def ask_again(self, when: str, email: str) -> None:
        self._happen(remedies.ask_again(self.state, email, at=at(when)))

    def extend(self, when: str, until: str) -> None:
        self._happen(remedies.extend(self.state, at(until), ip=SENDER_IP, at=at(when)))

    def decline(self, when: str, email: str, reason: str, ip: str = "198.51.100.7") -> None:
        self._happen(decisions.decline(self.state, self.id(email), reason, ip=ip, at=at(when)))

    def cancel(self, when: str, reason: str) -> None:
        self._happen(decisions.cancel(self.state, reason, ip=SENDER_IP, at=at(when)))

    def remind(self, when: str) -> None:
        self._happen(decisions.remind(self.state, at=at(when)))

    def expire(self, when: str) -> None:
        self._happen(decisions.expire(self.state, at=at(when)))

    def id(self, email: str) -> str:
        return request_for_email(self.state, email).id

    def history_json(self) -> bytes:
        return history.export(self.entries, agreement_id=AGREEMENT_ID, document_sha256=DOCUMENT.sha256)

    def _mail(
        self, email: str, purpose: str, version: int | None = None, request_id: str | None = None
    ) -> dict[str, Any]:
        return {
            "email_id": f"mail-{self._mails}",
            "agreement_id": AGREEMENT_ID,
            "purpose": purpose,
            "recipient": email,
            "request_id": request_id or self.id(email),
            "request_version": version,
        }

    def _happen(self, decision: Decision) -> None:
        for event, when in decision if self._state is None else within_limit(self._state, decision):
            self._state = evolve(self._state, event, when)
            n = len(self.entries)
            previous = self.entries[-1].hash if n else history.start(AGREEMENT_ID, DOCUMENT.sha256)
            salt = n.to_bytes(2, "big") * 16
            self.entries.append(history.append(previous, n, event, time=when, recorded=when, salt=salt))
            if isinstance(event, SignatureRequested):
                self.queued.append(event)


def seed_story(language: str = "sv") -> Story:
    """The real history that the project mirrors, with invented people: a bounce, an alternate signer, completion."""
    story = Story(language=language)
    story.send_off("08:48:40")
    story.deliver("08:48:43", SECRETARY)
    story.view("08:58:26", SECRETARY, "198.51.100.7")
    story.sign("08:58:35", SECRETARY, "198.51.100.7")
    story.deliver("08:58:37", CHAIR)
    story.view("09:06:35", CHAIR, "203.0.113.66")
    story.enter_name("09:09:56", CHAIR, "Olof Berg", "203.0.113.66")
    story.sign("09:09:58", CHAIR, "203.0.113.66")
    story.deliver("09:09:59", ADJUSTER)
    story.bounce("09:10:09", ADJUSTER)
    story.add_alternate("10:56:34", ADJUSTER, ALTERNATE)
    story.deliver("10:56:34", ALTERNATE)
    story.ask_again("10:56:34", ADJUSTER)
    story.deliver("10:56:35", ADJUSTER)
    story.bounce("10:56:45", ADJUSTER, purpose="request-again")
    story.view("22:02:12", ALTERNATE, "2001:db8::211:58")
    story.enter_name("22:04:46", ALTERNATE, "Sven Dahl", "2001:db8::211:58")
    story.sign("22:04:49", ALTERNATE, "2001:db8::211:58")
    return story
