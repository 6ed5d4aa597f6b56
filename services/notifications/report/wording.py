"""What became of a mail, told in words: by servers that write no delivery-status part, or leave its fields as text.

A signed return path tells which mail a report is about, so words need only tell what became of it. They are looked for
in the report's own text, before the mail that it returns: standard fields first, then a mail server's reply (`550
5.1.1`), then phrases. Whether it is a report at all is not decided here (`kinds_of_mail`). Pure.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from services.notifications.report.delivery_status import RecipientStatus, find_address, one_line, read_fields

SCANNED_CHARACTERS = 32 * 1024
_LONGEST_LINE = 1000
_LONGEST_WORDS = 500

_OWN_COPY = re.compile(  # from here on the returned mail is quoted
    r"^\W{0,40}(?:below this line is (?:a|the) copy|(?:this is|here is|the following is"
    r"|included (?:below )?is) a copy of"
    r"|(?:the )?(?:headers? (?:of|from) )?(?:the |your )?(?:original|returned|unsent|undelivered|rejected"
    r"|failed|bounced) "
    r"(?:message|mail|e-?mail|text)(?: (?:headers?|text|body|contents?|details))?"
    r"(?: (?:is )?(?:follows|following|below|included|attached)[^:]{0,40}| as follows)?\W*$"
    r"|(?:message|mail) (?:headers?|text|contents?|body)(?: (?:follows?|below))?\W*$"
    r"|(?:original|returned|unsent|undelivered) (?:message|mail)\b"
    r"|(?:start|begin|beginning) of (?:the )?(?:returned|original|forwarded) (?:message|mail)"
    r"|your (?:original )?message (?:reads|begins|was|follows|is included)\b.{0,20}:\s*$"
    r"|ursprungligt meddelande|det ursprungliga meddelandet|originalnachricht|message original)",
    re.IGNORECASE,
)
_MAIL_HEADER = re.compile(
    r"(?:Received: |Return-Path: ?<|DKIM-Signature: |X-Original-To: |MIME-Version: 1\.0)", re.IGNORECASE
)

_REPLIES = (
    "421|422|431|432|441|442|446|447|449|450|451|452|453|454|455|471|"
    "500|501|502|504|510|511|512|513|515|516|517|518|521|523|530|533|535|541|"
    "550|551|552|553|554|555|556|557|559|571|572|573|574|577|592"
)
_CODE = re.compile(r"(?<![\d.\w])#?([45]\.\d{1,3}\.\d{1,3})(?![\d\w]|\.\d|-\d)", re.ASCII)
_REPLY = re.compile(rf"(?<![\d.\w/:-])({_REPLIES})(?=[ \-:,;.)\]'\"#]|$)", re.ASCII)
_REPLY_AND_CODE = re.compile(
    rf"(?<![\d.\w])({_REPLIES})[ \-:,(#\[]{{1,4}}(?:(?:{_REPLIES})[ \-#(]{{1,3}})?"
    r"([45]\.\d{1,3}\.\d{1,3})(?![\d]|\.\d)",
    re.ASCII,
)
_A_VERSION = re.compile(r"(?:version|server|build|exim|postfix|sendmail|release|mta|esmtp|\bv)\W{0,3}$", re.IGNORECASE)
_AN_AMOUNT = re.compile(r"\s*(?:bytes|kb|mb|seconds|minutes|hours|days|messages|users|recipients)\b", re.IGNORECASE)

_DELAYED = re.compile(
    r"\bwill (?:be )?(?:re-?tr(?:y|ied)|continue|keep (?:on )?trying|try again|attempt (?:delivery|to deliver|again))"
    r"|\b(?:still|keeps?|continues?|continuing) (?:being )?(?:re-?)?try"
    r"|still (?:undelivered|in the queue|queued|being|not (?:been )?delivered)"
    r"|not yet (?:been )?(?:delivered|received|reached)|(?:has|have) not yet\b"
    r"|(?:delivery|message|mail)\b.{0,40}\b(?:is|was|has been|been|temporarily) (?:delayed|deferred)\b"
    r"|\bdelayed (?:\d+|mail|message|delivery)|\bdelay(?:ed)? (?:in|of) (?:the )?deliver|delivery (?:status )?delay"
    r"|\b(?:do not|don't|no) need to resend|attempts? (?:to deliver .{0,40})?will (?:continue|be made)"
    r"|warning only|just a warning|this warning"
    r"|fortsätter att försöka|försöker igen|nya försök|ännu inte (?:kunnat )?levere|fördröj|försen"
    r"|verzögert|wird weiter versucht|erneut versucht|retardé|retrasad|ritardo|viivästy|forsinket",
    re.IGNORECASE,
)
_SHOUTED = re.compile(r"resend|warning", re.IGNORECASE)  # stands above what is wrong, and says nothing of it
_GIVEN_UP = re.compile(
    r"\b(?:giv(?:en|ing)|gave) up\b|\bpermanent|no (?:further|more) (?:delivery )?attempt|won't (?:be )?re-?tr"
    r"|will (?:not|no longer) (?:be )?(?:re-?tr|try|attempt)|not be retried|failed permanently|was not delivered"
    r"|\bexpired\b|too long in (?:the )?queue|retry time(?:out)? (?:exceeded|not reached)"
    r"|has been removed from (?:the )?queue"
    r"|inga fler försök|permanent",
    re.IGNORECASE,
)
_DELIVERED = re.compile(
    r"(?:was|were|has been|been|is) (?:successfully |now )(?:delivered|relayed)|successfully (?:delivered|relayed)"
    r"|delivery to the following recipients? (?:was|were|is) successful|(?:your )?(?:message"
    r"|mail) (?:has been|was) (?:delivered|relayed|received) (?:to|by|successfully)"
    r"|no delivery (?:status )?notification (?:will|was) (?:be )?(?:sent|requested)|har levererats"
    r"|wurde (?:erfolgreich )?zugestellt",
    re.IGNORECASE,
)
# What is said where no code is: the status without its class, which the outcome gives.
_PHRASES = (
    ("4.7", r"retry time|(?:message|queue|time) ?\.? ?expired|too long in (?:the )?queue"),
    (
        "1.1",
        r"(?:user|recipient|mailbox|mail ?box|address|account|addressee|alias)(?: name| address"
        r"|\(s\))?.{0,60}?(?:unknown|not (?:be )?(?:found|exist|known|recognized|listed|available here)"
        r"|does ?n[o']?t (?:exist|have)|doesn't|invalid|no longer|inactive|closed|disabled|expired|suspended"
        r"|unavailable|not (?:a )?valid)"
        r"|(?:unknown|invalid|no such|non-?existent|bad|illegal|unrouteable|undeliverable|inactive"
        r"|disabled)(?: or (?:illegal|invalid))? (?:\w+ )?(?:user|recipient|mailbox|address|account|person"
        r"|alias|local part|name|addressee)"
        r"|no (?:mailbox|mail ?drop|account|user|one|such)\b.{0,20}(?:here|by that name|by that address|with"
        r"|exists|found)?"
        r"|not listed in .{0,60}(?:directory|name & address book|names?)|user .{0,40}not (?:have|listed"
        r"|found)|not our customer|(?:don't|do not) know (?:the|that|this) (?:user|address)"
        r"|adress(?:en)? (?:finns inte|hittades inte|är okänd)|okänd (?:mottagare|adress)"
        r"|mottagaren (?:finns inte|hittades inte|är okänd)"
        r"|unbekannt|existiert nicht|n'existe pas|destinataire inconnu|no existe|non esiste|ukjent|ukendt"
        r"|tuntematon|見つから|ユーザーはいません|存在しません",
    ),
    (
        "2.2",
        r"(?:mailbox|mail ?box|inbox|account|user|disk|storage|recipient|folder)\b.{0,60}(?:full|over ?quota"
        r"|quota|exceed|too (?:large|big)|maximum)|over (?:the )?(?:quota|limit|allowed)"
        r"|quota (?:exceeded|has been|full|limit|violation)|exceed(?:s|ed|ing)? .{0,40}(?:quota|storage"
        r"|mailbox)|(?:not|insufficient) enough? ?(?:space|storage)|insufficient (?:disk |system )?storage"
        r"|(?:brevlåda|postlåda|inkorg)n? (?:är )?full|utrymme|voll\b|容量",
    ),
    ("3.4", r"(?:message|mail|size).{0,40}(?:too (?:large|big)|exceed|limit|maximum)|size limit|för stort"),
    (
        "4.1",
        r"time[d-]? ?-?out|could not (?:be )?connect|(?:unable|cannot|can't|failed|could not"
        r"|couldn't) (?:to )?(?:connect|establish|open|reach|contact)"
        r"|connection (?:refused|reset|failed|lost|broken|dropped|timed|was)|no route|(?:host|server|system"
        r"|network|site) .{0,30}(?:down|unreachable|not respond|did ?n[o']t respond|no answer|busy)"
        r"|did ?n[o']?t respond|not responding|no (?:response|answer) from|unreachable|deferred",
    ),
    (
        "4.7",
        r"expired|too long|retry time|(?:\d+|several|many) (?:days|hours|attempts|times)"
        r"|max(?:imum)? .{0,20}(?:time|age|hops|retries|attempts)|tried .{0,30}(?:times|days|hours)",
    ),
    (
        "1.2",
        r"(?:host|domain|server|mx|name)(?: or domain)?(?: name)?.{0,40}(?:not (?:be )?found|unknown"
        r"|does ?n[o']t exist|no such|invalid|lookup|resolve)|(?:unknown|no such|bad|invalid|illegal"
        r"|non-?existent) (?:mail )?(?:host|domain)"
        r"|(?:dns|name service|name server) (?:error|lookup|problem|failure)|no (?:mx|mail exchanger"
        r"|a record)|can(?:no|')t find|couldn't find any host|unrouteable (?:mail )?domain|mx (?:record|list"
        r"|lookup)",
    ),
    ("4.6", r"mail loop|too many hops|looping|loops? back|hop count|forwarded more than|routing loop"),
    (
        "7.1",
        r"spam|blocked|block list|blacklist|black list|denied|refused|rejected|reject|policy|not (?:allowed"
        r"|permitted|accepted|authorized|authorised)|unauthenticated|prohibited|relay|virus|banned|forbidden"
        r"|avvisad|nekad|spärrad|abgelehnt|refusé|rechazad",
    ),
    (
        "0.0",
        r"(?:could|can|did|does|was|has|have|were|is|am)(?: ?not|n't)(?: be| been"
        r"| able to)? (?:successfully )?(?:deliver|reach|sent|send|forward|process)|undeliver"
        r"|unable to (?:be )?(?:deliver|send|relay|process|complete)|fail(?:ed|ure)? (?:to|in|on"
        r"|during) (?:deliver|send|relay)"
        r"|deliver(?:y|ing)? .{0,60}(?:fail|error|problem|impossible|unsuccessful|not possible|aborted)"
        r"|(?:fail|error)\w* .{0,40}deliver|non-?deliver|not (?:be )?delivered|returned (?:mail|to sender"
        r"|message)|returning (?:message|mail)"
        r"|(?:problem|error|trouble)s? (?:was |were )?(?:deliver|encountered|occurred|in deliver"
        r"|with (?:the )?deliver)|fatal error|delivery errors?|rejected|bounced"
        r"|nådde inte fram|kunde inte (?:levereras|nås|skickas)|gick inte att (?:leverera|skicka)"
        r"|har inte (?:kunnat )?leverer|ej levereras|olevererbar"
        r"|konnte nicht|unzustellbar|nicht zugestellt|n'a pas pu|non remis|impossible de|no se (?:pudo"
        r"|ha podido)|impossibile|kunne ikke|ei voitu|送信できません|配信できません|届きません|не может быть доставлено"
        r"|не доставлено",
    ),
)
_WORDS = tuple((status, re.compile(pattern, re.IGNORECASE)) for status, pattern in _PHRASES)


@dataclass(frozen=True)
class Outcome:
    """`certain`: a field, or a reply with its code, says so; else only words do. `telling`: words that hardly stand
    elsewhere (an address that is unknown, a mail that was not delivered)."""

    action: str
    status: str
    diagnostic: str
    certain: bool
    telling: bool = False


def own_text(message: Message) -> str:
    """What the report itself says: its text parts, HTML without its tags, up to the mail that it quotes."""
    return before_copy(_whole_text(message))


def quotes_a_mail(message: Message) -> bool:
    """Whether the mail that it is about follows in its text."""
    text = _whole_text(message)
    return len(before_copy(text)) < len(text.rstrip())


def _whole_text(message: Message) -> str:
    texts = [_text(part) for part in own_parts(message) if part.get_content_maintype() in ("text", "multipart")]
    return "\n".join(texts)[:SCANNED_CHARACTERS]


def own_parts(message: Message) -> Iterator[Message]:
    """The parts of the report itself, never those of the mail that it returns."""
    yield message
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from own_parts(part)


def before_copy(text: str) -> str:
    """Up to where the returned mail is quoted."""
    kept: list[str] = []
    for line in text.split("\n"):
        line = line[:_LONGEST_LINE]
        if any(kept) and (_OWN_COPY.match(line) or _MAIL_HEADER.match(line)):
            break
        kept.append(line)
    return "\n".join(kept)


def read_text(text: str, subject: str) -> Outcome | None:
    """What the text says became of the mail; None when it does not say."""
    fields = _from_fields(text)
    if fields is not None:
        return Outcome(fields.action, fields.status, fields.diagnostic or _words(text, fields.status), certain=True)
    lines = [one_line(line) for line in text.split("\n")]
    whole = " ".join((subject, *lines))
    final = not _DELAYED.search(whole) or bool(_GIVEN_UP.search(whole))
    coded = _coded(lines)
    if coded is not None:
        number, status, certain = coded
        if status[0] == "5":
            final = True
        if final and status[2:] == "0.0" and (found := _said(lines[number], skip="0.0")):
            status = f"{status[0]}.{found}"
        return Outcome("failed" if final else "delayed", status, _paragraph(lines, number), certain=certain)
    if not final:
        late = [n for n, line in enumerate(lines) if _DELAYED.search(line) and not _SHOUTED.search(line)]
        words = _paragraph(lines, late[0]) if late else subject
        return Outcome("delayed", "4.0.0", words, certain=False, telling=True)
    if _DELIVERED.search(whole):
        return Outcome("delivered", "2.0.0", "", certain=False)
    for status, pattern in _WORDS:
        for number, line in enumerate(lines):
            if pattern.search(line):
                clear = status in ("0.0", "1.1")
                if status == "0.0" and (better := _said(whole, skip="0.0")):
                    status = better
                return Outcome(
                    "failed", f"{_class_of(status)}.{status}", _paragraph(lines, number), certain=False, telling=clear
                )
    found = _said(subject)
    if found:
        return Outcome("failed", f"{_class_of(found)}.{found}", _words(text, "") or subject, certain=False)
    return None


def explanation(text: str, status: str) -> str:
    """The server's own words for a status whose fields bear none; empty without any."""
    return _words(text, status)


