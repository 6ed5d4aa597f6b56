"""kubectl: the machine's own where a cluster is given, else the one that was built with ours."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.programs import Lacking, program

_SECONDS = 120.0


class Refused(AssertionError):
    """What kubectl said when it failed."""


@dataclass(frozen=True)
class Kubectl:
    """Calls to one cluster. `given`: it is not ours, and the machine's kubectl speaks to it."""

    kubeconfig: Path
    given: bool = False
    warnings: list[str] = field(default_factory=list)
    """What the API server warned of, as of rules that a namespace only warns by."""

    def __call__(
        self, *arguments: str, stdin: str | None = None, seconds: float = _SECONDS, may_fail: bool = False
    ) -> str:
        """What it printed. Raises Refused, unless `may_fail`."""
        answer = self._run(arguments, stdin, seconds)
        self.warnings.extend(line for line in answer.stderr.splitlines() if line.startswith("Warning: "))
        if answer.returncode != 0 and not may_fail:
            raise Refused(f"kubectl {' '.join(arguments)}: {answer.stderr.strip() or answer.stdout.strip()}")
        return answer.stdout

    def get(self, *arguments: str) -> Any:
        return json.loads(self("get", *arguments, "--output=json"))

    def apply(self, *resources: Mapping[str, Any]) -> None:
        """By the API server, which refuses what a kind's schema does not have."""
        self(*STRICTLY, "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": resources}))

    def is_ready(self) -> bool:
        return self._run(("get", "--raw", "/readyz"), None, 10).returncode == 0

    def _run(self, arguments: tuple[str, ...], stdin: str | None, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}

    def command(self, *arguments: str) -> list[str]:
        """As a command line. Raises Lacking."""
        if not self.given:
            return [str(program("kubernetes")), "kubectl", *arguments]
        found = shutil.which("kubectl")
        if found is None:
            raise Lacking("KUBECONFIG names a cluster, and there is no `kubectl` to speak to it: install one.")
        return [found, *arguments]


STRICTLY = ("apply", "--server-side", "--validate=strict", "--force-conflicts")


def given_cluster() -> Kubectl | None:
    """The one that KUBECONFIG names, if it does. Raises Lacking when it does not answer."""
    named = os.environ.get("KUBECONFIG")
    if not named:
        return None
    kubectl = Kubectl(Path(named), given=True)
    if not kubectl.is_ready():
        raise Lacking(
            f"The cluster that KUBECONFIG={named} names does not answer: `kubectl get --raw /readyz` says why."
        )
    return kubectl
