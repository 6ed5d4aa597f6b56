"""The ports that tests give to servers that they start later (`tests.support.processes`)."""

import subprocess
import sys

from tests.support.parts import REPOSITORY
from tests.support.processes import free_ports

_TAKE = "from tests.support.processes import free_ports; print(*free_ports(200))"


def test_a_port_is_never_one_that_a_system_hands_out_by_default() -> None:
    assert all(1024 < port < 32_768 for port in free_ports(50))


def test_a_port_is_given_once_though_nobody_listens_on_it_yet() -> None:
    mine = [*free_ports(200), *free_ports(200)]
    beside = subprocess.run([sys.executable, "-c", _TAKE], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    theirs = [int(port) for port in beside.stdout.split()]
    assert len({*mine, *theirs}) == 600
