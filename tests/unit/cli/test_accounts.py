"""`justera token --email`: an account for who logs in at the provider."""

import json

from shared.auth import Role, TokenRecord
from tests.unit.cli.conftest import Justera


def test_an_account_is_a_record_without_a_token(justera: Justera) -> None:
    made = justera("token", "--role", "secretary", "--name", "Maja Lind", "--email", "maja.lind@norrdalen.example")
    assert (made.status, "token (give it" in made.out) == (0, False)
    record = TokenRecord.model_validate(json.loads(made.out.splitlines()[-1]))
    assert (record.name, record.role, record.email) == ("Maja Lind", Role.SECRETARY, "maja.lind@norrdalen.example")


def test_what_is_no_address_is_told(justera: Justera) -> None:
    made = justera("token", "--role", "secretary", "--email", "maja.lind")
    assert made.status != 0
    assert "--email" in made.err
