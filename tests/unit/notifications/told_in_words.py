"""Mails as servers, people and machines send them to a return path: what each is, by its own words.

The structures are those of real servers (named by key), the words are shortened, and everybody in them is invented.
"""

from typing import NamedTuple

DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.granvik.example>"
SVEN = "sven.dahl@granvik.example"
COPY = "\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <x@norrdalen.example>\nSubject: Signera\n"


class Told(NamedTuple):
    """`expected`: action, status and a part of the server's own words."""

    sender: str
    subject: str
    body: str
    expected: tuple[str, str, str]
    headers: str = ""


REPORTS = {
    "exim": Told(
        DAEMON,
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        f"delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {SVEN}\n    host mx2.granvik.example [192.0.2.2]\n    SMTP error from remote mail server after "
        f"RCPT TO:<{SVEN}>:\n"
        "    550 5.1.1 User unknown; rejecting\n\n------ This is a copy of the message, including all the "
        "headers. ------\n",
        ("failed", "5.1.1", "550 5.1.1 User unknown; rejecting"),
    ),
    "exim, old, without an enhanced code": Told(
        DAEMON,
        "Mail delivery failed: returning message to sender",
        f'The following address(es) failed:\n\n  {SVEN}\n    unrouteable mail domain "granvik.example"\n',
        ("failed", "5.1.", "unrouteable mail domain"),
    ),
    "exim, retry time exceeded": Told(
        DAEMON,
        "Mail delivery failed: returning message to sender",
        f"The following address(es) failed:\n\n  {SVEN}\n    retry timeout exceeded\n",
        ("failed", "4.4.7", "retry timeout exceeded"),
    ),
    "exim, delay": Told(
        DAEMON,
        "Warning: message 1abCDe-0001Ab-2C delayed 24 hours",
        "A message that you sent has not yet been delivered to one or more of its\nrecipients after more "
        "than 24 hours on "
        f"the queue on mx.granvik.example.\n\nThe address to which the message has not yet been delivered "
        f"is:\n\n  {SVEN}\n\n"
        "No action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be "
        "repeated. Eventually the mail delivery software will give up, and when that happens, the message "
        "will be returned.\n",
        ("delayed", "4.0.0", "not yet been delivered"),
    ),
    "gmail": Told(
        "Mail Delivery Subsystem <mailer-daemon@mail.example>",
        "Delivery Status Notification (Failure)",
        f"Delivery to the following recipient failed permanently:\n\n     {SVEN}\n\nTechnical details of permanent "
        "failure: \nMail tried to deliver your message, but it was rejected by the server.\n\nThe error that "
        "the other server "
        "returned was:\n550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 "
        "double-checking the recipient's email address\n\n----- Original message -----\n\nX-Received: by 192.0.2.1\n",
        ("failed", "5.1.1", "550-5.1.1 The email account that you tried to reach does not exist."),
        f"X-Failed-Recipients: {SVEN}\n",
    ),
    "gmail, delay": Told(
        "Mail Delivery Subsystem <mailer-daemon@mail.example>",
        "Delivery Status Notification (Delay)",
        "This is an automatically generated Delivery Status Notification\n\nTHIS IS A WARNING MESSAGE "
        "ONLY.\n\nYOU DO NOT "
        f"NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipient has been delayed:\n\n     "
        f"{SVEN}\n\nMessage will "
        "be retried for 2 more day(s)\n\nTechnical details of temporary failure: \nThe recipient server did "
        "not accept our "
        "requests to connect.\n",
        ("delayed", "4.0.0", "has been delayed"),
    ),
    "exchange 2000": Told(
        "System Administrator <postmaster@granvik.example>",
        "Undeliverable: Signera",
        f"Your message\n\n  To:      {SVEN}\n  Subject: Signera\n\ndid not reach the following "
        f"recipient(s):\n\n{SVEN} on Thu, "
        "24 Sep 2026 10:00:00 +0200\n    The recipient name is not recognized\n\tThe MTS-ID of the original "
        "message is: c=se;a= "
        ";p=granvik\n    MSEXCH:IMS:GRANVIK:MX:MBX01 0 (000C05A6) Unknown Recipient\n",
        ("failed", "5.1.1", "The recipient name is not recognized"),
    ),
    "exchange 2010, in Swedish, in HTML": Told(
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@granvik.example>",
        "Det går inte att leverera: Signera",
        "<html><head><style>p {color: red}</style></head><body><p>Det gick inte att leverera till följande "
        "mottagare:</p>"
        f"<p><a href='mailto:{SVEN}'>Sven Dahl</a><br>E-postadressen hittades inte på "
        f"e-postsystemet.</p><p>Diagnostikinformation "
        f"för administratörer:</p><p>Skapande server: mx.granvik.example</p><p>{SVEN}<br>#550 5.1.1 "
        f"RESOLVER.ADR.RecipNotFound; "
        "not found ##</p></body></html>",
        ("failed", "5.1.1", "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##"),
        "Content-Type: text/html; charset=utf-8\nAuto-Submitted: auto-replied\nX-MS-Exchange-Message-Is-Ndr:\n",
    ),
    "exchange online, expired": Told(
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@granvik.example>",
        "Undeliverable: Signera",
        f"Delivery has failed to these recipients or groups:\n\n{SVEN}\nSeveral attempts to deliver your message were "
        "unsuccessful and we stopped trying.\n\nGenerating server: mx.granvik.example\n\n"
        f"{SVEN}\nRemote Server returned '550 4.4.7 QUEUE.Expired; message expired'\n",
        ("failed", "4.4.7", "'550 4.4.7 QUEUE.Expired; message expired'"),
        "Auto-Submitted: auto-replied\nX-MS-Exchange-Message-Is-Ndr:\n",
    ),
    "notes, in words of its directory": Told(
        "postmaster@granvik.example",
        "DELIVERY FAILURE: User sven.dahl (sven.dahl@granvik.example) not listed in Domino Directory",
        "Your message\n\n  Subject: Signera\n\nwas not delivered to:\n\n  "
        "sven.dahl@granvik.example\n\nbecause:\n\n  User sven.dahl "
        "(sven.dahl@granvik.example) not listed in Domino Directory\n",
        ("failed", "5.1.1", "not listed in Domino Directory"),
    ),
    "groupwise": Told(
        "Postmaster@granvik.example",
        "Mail System Error - Returned Mail",
        f"The message that you sent was undeliverable to the following:\n\t{SVEN} (user not found)\n",
        ("failed", "5.1.1", "user not found"),
    ),
    "sendmail, transcript": Told(
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.granvik.example>",
        "Returned mail: see transcript for details",
        f"   ----- The following addresses had permanent fatal errors -----\n<{SVEN}>\n    (reason: 550 5.2.1 "
        f"mailbox disabled)\n\n"
        f"   ----- Transcript of session follows -----\n... while talking to mx2.granvik.example.:\n>>> RCPT "
        f"To:<{SVEN}>\n<<< 550 "
        "5.2.1 mailbox disabled\n>>> DATA\n<<< 503 5.5.1 RCPT first\n",
        ("failed", "5.2.1", "550 5.2.1 mailbox disabled"),
    ),
    "sendmail 5, time ran out": Told(
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.granvik.example>",
        "Returned mail: Cannot send message for 4 days",
        "   ----- Transcript of session follows -----\n421 granvik.example (smtp)... Deferred: Connection "
        "timed out during user "
        "open with granvik.example\n\n   ----- Unsent message follows -----\nReceived: by mx; 1\n",
        ("failed", "4.4.1", "Deferred: Connection timed out"),
    ),
    "sendmail, warning": Told(
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.granvik.example>",
        "Warning: could not send message for past 4 hours",
        "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      "
        "**\n    **  YOU DO "
        "NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n   ----- "
        "Transcript of session "
        "follows -----\n451 4.4.1 reply: read error from mx2.granvik.example.\nWarning: message still "
        "undelivered after 4 hours\n"
        "Will keep trying until message is 5 days old\n",
        ("delayed", "4.4.1", "451 4.4.1 reply: read error"),
    ),
    "qmail": Told(
        "MAILER-DAEMON@mx.granvik.example",
        "failure notice",
        "Hi. This is the qmail-send program at mx.granvik.example.\nI'm afraid I wasn't able to deliver your "
        "message to the "
        f"following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work "
        f"out.\n\n<{SVEN}>:\n192.0.2.2 does not "
        f"like recipient.\nRemote host said: 554 delivery error: dd This user doesn't have an account\nGiving "
        f"up on 192.0.2.2.{COPY}",
        ("failed", "5.1.1", "554 delivery error: dd This user doesn't have an account"),
    ),
    "qmail, no connection": Told(
        "MAILER-DAEMON@mx.granvik.example",
        "failure notice",
        "Hi. This is the qmail-send program at mx.granvik.example.\nThis is a permanent error; I've given up.\n\n"
        f"<{SVEN}>:\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try "
        f"again; this message has "
        f"been in the queue too long.{COPY}",
        ("failed", "4.4.1", "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)"),
    ),
    "postfix, flattened": Told(
        DAEMON,
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host mx.granvik.example.\n\nI'm sorry to have to inform you that your "
        "message could not\nbe "
        f"delivered to one or more recipients.\n\n<{SVEN}>: host mx2.granvik.example[192.0.2.2] said: 452 "
        f"4.2.2 The email\n    "
        "account is over quota (in reply to RCPT TO command)\n",
        ("failed", "4.2.2", "452 4.2.2 The email account is over quota"),
    ),
    "imail": Told(
        "Postmaster <postmaster@granvik.example>",
        "Undeliverable Mail",
        f"Unknown user: {SVEN}\n\n\nOriginal message follows.\n\nReceived: from x\n",
        ("failed", "5.1.1", "Unknown user"),
        "X-Mailer: <SMTP32 v990729>\n",
    ),
    "courier": Told(
        '"Courier mail server at mx.granvik.example" <postmaster@mx.granvik.example>',
        "NOTICE: mail delivery status.",
        "This is a delivery status notification from mx.granvik.example,\nrunning the Courier mail server, "
        "version 0.65.2.\n\n"
        f"                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be "
        f"delivered:\n\n<{SVEN}>:\n"
        "    mx2.granvik.example [192.0.2.2]:\n    >>> RCPT TO:<sven>\n    <<< 550 5.1.1 <sven>... User Unknown\n",
        ("failed", "5.1.1", "<<< 550 5.1.1 <sven>... User Unknown"),
    ),
    "mail marshal": Told(
        "postmaster@granvik.example",
        'Undeliverable Mail: "Signera"',
        f"Your message:\n   From:    x@norrdalen.example\n   Subject: Signera\n\nCould not be delivered "
        f"because of\n\n550 5.1.1 User "
        f"unknown\n\nThe following recipients were affected: \n    {SVEN}\n",
        ("failed", "5.1.1", "550 5.1.1 User unknown"),
    ),
    "1&1": Told(
        '"Mail Delivery System" <mailer-daemon@kunden.example>',
        "Mail delivery failed: returning message to sender",
        f"A message that you sent could not be delivered to one or more of\nits recipients. This is a "
        f"permanent error.\n\nThe "
        f"following address failed:\n\n{SVEN}\n\nFor the following reason:\n\nMail size limit "
        f"exceeded.\n\n--- The header of the "
        "original message is following. ---\n\nReceived: from x\n",
        ("failed", "5.", "Mail size limit exceeded."),
    ),
    "x.400 gateway": Told(
        "MTA@granvik.example",
        "Delivery Report (failure) for sven.dahl@granvik.example",
        f"This report relates to your message: Subject: Signera\n\nYour message was not delivered to   "
        f"{SVEN}\n        for the "
        "following reason:\n        Unknown Address\n        Recipient name unknown\n",
        ("failed", "5.1.1", "Unknown Address"),
    ),
    "a filter that blames spam": Told(
        "postmaster@granvik.example",
        "Undeliverable: Signera",
        f"Your message to {SVEN} was blocked by granvik.example.\n\n554 5.7.1 Message blocked due to spam content\n",
        ("failed", "5.7.1", "554 5.7.1 Message blocked due to spam content"),
    ),
    "a name that nobody knows": Told(
        '"Post.Office" <postoffice@mx.granvik.example>',
        "Undeliverable Message",
        f"Your message could not be delivered.\n\n        The user(s) account is temporarily over quota.\n\n  {SVEN}\n",
        ("failed", "5.2.2", "over quota"),
        "Return-Path: <>\n",
    ),
    "in German": Told(
        "Mail Delivery System <mailer-daemon@granvik.example>",
        "Unzustellbar: Signera",
        f"Ihre Nachricht konnte nicht zugestellt werden:\n\n{SVEN}\nEmpfänger unbekannt\n",
        ("failed", "5.1.1", "Empfänger unbekannt"),
    ),
    "in Swedish, delay": Told(
        DAEMON,
        "Leveransen är försenad",
        f"Meddelandet till {SVEN} har ännu inte kunnat levereras.\nServern fortsätter att försöka i 4 dagar.\n",
        ("delayed", "4.0.0", "ännu inte kunnat levereras"),
    ),
    "words that nobody knows, with the mail": Told(
        "MAILER-DAEMON@mx.granvik.example",
        "Oj",
        f"<{SVEN}>: det blev visst inget av med det här.{COPY}",
        ("failed", "5.0.0", "det blev visst inget av"),
    ),
    "success": Told(
        "postmaster@granvik.example",
        "Delivery Status Notification (Success)",
        f"Your message was successfully delivered to:\n\n{SVEN}\n",
        ("delivered", "2.0.0", ""),
    ),
}

