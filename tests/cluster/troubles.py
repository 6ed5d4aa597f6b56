"""What can lack at a first install, each made to lack: docs/operations.md says of each how it looks.

Each is a pod of signing's beside the ones that run, with one thing changed.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.cluster.guide import NAMESPACE, Operator
from tests.support.processes import wait_until

_NAME = "trouble"
_SECONDS = 180.0

Pod = dict[str, Any]
"""A pod's `spec`."""


@dataclass(frozen=True)
class Trouble:
    """`words`: what both say, a row of the page's table and the cluster. `names`: what only the cluster can."""

    name: str
    change: Callable[[Pod], None]
    words: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def seen(self) -> tuple[str, ...]:
        return *self.words, *self.names


def _setting(name: str, value: str) -> Callable[[Pod], None]:
    def change(pod: Pod) -> None:
        pod["containers"][0]["env"].append({"name": name, "value": value})

    return change


def _no_standard(pod: Pod) -> None:
    del pod["securityContext"], pod["containers"][0]["securityContext"]


def _no_image(pod: Pod) -> None:
    pod["containers"][0].update(image="registry.invalid/justera:0.1.0", imagePullPolicy="Always")


def _no_settings(pod: Pod) -> None:
    pod["containers"][0]["envFrom"][0]["configMapRef"]["name"] = "justera-none"


def _no_secret(pod: Pod) -> None:
    (secrets,) = (one for one in pod["volumes"] if one["name"] == "secrets")
    secrets["projected"]["sources"][0]["secret"]["name"] = "justera-database-none"


def _no_volume(pod: Pod) -> None:
    pod["volumes"].append({"name": "claimed", "persistentVolumeClaim": {"claimName": _NAME}})


def _little_memory(pod: Pod) -> None:
    pod["containers"][0]["resources"] = {"limits": {"memory": "48Mi"}}


TROUBLES = (
    Trouble("standard", _no_standard, ("FailedCreate", 'violates PodSecurity "restricted')),
    Trouble("volume", _no_volume, ("Pending", "pod has unbound immediate PersistentVolumeClaims")),
    Trouble("image", _no_image, ("ImagePullBackOff",), ("registry.invalid/justera:0.1.0",)),
    Trouble("settings", _no_settings, ("CreateContainerConfigError", "not found"), ('configmap "justera-none"',)),
    Trouble(
        "secret", _no_secret, ("ContainerCreating", "FailedMount", "not found"), ('secret "justera-database-none"',)
    ),
    Trouble("setting", _setting("JUSTERA_LANGUAGE", "de"), ("CrashLoopBackOff", "error: JUSTERA_"), ("LANGUAGE",)),
    Trouble(
        "password",
        _setting("JUSTERA_DATABASE_URL", "postgresql://justera_archive@postgres/justera_archive"),
        ("CrashLoopBackOff", "does not take the password"),
    ),
    Trouble(
        "schema",
        _setting("JUSTERA_DATABASE_URL", "postgresql://justera_signing@postgres/postgres"),
        ("not at this version's schema",),
    ),
    Trouble("kafka", _setting("JUSTERA_KAFKA", "kafka:9"), ("Unhealthy", "503", "worker.failed", "joining")),
    Trouble("memory", _little_memory, ("OOMKilled",)),
)


def look(operator: Operator, trouble: Trouble) -> str:
    """All that the page has an operator look at, once each of `seen` was there. Raises TimeoutError without."""
    deployment = operator.kubectl.get("deployment", "signing", f"--namespace={NAMESPACE}")
    spec = copy.deepcopy(deployment["spec"])
    labels = {"app": _NAME}
    spec.update(replicas=1, selector={"matchLabels": labels})
    spec["template"]["metadata"]["labels"] = labels
    trouble.change(spec["template"]["spec"])
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": _NAME, "namespace": NAMESPACE}
    made = [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}]
    if trouble.change is _no_volume:
        made.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})
    said = ""

    def is_seen() -> bool:
        nonlocal said
        said = _said(operator)
        return all(word in said for word in trouble.seen)

    operator.kubectl.apply(*made)
    try:
        wait_until(is_seen, seconds=_SECONDS, what=f"{trouble.name}: {trouble.seen}")
    except TimeoutError as late:
        late.add_note(said)
        raise
    finally:
        gone = ["deployment,pod,pvc,replicaset", f"--selector=app={_NAME}", f"--namespace={NAMESPACE}"]
        operator.kubectl("delete", "deployment", _NAME, f"--namespace={NAMESPACE}", "--ignore-not-found")
        operator.kubectl("delete", *gone, "--force", "--grace-period=0", "--ignore-not-found", may_fail=True)
        operator.kubectl("delete", "pvc", _NAME, f"--namespace={NAMESPACE}", "--ignore-not-found")
        operator.kubectl("delete", "events", "--all", f"--namespace={NAMESPACE}")
    return said


def _said(operator: Operator) -> str:
    ours = f"--selector=app={_NAME}"
    there = f"--namespace={NAMESPACE}"
    pods = operator.kubectl("get", "pods", there, ours)
    states = json.dumps(
        [one["status"].get("containerStatuses") for one in operator.kubectl.get("pods", there, ours)["items"]]
    )
    events = operator.kubectl("get", "events", there, "--field-selector=type=Warning")
    logs = operator.kubectl("logs", there, ours, "--tail=20", may_fail=True)
    before = operator.kubectl("logs", there, ours, "--tail=20", "--previous", may_fail=True)
    return "\n".join((pods, states, events, logs, before))