def _from_fields(text: str) -> RecipientStatus | None:
    if not re.search(r"^[ \t>*]*(?:action|status|diagnostic-code)[ \t]*:", text, re.IGNORECASE | re.MULTILINE):
        return None
    _, found = read_fields(re.sub(r"^[ \t>*]+(?=[\w-]+[ \t]*:)", "", text, flags=re.MULTILINE), strict=True)
    return found[0] if found else None


def _coded(lines: list[str]) -> tuple[int, str, bool] | None:
    """The line, status and certainty of the first code: a reply beside its code before a bare code or a bare reply."""
    for number, line in enumerate(lines):
        if match := _REPLY_AND_CODE.search(line):
            return number, _tidy(match[2]), True
    for number, line in enumerate(lines):
        for match in _CODE.finditer(line):
            if not _A_VERSION.search(line[max(0, match.start() - 12) : match.start()]):
                return number, _tidy(match[1]), True
    for number, line in enumerate(lines):
        for match in _REPLY.finditer(line):
            if not _AN_AMOUNT.match(line[match.end() :]):
                return number, f"{match[1][0]}.0.0", bool(_said(line)) or ":" in line or line.startswith(match[1])
    return None


def _class_of(said: str) -> str:
    """No connection, and time that ran out, are nobody's last word."""
    return "4" if said in ("4.1", "4.7") else "5"