# Never a bounce, whatever it names and says.
OTHERS = {
    "absence, no header says so": Told(
        f"Sven Dahl <{SVEN}>",
        "Semester: Signera",
        "Hej!\n\nJag har semester till den 5 oktober.\nI brådskande fall, kontakta Anna Berg, "
        "anna.berg@granvik.example, eller växeln.\n",
        ("", "", ""),
        "In-Reply-To: <x@norrdalen.example>\n",
    ),
    "absence by exchange": Told(
        f"Sven Dahl <{SVEN}>",
        "Automatic reply: Signera",
        "I am out of the office and your message could not be delivered to me. Please write to "
        "bounce@granvik.example.\n",
        ("", "", ""),
        "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n",
    ),
    "absence with a null sender": Told(
        f"Sven Dahl <{SVEN}>",
        "Frånvaro",
        "Jag är inte på kontoret 550 dagar. Ring 450 55 10.\n",
        ("", "", ""),
        "Return-Path: <>\nAuto-Submitted: auto-replied\n",
    ),
    "absence without a word in its subject": Told(
        f"Sven Dahl <{SVEN}>",
        "Signera",
        "I no longer work here. This mailbox is closed and not read; your mail was not delivered to anyone.\n",
        ("", "", ""),
    ),
    "who has left": Told(
        f"Sven Dahl <{SVEN}>",
        "Autosvar: Signera",
        "Denna adress finns inte längre. Kontakta registrator@granvik.example.\n",
        ("", "", ""),
        "Return-Path: <>\nPrecedence: auto_reply\n",
    ),
    "ticket": Told(
        "Support <support@granvik.example>",
        "[#550511] We have received your message: Signera",
        "Your request could not be processed at once and has been assigned ticket 5.1.1. Do not reply above "
        "this line.\n",
        ("", "", ""),
        "Auto-Submitted: auto-generated\nPrecedence: bulk\n",
    ),
    "ticket from a mail service": Told(
        "Mail Service Desk <mail.service@granvik.example>",
        "Ärende 4471 är registrerat",
        "Vi har tagit emot ditt meddelande. Ärendet behandlas inom två dagar.\n",
        ("", "", ""),
    ),
    "acknowledgement of a registrar": Told(
        "Registrator <registrator@granvik.example>",
        "Bekräftelse",
        "Tack för ditt mejl. Det är mottaget och diariefört. Meddelanden över 20 MB avvisas.\n",
        ("", "", ""),
    ),
    "read receipt": Told(
        f"Sven Dahl <{SVEN}>",
        "Read: Signera",
        "Your message was displayed. This is no guarantee that it was read.\n",
        ("", "", ""),
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n",
    ),
    "complaint": Told(
        "feedback@granvik.example",
        "Email Feedback Report: undeliverable",
        "--b\nContent-Type: text/plain\n\nThis is an abuse report for a mail that was rejected: 550 "
        "5.7.1\n--b\nContent-Type: "
        "message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n--b\nContent-Type: "
        "message/rfc822\n\nSubject: Signera\n\n--b--\n",
        ("", "", ""),
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n',
    ),
    "a person asks": Told(
        f"Sven Dahl <{SVEN}>",
        "Signera",
        "Hej, länken gav fel 550 5.1.1 i min webbläsare. Kan du skicka igen?\n",
        ("", "", ""),
    ),
    "a person forwards a report": Told(
        f"Sven Dahl <{SVEN}>",
        "VB: Undeliverable: Signera",
        "Se nedan!\n\nDelivery has failed to these recipients: anna@granvik.example\n550 5.1.1 User unknown\n",
        ("", "", ""),
    ),
    "a postmaster answers": Told(
        "Postmaster <postmaster@granvik.example>",
        "Re: Signera",
        "We looked into it. The user unknown errors (550 5.1.1) of last week are gone.\n",
        ("", "", ""),
        "In-Reply-To: <x@norrdalen.example>\n",
    ),
    "a challenge": Told(
        "antispam@granvik.example",
        "Please confirm your message",
        "Your message was held and not delivered. Confirm that you are human at https://granvik.example/confirm.\n",
        ("", "", ""),
        "Auto-Submitted: auto-replied\n",
    ),
    "a newsletter": Told(
        "News <news@granvik.example>",
        "Delivery problems? We fix them",
        "550 reasons to choose us. Never lose a mail again.\n",
        ("", "", ""),
        "List-Id: news\n",
    ),
    "our own mail": Told(
        "signering@norrdalen.example",
        "Signera: Protokoll",
        "Delivery has failed\n[a@b.example]\n",
        ("", "", ""),
        "Auto-Submitted: auto-generated\n",
    ),
}


def raw(told: Told) -> bytes:
    return (
        f"From: {told.sender}\nTo: <bounces+k1-{'a2' * 22}a@norrdalen.example>\nSubject: {told.subject}\n"
        f"MIME-Version: 1.0\n{told.headers}\n{told.body}"
    ).encode()
