"""Configuration: from the environment (`JUSTERA_…`) or, for secrets, from files named like it in JUSTERA_SECRETS_DIR.

Nothing secret has a default: replicas would differ, or all installations would agree. Embedded mode makes its own.
"""

import os
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared import invalid
from shared.errors import JusteraError
from shared.logging import LogFormat
from shared.names import DEFAULT_URL


class BadConfiguration(JusteraError):
    slug = "bad-configuration"


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _web_address(value: str) -> str:
    """Raises ValueError when links cannot begin so."""
    wrong = f"{value[:80]!r} is no address like https://justera.example"
    try:
        parts = urlsplit(value)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(wrong) from error
    plain = value.isprintable() and not set(value) & set(" ?#")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right or not plain:
        raise ValueError(wrong)
    return value


def _web_address_or_none(value: str) -> str:
    """Raises ValueError."""
    return _web_address(value) if value else value


def _database_url(value: str) -> str:
    """With our driver. Raises ValueError, which does not repeat it: there may be a password in it."""
    from asyncpg import connect

    try:
        url = make_url(value)
    except (ArgumentError, ValueError) as error:
        raise ValueError("is no URL like postgresql+asyncpg://user@host:5432/database") from error
    if url.drivername not in ("postgresql+asyncpg", "postgresql", "postgres"):
        raise ValueError(f"begins with {url.drivername}:, and our databases are postgresql+asyncpg:")
    if url.port is not None and not 0 < url.port < 65_536:
        raise ValueError(f"names port {url.port}, and there are 65,535")
    if "sslmode" in url.query:
        raise ValueError("has sslmode in it, which is called ssl here: ?ssl=verify-full")
    known = {*signature(connect).parameters, "prepared_statement_cache_size"}
    if unknown := sorted(set(url.query) - known):
        raise ValueError(f"has a parameter {unknown[0][:40]!r} that PostgreSQL's driver does not know")
    # Not rendered anew, which would escape the braces of {service}.
    return "postgresql+asyncpg" + value.removeprefix(url.drivername)


LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]
TrustedHeader = Annotated[Literal["either", "x-forwarded-for", "forwarded"], BeforeValidator(_lower)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """One set for all four services; each reads what concerns it."""

    model_config = SettingsConfigDict(env_prefix="JUSTERA_", extra="ignore")

    organisation: str = Field("default", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    organisation_name: str = "Justera"
    language: Literal["sv", "en"] = "sv"

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "postgresql+asyncpg://justera@127.0.0.1/justera_{service}",
        description="SQLAlchemy URL; {service} is replaced by the service's name, so that each has its own database",
    )
    database_password: SecretStr | None = None
    database_pool: int = Field(8, ge=2, le=100)
    kafka: str = Field("127.0.0.1:9092", description="bootstrap servers, host:port separated by commas")
    kafka_replication_factor: int = 3
    kafka_tls: bool = Field(False, description="speak TLS to Kafka")
    kafka_ca: Path | None = Field(None, description="PEM: the CAs to trust for that, instead of the system's")
    kafka_username: str | None = Field(None, description="log in by SASL, SCRAM-SHA-512")
    kafka_password: SecretStr | None = None
    blobs: str = Field("file:./justera-data/blobs", description="file:FOLDER, or s3://bucket/prefix")

    public_url: WebAddress = Field(DEFAULT_URL, description="where people reach the pages; services hang below it")
    open_data_license: Annotated[str, AfterValidator(_web_address_or_none)] = Field(
        "", description="address of the licence under which open data are given; empty: none is told"
    )
    start_page: str = Field("", description="where the name at the head of the sender's pages leads; empty: nowhere")
    inbox_page: str = Field("", description="where mails are shown instead of sent; empty: they are sent")
    trusted_proxies: str = Field("", description="addresses or networks whose X-Forwarded-For or Forwarded is believed")
    trusted_hops: int = Field(0, ge=0, le=20, description="proxies between client and us; 0: found by their addresses")
    trusted_header: TrustedHeader = Field("either", description="the one that the trusted proxies write")
    max_body_bytes: int = 2 * 1024 * 1024
    max_attachment_bytes: int = Field(
        25 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="of one file that belongs to an agenda item"
    )
    tokens_file: Path | None = Field(None, description="JSON: the hashes of the API tokens, see `justera token`")

    link_keys: SecretStr | None = Field(None, description="keyid:base64,… first one current; signing + notifications")
    copy_link_keys: SecretStr | None = Field(None, description="the same for links to sealed copies; archive too")
    member_link_keys: SecretStr | None = Field(
        None, description="the same for members' links to their own page; meetings and notifications"
    )
    bounce_keys: SecretStr | None = Field(None, description="the same for return paths; notifications only")
    event_keys: SecretStr | None = Field(
        None, description="lines of WRITER READER keyid:base64,…: who signs events for whom; each service its own"
    )
    session_key: SecretStr | None = Field(None, description="base64; signs browser sessions of operators")

    oidc_issuer: Annotated[str, AfterValidator(_web_address_or_none)] = Field(
        "", description="the OpenID Connect provider that people log in at, as it calls itself; empty: none; signing"
    )
    oidc_client_id: str = Field("", description="what it calls us")
    oidc_client_secret: SecretStr | None = Field(None, description="by which it knows us")
    oidc_email_claim: str = Field("email", description="the claim with the address that an account is found by")
    oidc_name: str = Field("", description="what people call it, on the button; empty: its host")

    mail_from: str = "justera@localhost"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    bounce_domain: str = "localhost"
    bounce_listen: str | None = Field(None, description="host:port of our own listener for delivery reports")
    bounce_maildir: Path | None = Field(None, description="a Maildir that reports are delivered to")

    seal_pkcs12: Path | None = None
    seal_passphrase: SecretStr | None = None
    seal_timestamp_url: str | None = None
    seal_test_authority: Path | None = Field(None, description="folder of a local test CA, used when no PKCS#12 is set")

    agreement_days: int = Field(30, ge=1, description="days until an agreement expires")
    reminder_days: int = Field(7, ge=1, description="days between reminders")
    arrival_seconds: float = Field(
        3.0, ge=0, le=30, description="how long signing looks for an agreement whose minutes were drafted a moment ago"
    )
    outbox_retention_days: int = Field(30, ge=1)

    log_format: LogFormat = "json"
    log_level: LogLevel = "INFO"

    @property
    def retention(self) -> timedelta:
        """Of the outboxes: what is published again is no older, and a signed message is believed for as long."""
        return timedelta(days=self.outbox_retention_days)

    def database_url_of(self, service: str) -> str:
        """With the password, which stands apart from the URL so that only it need be a secret file."""
        url = self.database_url.replace("{service}", service)
        if self.database_password is None:
            return url
        password = self.database_password.get_secret_value()
        return make_url(url).set(password=password).render_as_string(hide_password=False)

    def secret(self, name: str) -> str:
        """A secret that the calling service cannot do without. Raises BadConfiguration when it is not set."""
        value: SecretStr | None = getattr(self, name)
        if value is None or not value.get_secret_value():
            variable = f"JUSTERA_{name.upper()}"
            raise BadConfiguration(
                f"{variable} is not set",
                hint=f"set it in the environment, or as the file {variable.lower()} "
                "in the folder named by JUSTERA_SECRETS_DIR",
            )
        return value.get_secret_value()


def load_settings(**overrides: object) -> Settings:
    """From the environment. Raises BadConfiguration that names the variable."""
    secrets = os.environ.get("JUSTERA_SECRETS_DIR")
    try:
        return Settings(_secrets_dir=secrets, **overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise BadConfiguration(f"JUSTERA_{name}: {invalid.what(first)}") from error
    except SettingsError as error:
        raise BadConfiguration(f"JUSTERA_SECRETS_DIR: {error}") from error
