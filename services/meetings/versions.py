"""Two who change one thing at the same time: the second is told. Pure."""

from shared.errors import Refused, says


def require_version(what: str, found: int, seen: int | None) -> None:
    """`seen`: the version that a change was made from; None does not ask. Raises Refused."""
    if seen is not None and seen != found:
        raise Refused(
            f"{what} was changed by someone else meanwhile",
            hint=f"look at version {found}, and change that one",
            says=says("changed_meanwhile"),
        )
