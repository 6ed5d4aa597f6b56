"""A Postfix of the test's own: own configuration, queue and data, on loopback; no system instance is touched.

It delivers mail to a Maildir per known address. Mail to another address of the same domains comes back as a delivery
report (5.1.1), which goes by SMTP to `reports` if it is for `report_domain`.
"""

import email
import email.policy
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Collection
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

from services.embedded.children import Child
from tests.support.parts import PartMissing
from tests.support.processes import free_ports, wait_until

_MAIN = """\
compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = {daemons}
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
mail_owner = postfix
setgid_group = postdrop
syslog_name = justera-test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.granvik.example
mydestination =
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
smtp_dns_support_level = disabled
smtpd_relay_restrictions = permit_mynetworks, reject
# Unknown addresses are taken at first, and come back: most servers on the way to a mailbox do not know who is there.
smtpd_reject_unlisted_recipient = no
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/config/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = texthash:{folder}/config/transport
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A context manager: it serves on `port` of 127.0.0.1. `addresses` are those that have a mailbox.

    Raises PartMissing where there is no Postfix, or we are not root (its daemons change to users of their own).
    """

    def __init__(self, addresses: Collection[str], *, reports: int, report_domain: str) -> None:
        self._daemons = _daemons()
        self._addresses = addresses
        self._reports = f"{report_domain} smtp:[127.0.0.1]:{reports}\n"
        # Its daemons run as several users: they must be able to reach their files.
        self.folder = Path(tempfile.mkdtemp(prefix="justera-postfix-"))
        (self.port,) = free_ports(1)
        self._child: Child | None = None

    def __enter__(self) -> Self:
        try:
            self._configure()
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def mails(self, address: str) -> list[EmailMessage]:
        """What was delivered to the address, in the order of its delivery. Envelope sender: the Return-Path header."""
        files = (self.folder / "mail" / address / "new").glob("*")
        delivered = sorted(files, key=lambda path: path.stat().st_mtime_ns)
        return [_parsed(path) for path in delivered]

    @property
    def log(self) -> str:
        return (self.folder / "log/mail.log").read_text(errors="replace")

    def _configure(self) -> None:
        self.folder.chmod(0o755)
        for name in ("config", "queue", "data", "log", "mail"):
            (self.folder / name).mkdir()
        nobody, postfix = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
        os.chown(self.folder / "data", postfix.pw_uid, postfix.pw_gid)
        os.chown(self.folder / "mail", nobody.pw_uid, nobody.pw_gid)
        domains = sorted({address.partition("@")[2] for address in self._addresses})
        facts = {
            "folder": self.folder,
            "daemons": self._daemons,
            "domains": ", ".join(domains),
            "uid": nobody.pw_uid,
            "gid": nobody.pw_gid,
        }
        config = self.folder / "config"
        (config / "main.cf").write_text(_MAIN.format(**facts))
        (config / "master.cf").write_text(_MASTER.format(port=self.port))
        (config / "mailboxes").write_text("".join(f"{address} {address}/\n" for address in self._addresses))
        (config / "transport").write_text(self._reports)

    def _start(self) -> None:
        """`master` itself, in the foreground: it dies with us, and its daemons with it."""
        config = self.folder / "config"
        check = subprocess.run(
            ["postfix", "-c", config, "check"], capture_output=True, text=True, check=False, timeout=60
        )
        if check.returncode != 0:
            raise RuntimeError(f"postfix check: {check.stderr}")
        self._child = Child.spawn(
            "Postfix",
            [self._daemons / "master", "-c", config, "-d"],
            log_file=self.folder / "log/master.log",
            folder=self.folder / "queue",
            death_signal=signal.SIGTERM,
        )
        child = self._child
        wait_until(lambda: not child.alive or self._serves(), seconds=60, what=f"Postfix ({self.folder})")
        if not child.alive:
            raise RuntimeError(f"Postfix ended at its start: {child.output()}{self._log_so_far()}")

    def _serves(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.settimeout(5)
                return connection.recv(4).startswith(b"220")
        except OSError:
            return False

    def _log_so_far(self) -> str:
        return self.log if (self.folder / "log/mail.log").exists() else ""

    def _end(self) -> None:
        child = self._child
        if child is not None and child.alive:
            os.kill(child.pid, signal.SIGTERM)  # master ends its daemons first
            try:
                wait_until(lambda: not child.alive, seconds=20, what="the end of Postfix")
            except TimeoutError:
                child.signal_group(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _daemons() -> Path:
    program = shutil.which("postconf")
    if program is None:
        raise PartMissing("no Postfix on this machine")
    if os.geteuid() != 0:
        raise PartMissing("Postfix can be started by root only")
    shown = subprocess.run(
        [program, "-dh", "daemon_directory"], capture_output=True, text=True, check=False, timeout=20
    )
    folder = Path(shown.stdout.strip() or "/usr/lib/postfix/sbin")
    return folder if (folder / "master").exists() else Path("/usr/lib/postfix/sbin")


def _parsed(path: Path) -> EmailMessage:
    parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed
