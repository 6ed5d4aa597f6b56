"""Which login at a provider is which account here: by its subject, once its verified address told. All SQL about it.

An address can come to mean somebody else; a subject never does (OpenID Connect Core 1.0, section 5.7).
"""

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from services.signing.oidc import NoAccount, Somebody, account_by_email
from services.signing.tables import LOGIN_IDENTITY
from shared.auth import Access, Principal
from shared.database import Database
from shared.logging import get_logger

log = get_logger(__name__)

_C = LOGIN_IDENTITY.c
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")


class LoginIdentities:
    def __init__(self, database: Database, access: Access) -> None:
        self._database = database
        self._access = access

    async def account(self, one: Somebody) -> Principal:
        """Whose account it is. Raises NoAccount, also for an account that another subject of this provider has: who
        gets a leaver's address does not get their account."""
        mine = (_C.issuer == one.issuer, _C.subject == one.subject)
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK, {"what": f"login identity {one.issuer}"})
            bound = (await connection.execute(select(_C.account).where(*mine))).scalar_one_or_none()
            if bound is not None and (known := self._access.account(bound)) is not None:
                return Principal.of(known)
            record = account_by_email(self._access.accounts(), one)
            of_it = select(_C.subject).where(_C.issuer == one.issuer, _C.account == record.sha256)
            if (await connection.execute(of_it)).first() is not None:
                raise NoAccount("the account is somebody else's at this provider", hint="ask your operator")
            now = {"account": record.sha256}
            tied = insert(LOGIN_IDENTITY).values(issuer=one.issuer, subject=one.subject, **now)
            await connection.execute(tied.on_conflict_do_update(index_elements=[_C.issuer, _C.subject], set_=now))
        log.info("login.identity_bound", organisation=record.organisation, account=record.sha256[:12])
        return Principal.of(record)