def _said(text: str, skip: str = "") -> str:
    return next((status for status, pattern in _WORDS if status != skip and pattern.search(text)), "")


def _words(text: str, status: str) -> str:
    """The paragraph with the status, else with a phrase."""
    lines = [one_line(line) for line in text.split("\n")]
    for number, line in enumerate(lines):
        if status and status in line:
            return _paragraph(lines, number)
    coded = _coded(lines)
    if coded is not None and (not status or coded[1][0] == status[0]):
        return _paragraph(lines, coded[0])
    for number, line in enumerate(lines):
        if _said(line):
            return _paragraph(lines, number)
    first = next((number for number, line in enumerate(lines) if len(line) > 8 and not _only_an_address(line)), None)
    return "" if first is None else _paragraph(lines, first)


def _paragraph(lines: list[str], number: int) -> str:
    """The lines around one, to the nearest blank ones or a line that is only an address."""
    first, last = number, number + 1
    while first > 0 and number - first < 3 and lines[first - 1] and not _only_an_address(lines[first - 1]):
        first -= 1
    while last < len(lines) and last - number < 6 and lines[last]:
        last += 1
    words = " ".join(lines[first:last])
    return one_line(words if len(words) <= _LONGEST_WORDS else " ".join(lines[number:last])[:_LONGEST_WORDS])


