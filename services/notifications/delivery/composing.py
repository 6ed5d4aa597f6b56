"""From a stored delivery to the mail and its envelope: the same each time; links are derived here, stored nowhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import parseaddr

from services.notifications import verp
from services.notifications.delivery.delivery import ASKING, INVITING, UNINVITING, Delivery
from services.notifications.invitation import invitation as invitations
from services.notifications.invitation.invitation import Invitation, Method
from services.notifications.letter import meeting_words
from services.notifications.letter.languages import Language
from services.notifications.letter.letter import Letter, Person, Purpose, ascii_address, compose, is_link, message_id
from services.notifications.letter.meeting_words import MeetingFacts
from shared import links
from shared.calendars import TO_JOIN, meeting_uid
from shared.events import Person as KnownPerson
from shared.events.notices import JOIN
from shared.keys import KeyRing, parse_keys
from shared.links import Link
from shared.organisations import KnownOrganisations
from shared.sealed import unseal
from shared.settings import Settings

# With a link to the reader's own page, and nothing to answer.
_TO_MEMBER = frozenset(
    {Purpose.PAPERS_PUBLISHED, Purpose.QUORUM_AT_RISK, Purpose.PROPOSAL_TAKEN, Purpose.PROPOSAL_DECLINED}
)
_WANTING_AN_ANSWER = INVITING | {Purpose.NOTICE_REMINDER}
_TO_REVIEWER = frozenset({Purpose.REVIEW, Purpose.REVIEW_AGAIN})
_TO_WRITER = frozenset({Purpose.REVIEW_COMMENTED, Purpose.REVIEW_AGREED, Purpose.REVIEW_UNREACHED})  # they log in
_COMING, _ABSENT = "coming", "absent"
_ABOUT_THE_LINK = {"sv": "Svara och läs handlingarna: {}", "en": "Answer and read the papers: {}"}
TO_MEMBERS = _WANTING_AN_ANSWER | _TO_MEMBER | {Purpose.DATE_POLL}
"""Mails whose link opens the reader's own page."""
_TO_SENDER = frozenset({Purpose.DEADLINE_NOTICE, Purpose.DECLINED_NOTICE, Purpose.EXPIRED_NOTICE})


@dataclass(frozen=True)
class Outgoing:
    """A mail as it is handed to a transport."""

    message: EmailMessage
    return_path: str
    recipient: str
    envelope_id: str


@dataclass(frozen=True)
class Composer:
    """`mail_from` is the service's own mailbox; `public_url` has no slash at its end. `name_of`: in whose name an
    organisation's mails are sent; `mail_from_of`, `bounce_domain_of`: from where; each is empty where that of the
    settings holds. Message-IDs are in the domain of `mail_from` for all: a mail that is sent again has the same one."""

    mail_from: Person
    public_url: str
    bounce_domain: str
    sign_keys: KeyRing
    copy_keys: KeyRing
    member_keys: KeyRing
    bounce_keys: KeyRing
    name_of: Callable[[str], str] = lambda _organisation: ""
    mail_from_of: Callable[[str], str] = lambda _organisation: ""
    bounce_domain_of: Callable[[str], str] = lambda _organisation: ""

    def message_id(self, delivery_id: str) -> str:
        return message_id(delivery_id, self.mail_domain)

    @property
    def mail_domain(self) -> str:
        return ascii_address(self.mail_from.email).rpartition("@")[2]

    def compose(self, delivery: Delivery) -> Outgoing:
        """Raises InvalidInput for facts that no mail can be made of."""
        message = compose(
            self._letter(delivery),
            mail_from=self._mailbox_of(delivery),
            date=delivery.created_at,
            message_id=self.message_id(delivery.id),
        )
        if (invitation := self.invitation(delivery)) is not None:
            invitations.attach(message, invitation)
        token = verp.encode(delivery.id, organisation=delivery.organisation, ring=self.bounce_keys)
        return_path = verp.return_path(token, self._bounce_domain(delivery.organisation))
        return Outgoing(message, return_path, delivery.recipient, token)

    def _mailbox_of(self, delivery: Delivery) -> Person:
        of = delivery.organisation
        return Person(self.mail_from_of(of) or self.mail_from.email, self.name_of(of) or self.mail_from.name)

    def _bounce_domain(self, organisation: str) -> str:
        return self.bounce_domain_of(organisation) or self.bounce_domain

    def _letter(self, delivery: Delivery) -> Letter:
        facts = delivery.facts
        return Letter(
            purpose=_wording(delivery),
            language=facts.language,
            document=facts.document,
            # The sender of an agreement that we know only from its end: the mailbox that answers for all.
            sender=_person(facts.sender) or self._mailbox_of(delivery),
            recipient=Person(delivery.recipient, facts.recipient_name),
            link=self._link(delivery),
            other=_person(facts.other),
            signed_at=facts.signed_at,
            second_link=self._second_link(delivery),
            who=facts.who,
            quoted=facts.quoted,
            status=facts.status,
            deadline=facts.deadline,
            lines=facts.lines,
            meeting=meeting_words.words(facts.meeting, facts.language, self._join_link(delivery))
            if facts.meeting
            else None,
        )

    def invitation(self, delivery: Delivery) -> Invitation | None:
        """What the mail carries for calendars; None for one about no meeting, or that invites to none.

        `DTSTAMP` is the fact's time: a mail that is sent again carries the same invitation.
        """
        meeting = delivery.facts.meeting
        if meeting is None or delivery.purpose not in INVITING | UNINVITING:
            return None
        takes_back = delivery.purpose in UNINVITING
        link = "" if takes_back else self._members_page(delivery)
        join_link = "" if takes_back else self._join_link(delivery)
        return Invitation(
            method=Method.CANCEL if takes_back else Method.REQUEST,
            uid=meeting_uid(delivery.agreement_id),
            sequence=meeting.sequence,
            title=meeting.title,
            place=meeting_words.place_of(meeting, delivery.facts.language),
            starts=meeting.starts,
            ends=meeting.ends,
            timezone=meeting.timezone,
            stamp=delivery.created_at,
            organiser=Person(self.organiser_of(delivery), self._mailbox_of(delivery).name),
            attendee=Person(delivery.recipient, delivery.facts.recipient_name),
            text=_description(meeting, delivery.facts.language, link, join_link),
            page=link,
            join_link=join_link,
            tentative=delivery.purpose is Purpose.NOTICE_PRELIMINARY,
            attendee_only=delivery.purpose is Purpose.NOTICE_RELEASED,
            answer=meeting.answer,
        )

    def organiser_of(self, delivery: Delivery) -> str:
        """The address that answers to its invitation come to: of the meeting, the person and where they
        read it, not of the mail."""
        organisation = delivery.organisation
        return verp.organiser(
            delivery.invitation_id,
            self._bounce_domain(organisation),
            organisation=organisation,
            ring=self.bounce_keys,
        )

    def _link(self, delivery: Delivery) -> str:
        if delivery.purpose in ASKING:
            link = Link("sign", delivery.organisation, delivery.request_id, delivery.request_version)
            return f"{self.public_url}/signing/s/{links.issue(self.sign_keys, link)}"
        if delivery.purpose is Purpose.ARCHIVED:
            # An earlier version queued it without a version.
            version = max(delivery.request_version, links.FIRST_VERSION)
            link = links.copy_link(delivery.organisation, delivery.agreement_id, delivery.recipient, version)
            return f"{self.public_url}/archive/copies/{links.issue(self.copy_keys, link)}"
        if delivery.purpose is Purpose.EXTRACT:
            link = links.extract_link(
                delivery.organisation,
                delivery.agreement_id,
                int(delivery.request_id),
                delivery.recipient,
                delivery.request_version,
            )
            return f"{self.public_url}/archive/copies/{links.issue(self.copy_keys, link)}/extract"
        if delivery.purpose is Purpose.EXTRACT_UNREACHED:
            return f"{self.public_url}/archive/extracts/{delivery.agreement_id}/{delivery.request_id}/people"
        if delivery.purpose in _WANTING_AN_ANSWER:
            return self._members_page(delivery, _COMING)
        if delivery.purpose is Purpose.DATE_POLL:
            return links.member_address(self.public_url, self.members_token(delivery), poll=delivery.agreement_id)
        if delivery.purpose in _TO_REVIEWER:
            return links.member_address(self.public_url, self.members_token(delivery), review=delivery.agreement_id)
        if delivery.purpose in _TO_WRITER:
            return f"{self.public_url}/meetings/office/reviews/{delivery.agreement_id}"
        if delivery.purpose in _TO_MEMBER:
            return self._members_page(delivery)
        if delivery.purpose is Purpose.BOUNCE_NOTICE:
            return f"{self._senders_page(delivery)}/address/{delivery.request_id}"
        if delivery.purpose in _TO_SENDER:
            return self._senders_page(delivery)
        return ""

    def _second_link(self, delivery: Delivery) -> str:
        if delivery.purpose in _WANTING_AN_ANSWER:
            return self._members_page(delivery, _ABSENT)
        if delivery.purpose is Purpose.BOUNCE_NOTICE:
            return f"{self._senders_page(delivery)}/alternate/{delivery.request_id}"
        if delivery.purpose is Purpose.DEADLINE_NOTICE:
            return f"{self._senders_page(delivery)}/deadline"
        return ""

    def _members_page(self, delivery: Delivery, answer: str = "") -> str:
        """Of meetings, at the mail's meeting; the page asks whether the answer is meant, since programs follow links,
        too."""
        token = self.members_token(delivery)
        return links.member_address(self.public_url, token, meeting=delivery.agreement_id, answer=answer)

    def members_token(self, delivery: Delivery) -> str:
        """What the link to the reader's own page in a mail of `TO_MEMBERS` ends with."""
        version = delivery.facts.of_page
        return links.issue(self.member_keys, links.member_link(delivery.organisation, delivery.request_id, version))

    def _join_link(self, delivery: Delivery) -> str:
        """By which an online meeting is joined, as whoever told of it knows; empty where it cannot be read."""
        sealed = delivery.facts.meeting.join_sealed if delivery.facts.meeting else ""
        link = unseal(self.member_keys, JOIN, f"{delivery.organisation} {delivery.agreement_id}", sealed)
        return link if is_link(link) else ""

    def _senders_page(self, delivery: Delivery) -> str:
        """Of signing; whoever opens it logs in."""
        return f"{self.public_url}/signing/overview/{delivery.agreement_id}"


