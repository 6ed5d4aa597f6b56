"""Identifiers. UUIDv7 (RFC 9562) sorts by creation time, so that indexes grow at one end."""

import secrets

import uuid6


def new_id() -> str:
    """A UUIDv7 in its canonical text form, from the machine's clock."""
    return str(uuid6.uuid7())


def new_transaction_id() -> str:
    """44 base64url characters (33 random bytes): names an agreement for people and in its report.

    It does not begin with a hyphen, which a command line would read as an option.
    """
    drawn = secrets.token_urlsafe(33)
    return new_transaction_id() if drawn.startswith("-") else drawn
