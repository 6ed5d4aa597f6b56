"""What a mail at a return path is, by who sent it and how: a mail server's report, an answer, a complaint, or unknown.

Mail servers are told by their names and headers, and reports by their subjects, in the languages that we met. What an
answer says of a mail's fate is never believed: an absence note may name any address and any number. Pure.
"""

import re
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from enum import StrEnum

from services.notifications.report.delivery_status import header, one_line
from services.notifications.report.wording import own_parts


class Kind(StrEnum):
    REPORT = "report"  # of a mail server, whatever it says
    PERHAPS = "perhaps"  # looks like a report, from someone who may be a person
    OWN = "own"  # a mail of ours come back
    RECEIPT = "receipt"  # read, or deleted (RFC 8098)
    COMPLAINT = "complaint"  # RFC 5965
    ANSWER = "answer"  # of a person, an absence note, a ticket system
    UNKNOWN = "unknown"


_DAEMON = re.compile(
    r"mailer-?_?daemon|mail-?daemon|postmaster|(?:mail|e-?mail|message)[-_. ]?(?:delivery|system"
    r"|administrator|admin|router|server|service|gateway)"
    r"|delivery[-_. ](?:sub)?(?:system|service|agent|notification|status)|^(?:mail)?daemon$|^mmdf$|^uucp$"
    r"|mdaemon|^dsn|bounce|^ndr\b"
    r"|system[-_. ]?administrator|microsoftexchange[0-9a-f]{20}|^smtp|^mta\b|^mail$|^root$|^qmail",
    re.IGNORECASE,
)
_REPORT_SUBJECT = re.compile(
    r"undeliver|un-?delivered|non-?deliver|not (?:be )?(?:delivered|deliverable)|(?:un|not )able to deliver"
    r"|(?:could|can)(?:not|n't| not) (?:be )?(?:deliver|sent|send)"
    r"|deliver\w* .{0,30}(?:fail|error|problem|status|notification|report|delay|incomplete|warning"
    r"|unsuccessful|impossible)|(?:fail|error)\w* .{0,30}deliver|(?:fail|delivery)(?:ure|ed|) (?:notice"
    r"|notification|message|report|mail|status)"
    r"|return(?:ed|ing) (?:mail|message|e-?mail|to sender)|mail (?:system )?(?:error|failure|failed|delayed"
    r"|warning)|message (?:delayed|status|failure|could|not)|user (?:unknown|not)|unknown user"
    r"|nondeliverable|bounce|rejected (?:mail|message)|(?:mail|message) (?:was )?reject|mail (?:could"
    r"|is late|not)|ndn:|dsn:|warning: (?:message|could|mail)|error sending|delayed mail|mail returned"
    r"|problem.{0,20}deliver|^delivery\b"
    r"|försenad|fördröj|olevererb|inte levereras|kunde inte|ej leverera|leverans(?:fel|status|rapport|misslyck)"
    r"|misslyckad leverans|unzustellbar|nicht zugestellt|zustellung|non remis|non distribu|échec|remise"
    r"|no se (?:pudo|puede) entregar|no entregado|entrega|non (?:recapitabile|consegna)|mancata consegna"
    r"|ikke leveres|kan niet worden|onbestelbaar|toimitt|送信|配信|недостав|не доставлено|ваше сообщение",
    re.IGNORECASE,
)
_ANSWER_SUBJECT = re.compile(
    r"auto(?:matic|matiskt?|matische?|matisch|mated|maattinen|matisk)?[ \-:]?(?:re(?:ply|sponse|spons)|svar"
    r"|antwort|antwoord|vastaus|reply)?\b.{0,2}:|auto-?(?:reply|svar|respon)|automat\w* (?:repl|svar|respon"
    r"|antw|vast)|out of (?:the )?office|frånvaro|semester|on (?:vacation|leave|holiday)|vacation|holiday"
    r"|away from|abwesen|urlaub|réponse automatique|absen|respuesta automática|fuera de|risposta automatica"
    r"|fuori (?:sede|ufficio)|poissa|lomalla|fravær|afwezig|ferie|föräldraledig|ledig|sjuk"
    r"|\[[^\]]{0,30}(?:#|ticket|case|ärende|id)[^\]]{0,40}\]|\[?\b(?:ticket|ärende(?:nummer)?|case|request"
    r"|incident|support)\b.{0,20}(?:#|nr|no|id|\d)|#\d{3,}|(?:we have )?received your|thank you for|tack för"
    r"|bekräftelse|mottaget|confirmation|acknowledg|eingangsbestätigung",
    re.IGNORECASE,
)
_REPLY_PREFIX = re.compile(r"(?:re|sv|aw|vs|antw|fw|fwd|vb|wg|tr)\s*(?:\[\d+\])?:", re.IGNORECASE)
_RETURNED = (
    "message/rfc822",
    "message/global",
    "message/global-headers",
    "text/rfc822-headers",
    "message/rfc822-headers",
)


