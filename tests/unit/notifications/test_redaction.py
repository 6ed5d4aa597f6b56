"""Our links and tokens are found in whatever shape a foreign text has them, and the rest stays as it came."""

import base64
import html
import json
import quopri
import re
import textwrap
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications import verp
from services.notifications.delivery.delivery import Trouble
from services.notifications.redaction import LEFT_OUT, redacted, redacted_bytes, redacted_words
from shared import links
from shared.keys import new_keys, parse_keys
from shared.links import Link

RING = parse_keys(new_keys(), "KEYS")
TOKEN = links.issue(RING, Link("sign", "norrdalen", "2f1c9a54-0000-4000-8000-00000000abcd", 3))
SIGN = f"https://justera.norrdalen.example/signing/s/{TOKEN}"
COPY = "https://justera.norrdalen.example/archive/copies/" + links.issue(
    RING, Link("copy", "norrdalen", "NorrdalenStyrelsen2022-09-23_abc", 1)
)
OWN = "https://justera.norrdalen.example/meetings/my/" + links.issue(
    RING, links.member_link("norrdalen", "0192f3a0-0000-7000-8000-00000000abcd", 2)
)
VERP = verp.encode("0192f3a0-0000-7000-8000-000000000001", organisation="norrdalen", ring=RING)
INVITATION = verp.invitation_id("norrdalen", "meeting", "person", "olof@norrdalen.example", 1)
ORGANISER = verp.organiser(INVITATION, "bounces.norrdalen.example", organisation="norrdalen", ring=RING)
RETURN_PATH = verp.return_path(VERP, "bounces.norrdalen.example")
SECRETS = {
    "signer's link": SIGN,
    "copy's link": COPY,
    "member's link": OWN,
    "bare token": TOKEN,
    "return path": RETURN_PATH,
    "organiser": ORGANISER,
    "ENVID": VERP,
}


def quoted_printable(text: str) -> str:
    return quopri.encodestring(text.encode()).decode()


def in_base64(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


SHAPES = {
    "plain": str,
    "quoted-printable": quoted_printable,
    "every character escaped": lambda text: "".join(f"={ord(each):02X}" for each in text),
    "wrapped and quoted": lambda text: "> > " + "\n> > ".join(textwrap.wrap(text, 30)),
    "in a query": lambda text: f"https://safe.example/?url={quote(text, safe='')}&data=05",
    "character references": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "HTML": lambda text: f'<p><a href="{text}">Läs och signera</a></p>',
    "base64": in_base64,
    "base64 in base64": lambda text: in_base64("Subject: Signera\n\n" + in_base64("Hej!\n" + text + "\n")),
    "base64 of UTF-16": lambda text: base64.encodebytes(text.encode("utf-16")).decode(),
}


def gist(secret: str) -> str:
    """What nobody may find: the end of a token, where its HMAC is."""
    return re.search(r"[A-Za-z0-9_-]{20}(?=@|$)", secret)[0]  # type: ignore[index]


def readable(text: str) -> str:
    """Everything that a curious reader would try."""
    decoded = ""
    for run in re.findall(r"(?:^[A-Za-z0-9+/]{4,}=*\n)+", text, re.MULTILINE):
        letters = re.sub(r"[^A-Za-z0-9+/]", "", run)
        inside = base64.b64decode(letters + "A" * (-len(letters) % 4)).decode("latin-1").replace("\0", "")
        decoded += readable(inside) if len(letters) > 40 else ""
    text = re.sub(r"=\r?\n|\r?\n[> ]*", "", text)
    return re.sub(r"[=%]([0-9A-F]{2})|&#(\d+);", lambda m: chr(int(m[1], 16) if m[1] else int(m[2])), text) + decoded


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_left_out_in_every_shape(secret: str, shape: str) -> None:
    written = f"Returned mail\n\nHej Sven!\n\n{SHAPES[shape](SECRETS[secret])}\n\nVänliga hälsningar\n"
    assert gist(SECRETS[secret]) in readable(SHAPES[shape](SECRETS[secret]))
    kept = redacted(written)
    assert gist(SECRETS[secret]) not in readable(kept)
    assert LEFT_OUT in kept
    assert kept.startswith("Returned mail\n\nHej Sven!\n\n")
    assert kept.endswith("Vänliga hälsningar\n")


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 <sven.dahl@granvik.example>: Recipient address rejected: User unknown in virtual mailbox table",
        "Reporting-MTA: dns; mx1.mail.granvik.example\nArrival-Date: Thu, 24 Sep 2026 10:00:00 +0200\n",
        "X-MS-Exchange-Organization: f6b1e4cc-87d7-4c3f-a27c-3c1ffd3d1f0f\nVersion: 15.20.8335.017\n",
        "Donaudampfschiffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft\n",
        in_base64("Hej!\n\nDetta är en helt vanlig text som någon har skrivit, utan någon länk.\n" * 3),
    ],
)
def test_other_texts_stay_as_they_came(text: str) -> None:
    assert redacted(text) == text


