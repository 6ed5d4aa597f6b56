"""Answers to invitations as calendar programs mail them: the shapes that Outlook, Google and Apple were seen to send.

`{organiser}`, `{attendee}`, `{uid}`, `{sequence}`, `{partstat}` and `{stamp}` are filled in.
"""

import base64
import quopri
from typing import Any

GOOGLE = """\
BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REPLY
BEGIN:VEVENT
DTSTART:20221125T120000Z
DTEND:20221125T143000Z
DTSTAMP:{stamp}
ORGANIZER;CN=Kommunalförbundet Norrdalen:mailto:{organiser}
UID:{uid}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={partstat};CN=Olof Be
 rg;X-NUM-GUESTS=0;X-RESPONSE-COMMENT="Kommer lite, lite sent":mailto:{attendee}
X-MICROSOFT-CDO-OWNERAPPTID:-1265467284
CREATED:20221118T070000Z
DESCRIPTION:1. Val av justerare
LAST-MODIFIED:20221118T071500Z
LOCATION:Digitalt
SEQUENCE:{sequence}
STATUS:CONFIRMED
SUMMARY:Styrelsen sammanträder
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""

OUTLOOK = """\
BEGIN:VCALENDAR
METHOD:REPLY
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT={partstat};CN=Olof "Olle" Berg:MAILTO:{attendee}
COMMENT;LANGUAGE=sv-SE:Kommer lite\\, lite sent\\n
UID:{uid}
SUMMARY;LANGUAGE=sv-SE:Accepterat: Styrelsen sammanträder
DTSTART;TZID=W. Europe Standard Time:20221125T130000
DTEND;TZID=W. Europe Standard Time:20221125T153000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:{stamp}
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:{sequence}
LOCATION;LANGUAGE=sv-SE:Digitalt
X-MICROSOFT-CDO-APPT-SEQUENCE:{sequence}
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-CDO-ALLDAYEVENT:FALSE
X-MICROSOFT-DISALLOW-COUNTER:FALSE
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:REMINDER
TRIGGER;RELATED=START:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
"""

APPLE = """\
BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//Apple Inc.//macOS 13.0//EN
VERSION:2.0
METHOD:REPLY
BEGIN:VEVENT
TRANSP:OPAQUE
DTEND;TZID=Europe/Stockholm:20221125T153000
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
ORGANIZER;CN="Kommunalförbundet Norrdalen";SCHEDULE-STATUS=1.1:mailto:{organiser}
UID:{uid}
DTSTAMP:{stamp}
LOCATION:Digitalt
SEQUENCE:{sequence}
SUMMARY:Styrelsen sammanträder
DTSTART;TZID=Europe/Stockholm:20221125T130000
COMMENT:Kommer lite\\, lite sent
ATTENDEE;CN="Olof Berg";CUTYPE=INDIVIDUAL;EMAIL="{attendee}";PARTSTAT={partstat};ROLE=REQ-PARTICIPANT:mailto:{attendee}
END:VEVENT
END:VCALENDAR
"""

PROGRAMS = {"google": GOOGLE, "outlook": OUTLOOK, "apple": APPLE}
ORGANISER = "answers+k1-x@bounces.norrdalen.example"


def filled(template: str, **said: Any) -> str:
    values = {
        "organiser": ORGANISER,
        "attendee": "olof.berg@bjorka.example",
        "uid": "01a2235c-37b5-7303-9bfc-e1d05ccd5961",
        "sequence": 1,
        "partstat": "ACCEPTED",
        "stamp": "20220926T084144Z",
    } | said
    return template.format(**values)


def in_mail(
    calendar: str | bytes,
    *,
    to: str = ORGANISER,
    encoding: str = "8bit",
    charset: str = "utf-8",
    content_type: str = "text/calendar; method=REPLY",
    subject: str = "Accepted: Styrelsen sammanträder",
) -> bytes:
    """As a program sends it: words first, the calendar as the other alternative. Lines end as RFC 5322 wants."""
    octets = calendar if isinstance(calendar, bytes) else calendar.replace("\n", "\r\n").encode(charset)
    if encoding == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets)
    head = f"""\
From: Olof Berg <olof.berg@bjorka.example>
To: {to}
Subject: {subject}
Message-ID: <1@bjorka.example>
Date: Mon, 26 Sep 2022 10:41:44 +0200
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="B"

--B
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Olof Berg has accepted this invitation.

--B
Content-Type: {content_type}; charset="{charset}"
Content-Transfer-Encoding: {encoding}

"""
    return head.replace("\n", "\r\n").encode() + octets + b"\r\n--B--\r\n"
