"""The data folder of the all-in-one process: what lies where, and the secrets it makes for itself.

justera-data/   (mode 0700, and nothing in it is open to other users)
  postgres/   broker/   blobs/   seal/   logs/
  secrets.json    keys of this installation, readable by its owner only
  address         where the running process answers
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from shared.auth import Access, Role, TokenRecord, token_hash
from shared.errors import JusteraError
from shared.keys import new_keys
from shared.messaging.signatures import PAIRS
from shared.settings import BadConfiguration

DEFAULT_FOLDER = Path("justera-data")
_OTHERS = 0o077  # the bits of a mode that are for the group and for everybody


class NoInstallation(JusteraError):
    slug = "no-installation"


@dataclass(frozen=True)
class Secrets:
    """`master`: 32 bytes in hexadecimal, from which the session key and the local tokens are derived."""

    link_keys: str
    copy_link_keys: str
    bounce_keys: str
    master: str

    def derived(self, purpose: str) -> bytes:
        return hmac.new(bytes.fromhex(self.master), purpose.encode(), hashlib.sha256).digest()

    def token(self, role: Role) -> str:
        """The bearer token by which a command on this machine speaks to the local process; derived, never stored."""
        return self.derived(f"local token of the {role}").hex()

    @property
    def member_link_keys(self) -> str:
        """As JUSTERA_MEMBER_LINK_KEYS; derived, so that folders made by earlier versions have them."""
        return f"k1:{base64.b64encode(self.derived('links of members')).decode()}"

    @property
    def event_keys(self) -> str:
        """As JUSTERA_EVENT_KEYS: one process is all the writers and all the readers."""
        keys = {pair: self.derived(f"events of {pair[0]} for {pair[1]}") for pair in PAIRS}
        lines = [f"{' '.join(pair)} k1:{base64.b64encode(key).decode()}" for pair, key in keys.items()]
        # Every user of the machine reaches the embedded broker's port.
        return "\n".join([*lines, f"bodies k1:{base64.b64encode(self.derived('bodies of events')).decode()}"])


@dataclass(frozen=True)
class Home:
    """Paths of one data folder."""

    folder: Path

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def seal(self) -> Path:
        return self.folder / "seal"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def unfinished_greeting(self) -> Path:
        """There until the association that greets a newcomer is all there."""
        return self.folder / "greeting-unfinished"

    @property
    def greeting(self) -> Path:
        """There when the association is the invented one."""
        return self.folder / "greeting"

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever kept in it."""
        return not self.postgres.exists()

    @property
    def address(self) -> Path:
        """Where the running process answers, for the commands on this machine."""
        return self.folder / "address"

    def prepare(self) -> Secrets:
        """Make the folder and its secrets when they are not there. Raises BadConfiguration for damaged secrets."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True, mode=0o700)
            if not self._secrets_file.exists():
                self._write_secrets(_new_secrets())
        except OSError as error:
            taken = isinstance(error, FileExistsError)
            reason = f"{error.filename} is no folder" if taken else error.strerror or type(error).__name__
            raise BadConfiguration(
                f"the data folder {self.folder} cannot be used: {reason}", hint="name another with --data"
            ) from error
        return self.secrets()

    def tighten(self) -> int:
        """Close to others what an earlier version left open to them; return how many files and folders were open.

        The folder itself comes last: while it is open, a start that was killed half-way begins again. Raises
        BadConfiguration when somebody else's files lie in it: a home or `/tmp`, named by mistake, stays as it is.
        """
        if not self.folder.is_dir() or not _is_open(self.folder):
            return 0
        try:
            if not self._secrets_file.exists() and any(path != self.logs for path in self.folder.iterdir()):
                raise BadConfiguration(
                    f"{self.folder} is open to other users of this machine, and holds files that are not Justera's",
                    hint="name a new or an empty folder with --data",
                )
            inside = [path for path in self.folder.rglob("*") if not path.is_symlink() and _is_open(path)]
            for path in (*inside, self.folder):
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
        except OSError as error:
            raise BadConfiguration(
                f"{error.filename} is open to other users of this machine and cannot be closed: {error.strerror}",
                hint=f"run as its owner: chmod -R go-rwx {self.folder}",
            ) from error
        return len(inside) + 1

    def secrets(self) -> Secrets:
        """Raises NoInstallation when this is no data folder, BadConfiguration when its secrets are damaged."""
        try:
            return Secrets(**json.loads(self._secrets_file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise NoInstallation(
                f"{self.folder} is no data folder of Justera", hint="start one with: justera up"
            ) from error
        except NotADirectoryError as error:
            raise NoInstallation(f"{self.folder} is no folder", hint="name a data folder with --data") from error
        except PermissionError as error:
            raise BadConfiguration(f"{self._secrets_file} may not be read by you") from error
        except OSError as error:
            raise BadConfiguration(f"{self._secrets_file} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise BadConfiguration(f"{self._secrets_file} is damaged") from error

    @property
    def _secrets_file(self) -> Path:
        return self.folder / "secrets.json"

    def _write_secrets(self, made: Secrets) -> None:
        """Whole or not at all, and never readable by others, not even for a moment."""
        temporary = self.folder / f".secrets-{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(vars(made), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._secrets_file)


def local_access(made: Secrets, organisation: str, *, secure: bool) -> Access:
    """Access for the commands on this machine: one derived token a role."""
    tokens = tuple(
        TokenRecord(name=f"local-{role}", role=role, organisation=organisation, sha256=token_hash(made.token(role)))
        for role in Role
    )
    return Access(tokens, made.derived("browser sessions"), secure=secure)


def private_from_now_on() -> None:
    """What this process and its children make from here on is closed to other users."""
    os.umask(_OTHERS)


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.lstat().st_mode) & _OTHERS)


def _new_secrets() -> Secrets:
    return Secrets(new_keys(), new_keys(), new_keys(), secrets.token_hex(32))
