"""From a stored delivery to the mail and its envelope: the same each time; links are derived here, stored nowhere."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr

from services.notifications import verp
from services.notifications.delivery import ASKING, Delivery
from services.notifications.messages import Letter, Person, Purpose, ascii_address, compose, message_id
from shared import links
from shared.events import Person as KnownPerson
from shared.keys import KeyRing, parse_keys
from shared.links import Link
from shared.settings import Settings

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
    """`mail_from` is the service's own mailbox; `public_url` has no slash at its end."""

    mail_from: Person
    public_url: str
    bounce_domain: str
    sign_keys: KeyRing
    copy_keys: KeyRing
    bounce_keys: KeyRing

    def message_id(self, delivery_id: str) -> str:
        return message_id(delivery_id, self.mail_domain)

    @property
    def mail_domain(self) -> str:
        return ascii_address(self.mail_from.email).rpartition("@")[2]

    def compose(self, delivery: Delivery) -> Outgoing:
        """Raises InvalidInput for facts that no mail can be made of."""
        message = compose(
            self._letter(delivery),
            mail_from=self.mail_from,
            date=delivery.created_at,
            message_id=self.message_id(delivery.id),
        )
        token = verp.encode(delivery.id, organisation=delivery.organisation, ring=self.bounce_keys)
        return Outgoing(message, verp.return_path(token, self.bounce_domain), delivery.recipient, token)

    def _letter(self, delivery: Delivery) -> Letter:
        facts = delivery.facts
        return Letter(
            purpose=_wording(delivery),
            language=facts.language,
            document=facts.document,
            # The sender of an agreement that we know only from its end: the mailbox that answers for all.
            sender=_person(facts.sender) or self.mail_from,
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
        if delivery.purpose is Purpose.BOUNCE_NOTICE:
            return f"{self._senders_page(delivery)}/address/{delivery.request_id}"
        if delivery.purpose in _TO_SENDER:
            return self._senders_page(delivery)
        return ""

    def _second_link(self, delivery: Delivery) -> str:
        if delivery.purpose is Purpose.BOUNCE_NOTICE:
            return f"{self._senders_page(delivery)}/alternate/{delivery.request_id}"
        if delivery.purpose is Purpose.DEADLINE_NOTICE:
            return f"{self._senders_page(delivery)}/deadline"
        return ""

    def _senders_page(self, delivery: Delivery) -> str:
        """Of signing; whoever opens it logs in."""
        return f"{self.public_url}/signing/overview/{delivery.agreement_id}"


def composer_of(settings: Settings) -> Composer:
    """Raises BadConfiguration when a key is missing."""
    name, address = parseaddr(settings.mail_from)
    return Composer(
        mail_from=Person(address, name or settings.organisation_name),
        public_url=settings.public_url.rstrip("/"),
        bounce_domain=settings.bounce_domain,
        sign_keys=parse_keys(settings.secret("link_keys"), "JUSTERA_LINK_KEYS"),
        copy_keys=parse_keys(settings.secret("copy_link_keys"), "JUSTERA_COPY_LINK_KEYS"),
        bounce_keys=parse_keys(settings.secret("bounce_keys"), "JUSTERA_BOUNCE_KEYS"),
    )


def _wording(delivery: Delivery) -> Purpose:
    """The words for two people need the other one's name; without it the plain request says what matters."""
    if delivery.purpose in (Purpose.ALTERNATE_REQUEST, Purpose.REQUEST_AGAIN) and delivery.facts.other is None:
        return Purpose.SIGNATURE_REQUEST
    return delivery.purpose


def _person(known: KnownPerson | None) -> Person | None:
    return None if known is None else Person(known.email, known.name or "")
