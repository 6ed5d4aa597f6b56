"""Whom the network lets speak to whom, where it enforces NetworkPolicies: not every cluster's does."""

import asyncio
from typing import Any

from shared.names import SERVICES
from tests.cluster import images
from tests.cluster.installation import NAMESPACE, OURS, Installation

_STRANGER = f"{NAMESPACE}-stranger"  # a namespace without the label that lets one reach services
_STRANGERS = ("closed", "stranger")
_LISTENS = 8000
_MAIL, _MAIL_SHOWN, _OBJECTS, _DATABASE, _KAFKA, _REPORTS = 1025, 8025, 7070, 5432, 9092, 25
# By who asks: whom, at which port of its Service.
_ALLOWED = {
    "stranger": [("notifications", _REPORTS)],  # mail servers anywhere
    "notifications": [("mail", _MAIL), ("postgres", _DATABASE), ("kafka", _KAFKA)],
    **{
        service: [("objects", _OBJECTS), ("postgres", _DATABASE), ("kafka", _KAFKA)]
        for service in SERVICES
        if service != "notifications"
    },
}
_REFUSED = {
    "stranger": [(service, 80) for service in SERVICES],
    "notifications": [("objects", _OBJECTS), ("mail", _MAIL_SHOWN)],
    **{service: [("mail", _MAIL)] for service in SERVICES if service != "notifications"},
}
_ASK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
except TimeoutError:
    print("refused")
except OSError as error:
    print("refused" if isinstance(error, ConnectionRefusedError) else error)
else:
    print("answered")
"""


async def judged(world: Installation, *, enforced: bool) -> str:
    """What came of it. Raises AssertionError when somebody is refused who should not be, or the other way round; and,
    where the network is known to enforce policies (`enforced`), when it does not."""
    await asyncio.to_thread(world.kubectl.apply, *_strangers())
    try:
        for name in _STRANGERS:
            await _run(world, "rollout", "status", f"deployment/{name}", f"--namespace={_STRANGER}", "--timeout=120s")
        if await _ask(world, "stranger", "closed", _LISTENS) == "answered":
            assert not enforced, "this cluster's network should enforce NetworkPolicies, and does not"
            return "this cluster's network enforces no NetworkPolicies: skipped"
        asked = [(who, *whom, "answered") for who, all_of in _ALLOWED.items() for whom in all_of]
        asked += [(who, *whom, "refused") for who, all_of in _REFUSED.items() for whom in all_of]
        answers = await asyncio.gather(*(_ask(world, who, host, port) for who, host, port, _ in asked))
        wrong = [
            f"{who} to {host}:{port}: {answer}, expected {right}"
            for (who, host, port, right), answer in zip(asked, answers, strict=True)
            if answer != right
        ]
        assert not wrong, "\n".join(["NetworkPolicies are not what they should be:", *wrong])
        return f"the network lets through and refuses what it should: {len(asked)} connections"
    finally:
        await _run(world, "delete", "namespace", _STRANGER, "--wait=false")


async def _ask(world: Installation, who: str, host: str, port: int) -> str:
    """`answered`, `refused`, or what else went wrong."""
    if who == "stranger":
        pod, namespace = "deployment/stranger", _STRANGER
    else:
        pod, namespace = world.ready_pods(f"{OURS},app.kubernetes.io/name={who}")[0], NAMESPACE
    name = host if host == "closed" else f"{host}.{NAMESPACE}.svc.cluster.local"
    ask = ["exec", pod, f"--namespace={namespace}", "--", "python", "-c", _ASK, name, str(port)]
    return (await _run(world, *ask)).strip()


async def _run(world: Installation, *arguments: str) -> str:
    return await asyncio.to_thread(world.kubectl, *arguments, seconds=150)


def _strangers() -> list[dict[str, Any]]:
    """Two pods, one of which nobody may reach: where it is reached, the network enforces nothing."""
    metadata = {"namespace": _STRANGER, "name": "closed"}
    chosen = {"app": "closed"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _STRANGER}},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {"podSelector": {"matchLabels": chosen}, "policyTypes": ["Ingress"]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": chosen, "ports": [{"port": _LISTENS}]},
        },
        *map(_listener, _STRANGERS),
    ]


def _listener(name: str) -> dict[str, Any]:
    labels = {"app": name}
    container = {
        "name": name,
        "image": f"{images.PRODUCT}:{images.FIRST}",
        "command": ["python", "-m", "http.server", str(_LISTENS)],
        "readinessProbe": {"exec": {"command": ["true"]}},  # its own node may be refused, too
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": _STRANGER, "name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