def _only_an_address(line: str) -> bool:
    address = find_address(line)
    return address is not None and len(line) <= len(address) + 6


def _tidy(status: str) -> str:
    return ".".join(str(int(each)) for each in status.split("."))


def _text(part: Message) -> str:
    if isinstance(part.get_payload(), list):
        return ""
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    try:
        text = octets.decode(part.get_content_charset("utf-8"), "strict")
    except (LookupError, ValueError):
        text = octets.decode("latin-1")
    text = text[: 4 * SCANNED_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    return _without_tags(text) if part.get_content_subtype() == "html" else text


def _without_tags(text: str) -> str:
    for name in ("head", "style", "script"):
        text = _without_element(text, name)
    text = re.sub(r"<(?:br|/?p|/?div|/?tr|/?table|/?li|/?h\d|hr)\b[^>]{0,300}>", "\n", text, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[a-zA-Z/!][^>@]{0,300}>", " ", text))


def _without_element(text: str, name: str) -> str:
    """By hand: a pattern takes time in the square of what a stranger nests."""
    lower, kept, at = text.lower(), [], 0
    while (start := lower.find(f"<{name}", at)) >= 0:
        kept.append(text[at:start])
        end = lower.find(f"</{name}>", start)
        at = len(text) if end < 0 else end + len(name) + 3
    return "".join((*kept, text[at:]))
