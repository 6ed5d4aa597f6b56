"""What an overlay may take besides (deploy/kubernetes/components): certificates, secrets from a store, ServiceMonitors,
traces."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from opentelemetry.sdk import environment_variables

from shared import tracing
from shared.settings import BadConfiguration
from tests.support.parts import missing
from tests.unit.deploy.manifests import (
    BASE,
    COMPONENTS,
    DEPLOY,
    OVERLAYS,
    documents,
    of_kind,
    pod,
    with_all_components,
)

PRODUCTION = OVERLAYS / "production"
(MONITOR,) = documents(COMPONENTS / "service-monitor" / "service-monitor.yaml")
(POD_MONITOR,) = documents(DEPLOY / "monitoring" / "pod-monitor.yaml")
SETTINGS = dict(
    line.split("=", 1) for line in (COMPONENTS / "traces" / "settings.env").read_text(encoding="utf-8").splitlines()
)

Resource = dict[str, Any]


def wanted_by_pods() -> Iterator[tuple[str, str]]:
    """The name of a secret, and a key in it. Kafka's passwords Strimzi makes, by the names of its users."""
    users = {one["metadata"]["name"] for one in of_kind(OVERLAYS / "example", "KafkaUser")}
    for kind in ("Deployment", "StatefulSet", "Job"):
        for workload in of_kind(BASE, kind):
            for volume in pod(workload)["volumes"]:
                for source in volume.get("projected", {}).get("sources", []):
                    if (secret := source["secret"])["name"] not in users:
                        yield from ((secret["name"], item["key"]) for item in secret["items"])


def wanted_by_postgres() -> Iterator[tuple[str, str]]:
    (cluster,) = of_kind(PRODUCTION, "Cluster")
    for role in cluster["spec"]["managed"]["roles"]:
        yield from ((role["passwordSecret"]["name"], key) for key in ("username", "password"))
    for one in cluster["spec"]["backup"]["barmanObjectStore"]["s3Credentials"].values():
        yield one["name"], one["key"]


def test_the_store_gives_each_secret_that_is_wanted_and_no_other() -> None:
    found = list(of_kind(COMPONENTS / "external-secrets", "ExternalSecret"))
    given = [(one["metadata"]["name"], item["secretKey"]) for one in found for item in one["spec"]["data"]]
    by_environment = {("justera-blobs", f"AWS_{key}") for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
    assert sorted(given) == sorted({*wanted_by_pods(), *wanted_by_postgres(), *by_environment})
    for one in found:
        entries = {item["remoteRef"]["key"] for item in one["spec"]["data"]}
        assert entries == {one["metadata"]["name"].replace("justera-", "justera/", 1)}
        assert all(item["remoteRef"]["property"] == item["secretKey"] for item in one["spec"]["data"])


def test_only_a_file_that_is_no_text_lies_encoded_in_the_store() -> None:
    found = of_kind(COMPONENTS / "external-secrets", "ExternalSecret")
    encoded = [item["secretKey"] for one in found for item in one["spec"]["data"] if len(item["remoteRef"]) > 2]
    assert encoded == ["seal.p12"]


def test_a_service_monitor_scrapes_what_the_pod_monitor_does() -> None:
    services = [one for one in of_kind(BASE, "Service") if one["spec"]["ports"]]
    (endpoint,), (own,) = MONITOR["spec"]["endpoints"], POD_MONITOR["spec"]["podMetricsEndpoints"]
    assert MONITOR["spec"]["selector"] == POD_MONITOR["spec"]["selector"]
    labels = MONITOR["spec"]["selector"]["matchLabels"].items()
    for one in services:
        assert labels <= one["metadata"]["labels"].items()
        assert endpoint["port"] in [port["name"] for port in one["spec"]["ports"]]
    # Prometheus would put the Service's name in place of our label `service`, by which alerts speak.
    assert endpoint == own | {"honorLabels": True}


def test_the_certificate_is_the_one_that_the_ingresses_name() -> None:
    """cert-manager makes the secret in `tls` of an ingress that names an issuer."""
    (issuer,) = documents(COMPONENTS / "cert-manager" / "issuer.yaml")
    (component,) = documents(COMPONENTS / "cert-manager" / "kustomization.yaml")
    (patch,) = (yaml.safe_load(one["patch"]) for one in component["patches"])
    assert patch["metadata"]["annotations"] == {"cert-manager.io/issuer": issuer["metadata"]["name"]}
    ingresses = {one["metadata"]["name"]: one["spec"] for one in of_kind(OVERLAYS / "example", "Ingress")}
    asked = ingresses[patch["metadata"]["name"]]
    assert all(one["tls"] == asked["tls"] for one in ingresses.values())
    (solver,) = issuer["spec"]["acme"]["solvers"]
    assert solver["http01"]["ingress"]["ingressClassName"] == asked["ingressClassName"]


def test_the_variables_of_traces_are_opentelemetrys() -> None:
    assert set(SETTINGS) <= {name for name in dir(environment_variables) if name.startswith("OTEL_")} | {
        "OTEL_RESOURCE_ATTRIBUTES"
    }


def test_they_send_traces_where_the_network_lets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    try:
        tracing.configure("signing")
        assert tracing.is_on()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        with pytest.raises(BadConfiguration):
            tracing.configure("signing")
    finally:
        tracing.use(None)
    (policy,) = documents(COMPONENTS / "traces" / "network-policy.yaml")
    (rule,) = policy["spec"]["egress"]
    collector = urlsplit(SETTINGS["OTEL_EXPORTER_OTLP_ENDPOINT"])
    assert rule["ports"] == [{"port": collector.port, "protocol": "TCP"}]
    (to,) = rule["to"]
    namespace = to["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert str(collector.hostname).endswith(f".{namespace}")


def rendered(folder: Path) -> list[Resource]:
    """Production with every component, as kustomize makes it."""
    program = next((one for one in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(one[0])), None)
    if program is None:
        missing("kubectl", "neither kustomize nor kubectl is here")
    shutil.copytree(DEPLOY, folder / "deploy", ignore=shutil.ignore_patterns("secrets"))
    overlay = with_all_components(folder / "deploy")
    finished = subprocess.run([*program, str(overlay)], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return [one for one in yaml.safe_load_all(finished.stdout) if one]


def test_production_with_all_of_them_is_one_installation(tmp_path: Path) -> None:
    found = rendered(tmp_path)
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(names) == len(set(names))
    assert ("ServiceMonitor", "justera") in names
    assert ("PodMonitor", "justera") not in names
    (settings,) = [one["data"] for one in found if one["kind"] == "ConfigMap" and "JUSTERA_KAFKA" in one["data"]]
    assert SETTINGS.items() <= settings.items()
    assert {one["metadata"].get("namespace") for one in found} == {"justera"}
    mounted = {
        source["secret"]["name"]
        for one in found
        if one["kind"] in ("Deployment", "StatefulSet", "Job")
        for volume in pod(one)["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
    }
    made = {name for kind, name in names if kind in ("ExternalSecret", "KafkaUser")}
    # Strimzi's and CloudNativePG's own authorities sign what their servers show.
    assert mounted - made == {"events-cluster-ca-cert", "postgres-ca"}