@given(st.binary(max_size=500))
def test_any_bytes_are_taken(raw: bytes) -> None:
    redacted_bytes(raw)


def test_encoded_data_that_is_no_text_is_not_kept() -> None:
    archive = base64.encodebytes(bytes(range(256)) * 3).decode()
    assert redacted(archive) == f"{LEFT_OUT} (768 bytes in base64)\n"


@pytest.mark.parametrize(
    "unit", ["a", "a.", "=", "=\n", "k1-", "A" * 80 + "\n", "&#", "\n> > ", " " * 99 + "\n", "/signing/s/"]
)
def test_hostile_texts_cost_little(unit: str) -> None:
    """By this thread's own time: what else runs on the machine does not count."""
    started = time.thread_time()
    redacted(unit * (128 * 1024 // len(unit)))
    assert time.thread_time() - started < 3


# Any of the encoders over any other, as gateways, logs and mail programs pile them up.


Draw = Callable[[st.SearchStrategy[Any]], Any]
Encoder = Callable[[Draw, str], str]


def _some(draw: Draw, text: str, write: Callable[[str], str], must: str = "") -> str:
    """Some of its characters written so; those that the encoding cannot leave as they are always."""
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    dice = draw(st.randoms(use_true_random=False))
    return "".join(write(each) if each in must or dice.random() < share else each for each in text)


NAMED = {
    ".": "&period;",
    "_": "&lowbar;",
    "/": "&sol;",
    ":": "&colon;",
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "=": "&equals;",
}


def percent(draw: Draw, text: str) -> str:
    return _some(draw, text, lambda each: f"%{ord(each):02X}", must="%\n")


def quoted(draw: Draw, text: str) -> str:
    width = draw(st.integers(8, 76))
    written = _some(draw, text, lambda each: each if each == "\n" else f"={ord(each):02x}", must="=")
    lines = (re.findall(f"(?:=..|.){{1,{width}}}", line) or [""] for line in written.split("\n"))
    return "\n".join("=\n".join(parts) for parts in lines)


def references(draw: Draw, text: str) -> str:
    forms = [lambda each: f"&#{ord(each)};", lambda each: f"&#x{ord(each):x};", lambda each: NAMED.get(each, each)]
    return _some(draw, text, draw(st.sampled_from(forms)), must="&")


def tagged(draw: Draw, text: str) -> str:
    tag, every = draw(st.sampled_from(["<wbr>", "<b></b>", '<span class="x">', "<!-- -->"])), draw(st.integers(3, 20))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return tag.join(text[at : at + every] for at in range(0, len(text), every))


def in_json(draw: Draw, text: str) -> str:
    text = json.dumps(text)[1:-1]
    return (
        _some(draw, text, lambda each: each if each in '\\"' else f"\\u{ord(each):04x}") if "\\" not in text else text
    )


def based(draw: Draw, text: str) -> str:
    before, after = draw(st.sampled_from([("", ""), ("data=", ";"), ("Data: ", " end"), ("glued", "")]))
    encode = draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
    letters = encode((draw(st.sampled_from(["", "x", "Se "])) + text).encode()).decode()
    width = draw(st.sampled_from([40, 60, 76, 10_000]))
    return before + "\n".join(textwrap.wrap(letters, width)) + after


ENCODERS: tuple[Encoder, ...] = (percent, quoted, references, tagged, in_json, based)


def unpacked(text: str) -> str:
    """Every run of base64 in it, read from each of its first letters."""
    runs = re.findall(r"[A-Za-z0-9+/_-]{8,}", text)
    runs += [re.sub(r"[^A-Za-z0-9+/_-]", "", text)]
    read = []
    for run in (each[skipped:] for each in runs for skipped in range(4)):
        letters = run.replace("-", "+").replace("_", "/")[: len(run) - (len(run) % 4 == 1)]
        read.append(base64.b64decode(letters + "=" * (-len(letters) % 4)).decode("latin-1"))
    return "\n".join(read)


def unjson(text: str) -> str:
    text = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), text)