def composer_of(settings: Settings, known: KnownOrganisations | None = None) -> Composer:
    """Raises BadConfiguration when a key is missing."""
    name, address = parseaddr(settings.mail_from)
    composer = Composer(
        mail_from=Person(address, name or settings.organisation_name),
        public_url=settings.public_url.rstrip("/"),
        bounce_domain=settings.bounce_domain,
        sign_keys=parse_keys(settings.secret("link_keys"), "JUSTERA_LINK_KEYS"),
        copy_keys=parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS"),
        member_keys=parse_keys(settings.secret("member_link_keys"), "JUSTERA_MEMBER_LINK_KEYS"),
        bounce_keys=parse_keys(settings.secret("bounce_keys"), "JUSTERA_BOUNCE_KEYS"),
    )
    if known is None:
        return composer
    return replace(
        composer,
        name_of=known.name_of,
        mail_from_of=known.mail_from_of,
        bounce_domain_of=known.bounce_domain_of,
    )


def _wording(delivery: Delivery) -> Purpose:
    """The words for two people need the other one's name; without it the plain request says what matters."""
    if delivery.purpose in (Purpose.ALTERNATE_REQUEST, Purpose.REQUEST_AGAIN) and delivery.facts.other is None:
        return Purpose.SIGNATURE_REQUEST
    return delivery.purpose


def _description(meeting: MeetingFacts, language: Language, link: str, join_link: str) -> str:
    """How to join, the note and the agenda. Programs show it where they hide an event's URL, so the links stand there,
    too."""
    words = meeting_words.words(meeting, language)
    blocks = [TO_JOIN[language].format(join_link)] if join_link else []
    blocks += ["\n".join(words.note), "\n".join(words.agenda)]
    blocks += [_ABOUT_THE_LINK[language].format(link)] if link else [words.reason, words.instead]
    return "\n\n".join(filter(None, blocks))


def _person(known: KnownPerson | None) -> Person | None:
    return None if known is None else Person(known.email, known.name or "")
