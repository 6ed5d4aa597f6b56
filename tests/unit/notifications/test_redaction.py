"""Our links and tokens are found in whatever shape a foreign text has them, and the rest stays as it came."""

import base64
import quopri
import re
import textwrap
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications import verp
from services.notifications.delivery import Trouble
from services.notifications.redaction import LEFT_OUT, redacted, redacted_bytes
from shared import links
from shared.keys import new_keys, parse_keys
from shared.links import Link

RING = parse_keys(new_keys(), "KEYS")
TOKEN = links.issue(RING, Link("sign", "norrdalen", "2f1c9a54-0000-4000-8000-00000000abcd", 3))
SIGN = f"https://justera.norrdalen.example/signing/s/{TOKEN}"
COPY = "https://justera.norrdalen.example/archive/copies/" + links.issue(
    RING, Link("copy", "norrdalen", "NorrdalenStyrelsen2022-09-23_abc", 1)
)
VERP = verp.encode("0192f3a0-0000-7000-8000-000000000001", organisation="norrdalen", ring=RING)
RETURN_PATH = verp.return_path(VERP, "bounces.norrdalen.example")
SECRETS = {"signer's link": SIGN, "copy's link": COPY, "bare token": TOKEN, "return path": RETURN_PATH, "ENVID": VERP}


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
    started = time.perf_counter()
    redacted(unit * (128 * 1024 // len(unit)))
    assert time.perf_counter() - started < 3


def test_a_mail_servers_words_are_kept_without_our_links() -> None:
    trouble = Trouble("5.7.1", f"550 5.7.1 blocked: the link {SIGN} is not trusted")
    assert trouble.diagnostic == (
        f"550 5.7.1 blocked: the link https://justera.norrdalen.example/signing/s/{LEFT_OUT} is not trusted"
    )