DECODERS: dict[Encoder, Callable[[str], str]] = {
    percent: unquote,
    quoted: lambda text: quopri.decodestring(text.encode("latin-1", "replace")).decode("latin-1"),
    references: html.unescape,
    tagged: lambda text: html.unescape(re.sub(r"<[^<>]*>", "", text)),
    in_json: unjson,
    based: unpacked,
}


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(sorted(SECRETS)), st.lists(st.sampled_from(ENCODERS), min_size=1, max_size=4))
def test_a_secret_cannot_be_read_from_what_is_kept_however_it_is_encoded(
    data: st.DataObject, secret: str, layers: list[Encoder]
) -> None:
    """Who knows how it was encoded, and takes it back, finds no piece of the HMAC."""
    text = SECRETS[secret]
    for layer in layers:
        text = layer(data.draw, text)
    kept = redacted(f"Returned mail\n\n{text}\n\nHej!\n")
    assert LEFT_OUT in kept
    for layer in reversed(layers):
        kept = re.sub(r"\n(?=\S)", "", DECODERS[layer](kept)) if layer is not quoted else DECODERS[layer](kept)
    end = gist(SECRETS[secret])
    assert not [at for at in range(len(end) - 9) if end[at : at + 10] in kept]


@pytest.mark.parametrize(
    "unit", ["%25", "\\", "&amp", "UUUU", "=3D", "<b>", "<!--", "?= =?u?Q?", "a.b-", "&#x", "\\u00"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_time_grows_with_the_text_and_no_faster(unit: str, *, nested: bool) -> None:
    def seconds(size: int) -> float:
        text = unit + unit[1:] * (size // len(unit)) if nested else unit * (size // len(unit))
        started = time.thread_time()
        redacted(text)
        return time.thread_time() - started

    assert seconds(128 * 1024) < max(10 * seconds(32 * 1024), 1)


def test_what_has_more_layers_than_anyone_writes_is_left_out_whole() -> None:
    text = SIGN
    for _ in range(40):
        text = quote(text, safe="")
    assert redacted(f"Hej\n{text}\n") == LEFT_OUT


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <sven.dahl@granvik.example>: Recipient address rejected: User unknown in virtual mailbox table",
        "554 5.7.1 queued as 4XkQz94mK1z9sTq, see https://granvik.example/mail/support/answers/DeliveryProblems",
        "550 5.4.1 Access denied. [HE1EUR04FT012.eop-eur04.granvik.example 2024-05-06T07:08:09Z 08DC6D9F5E0E]",
        "550 5.1.1 f6b1e4cc-87d7-4c3f-a27c-3c1ffd3d1f0f no such user",
    ],
)
def test_a_mail_servers_words_and_queue_ids_stay(words: str) -> None:
    assert redacted_words(words) == words


@given(st.integers(24, 43), st.integers(0, 19))
def test_a_piece_of_a_token_does_not_stay_in_a_mail_servers_words(length: int, start: int) -> None:
    for token in (VERP, TOKEN.rpartition(".")[2]):
        piece = token[start : start + length]
        kept = redacted_words(f"550 rejected: {piece} is not known")
        assert piece not in kept or len(piece) < 24


def test_a_mail_servers_words_are_kept_without_our_links() -> None:
    trouble = Trouble("5.7.1", f"550 5.7.1 blocked: the link {SIGN} is not trusted")
    assert trouble.diagnostic == (
        f"550 5.7.1 blocked: the link https://justera.norrdalen.example/signing/s/{LEFT_OUT} is not trusted"
    )
