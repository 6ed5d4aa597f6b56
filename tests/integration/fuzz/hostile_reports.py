"""Delivery reports as strangers may send them: mutations of real and of our own ones, and bombs for mail parsers."""

import base64
import random
from pathlib import Path

SAMPLES = sorted((Path(__file__).parents[2] / "data" / "delivery_reports").glob("*.eml"))


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Bytes changed, lines dropped, doubled or swapped, parts cut, lengths blown up."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 3, 20))):
        kind, at = rng.randrange(7), rng.randrange(len(data) or 1)
        if kind == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del data[at : at + rng.randrange(1, 400)]
        elif kind == 2:
            data[at:at] = rng.choice((b"\0", b"\r\n\r\n", b"\xff" * 50, b"--" * 200, b"=?utf-8?q?", b"(" * 500))
        elif kind == 3:
            data[at:at] = bytes(data[at : at + 300])
        elif kind == 4:
            lines = bytes(data).split(b"\n")
            rng.shuffle(lines) if rng.random() < 0.2 else lines.pop(rng.randrange(len(lines)))
            data = bytearray(b"\n".join(lines))
        elif kind == 5:
            data = bytearray(bytes(data).replace(b"5.", rng.choice((b"2.", b"4.", b"9.", b"5" * 300)), 1))
        else:
            data[at:at] = b"Content-Type: multipart/report; boundary=" + b"x" * rng.choice((1, 5000)) + b"\n"
    return bytes(data)


def bombs() -> dict[str, bytes]:
    """Small or large, each costs a naive reader much more than it costs its sender."""
    head = b"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    status = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    recipient = b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    return {
        "nested multiparts": head + b"".join(_opened(number) for number in range(2000)),
        "nested messages": head + b"Content-Type: message/rfc822\r\n\r\n" * 5000 + b"text",
        "many parts": head + b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 20_000,
        "many recipients": head + status + recipient * 4000,
        "many headers": head + b"".join(b"X-%d: x\r\n" % number for number in range(20_000)) + b"\r\ntext",
        "one long header": head + (b"X-Long: " + b" x\r\n" * 60_000) + b"\r\ntext",
        "encoded words": head + b"Subject: " + b"=?utf-8?q?=41?= " * 40_000 + b"\r\n\r\ntext",
        "many parameters": head + b"Content-Type: multipart/report" + b"; a*0=x" * 100_000 + b"\r\n\r\ntext",
        "base64": head + b"Content-Transfer-Encoding: base64\r\n" + status[:-2] + base64.encodebytes(recipient * 5000),
        "comments": head + b"To: " + b"(" * 500_000 + b"\r\n\r\ntext",
        "no line end": head + b"\r\n" + b"x" * 900_000,
        "too large": head + b"\r\n" + b"a line of text\r\n" * 80_000,
        "zeros": b"\0" * 500_000,
        "empty": b"",
    }


def _opened(number: int) -> bytes:
    return b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
