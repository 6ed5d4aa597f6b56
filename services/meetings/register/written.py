"""What is wrong with a register, in the words of the file: its fields and columns as they are called there. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace

from services.meetings.register.register import Problem
from shared.errors import InvalidInput, Says
from shared.plain_text import printable

_PLACES = ("people", "bodies", "members")
_LONGEST = 40


def problem_as_written(problem: Problem, written: Mapping[str, str]) -> Problem:
    """`written`: how fields are called in the file, by our names of them, where they are called otherwise."""
    words = (_called(word, written) if word in _PLACES else word for word in problem.where.split(", "))
    return replace(problem, where=", ".join(words), what=_as_written(problem.what, problem.says, written))


def error_as_written(error: InvalidInput, written: Mapping[str, str]) -> InvalidInput:
    """Of what is no register at all."""
    return InvalidInput(
        _as_written(error.message, error.says, written),
        hint=_as_written(error.hint, error.says, written),
        says=error.says,
    )


def _as_written(what: str, said: Says | None, written: Mapping[str, str]) -> str:
    """Only what is known to be the name of a field is another word: never what someone is called."""
    if said is None:
        return what
    if said.key == "ends":  # the rule of memberships has names of its own for both
        what = f"{said.field}: is before {said.values['other_field']}"
    if said.field:
        named = rf"^(line 1: the heading )?{re.escape(said.field)}(?=: | is )"
        called = ", ".join(_called(part, written) for part in said.field.split(", "))
        what = re.sub(named, lambda found: (found[1] or "") + called, what)
    for name, value in said.values.items():
        if isinstance(value, tuple):
            what = what.replace(", ".join(value), ", ".join(_called(one, written) for one in value))
        elif name.endswith("_field"):
            what = re.sub(rf"\b{re.escape(str(value))}\b", lambda found: _called(found[0], written), what)
    return what


def _called(name: str, written: Mapping[str, str]) -> str:
    return printable(written.get(name, name))[:_LONGEST]