def kind_of(message: Message, text: str) -> Kind:
    """`text`: what the mail itself says (`wording.own_text`)."""
    types = [part.get_content_type() for part in own_parts(message)]
    declared = header(message, "Content-Type").lower()
    if "message/feedback-report" in types or "feedback-report" in declared:
        return Kind.COMPLAINT
    daemon = _is_a_mail_server(message)
    if _auto_submitted(message) == "auto-generated" and not daemon and not subject_of_report(message):
        return Kind.OWN
    if "message/disposition-notification" in types or "disposition-notification" in declared:
        return Kind.RECEIPT
    if daemon and not (_is_an_answer(message) and not _says_report(message)):
        return Kind.REPORT
    if _is_an_answer(message):
        return Kind.ANSWER
    returns_mail = any(each in _RETURNED for each in types) or "multipart/report" in types
    if subject_of_report(message) and (returns_mail or _has_null_sender(message) or "@" in text):
        return Kind.PERHAPS
    if returns_mail or _has_null_sender(message):
        return Kind.PERHAPS
    return Kind.UNKNOWN


def subject(message: Message) -> str:
    """Decoded, one line."""
    written = header(message, "Subject")
    try:
        return one_line(str(make_header(decode_header(written))))
    except (ValueError, LookupError):
        return one_line(written)


def subject_of_report(message: Message) -> bool:
    words = subject(message)
    return bool(_REPORT_SUBJECT.search(words)) and not _REPLY_PREFIX.match(words)


def _is_a_mail_server(message: Message) -> bool:
    if _says_report(message):
        return True
    name, address = parseaddr(header(message, "From"))
    local_part = address.partition("@")[0] or name
    return bool(_DAEMON.search(local_part) or (_DAEMON.search(name) and not _REPLY_PREFIX.match(subject(message))))


def _says_report(message: Message) -> bool:
    """Headers that only reports have."""
    marks = ("X-Failed-Recipients", "X-MS-Exchange-Message-Is-Ndr", "X-MS-Embedded-Report", "X-DSNContext")
    return (
        any(message.get(each) is not None for each in marks)
        or "delivery-status" in header(message, "Content-Type").lower()
    )


def _is_an_answer(message: Message) -> bool:
    words = subject(message)
    return bool(
        (_auto_submitted(message) in ("auto-replied", "auto-notified") and not subject_of_report(message))
        or any(message.get(each) for each in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-AutoReply-From"))
        or header(message, "Precedence").lower() in ("auto_reply", "auto-reply", "autoreply")
        or _REPLY_PREFIX.match(words)
        or (_ANSWER_SUBJECT.search(words) and not subject_of_report(message))
    )


def _has_null_sender(message: Message) -> bool:
    return header(message, "Return-Path").replace(" ", "") == "<>"


def _auto_submitted(message: Message) -> str:
    return re.split(r"[;\s(]", header(message, "Auto-Submitted").lower(), maxsplit=1)[0]
