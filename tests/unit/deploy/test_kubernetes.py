"""What every workload on Kubernetes keeps to: rights, secrets, probes, disruption, and the network."""

import re
from typing import Any

import pytest
import yaml
from fastapi.routing import iter_route_contexts

from services.embedded.contract import documented_service
from services.embedded.single import BUILDERS
from shared.events import declared_events, topics
from shared.names import SERVICES
from shared.settings import Settings
from tests.support.keda import replicas
from tests.unit.deploy.manifests import BASE, DEPLOY, EXAMPLE, OVERLAYS, ROOT, documents, of_kind, pod, secret_files

DEPLOYMENTS = {one["metadata"]["name"]: one for kind in ("Deployment", "StatefulSet") for one in of_kind(BASE, kind)}
JOBS = {one["metadata"]["name"]: one for one in of_kind(BASE, "Job")}
WORKLOADS = {**DEPLOYMENTS, **JOBS}

EVERYONE = {"justera_database_password", "justera_kafka_password", "justera_event_keys", "tokens.json"}
OWN_SECRETS = {
    "meetings": {"justera_member_link_keys"},
    "signing": {"justera_link_keys", "justera_session_key", "justera_oidc_client_secret"},
    "notifications": {
        "justera_link_keys",
        "justera_copy_link_keys",
        "justera_member_link_keys",
        "justera_bounce_keys",
        "justera_smtp_password",
    },
    "archive": {"justera_copy_link_keys", "seal.p12", "justera_seal_passphrase"},
}

LINKS = ["/signing/s", "/archive/copies", "/meetings/my", "/meetings/calendar", "/meetings/room"]

each_service = pytest.mark.parametrize("name", SERVICES)
each_workload = pytest.mark.parametrize("name", sorted(WORKLOADS))


def documented_paths(service: str) -> set[str]:
    return {str(route.path) for route in iter_route_contexts(documented_service(service).app.routes)}


def container(name: str) -> dict[str, Any]:
    (only,) = pod(WORKLOADS[name])["containers"]
    assert isinstance(only, dict)
    return only


def test_each_service_is_deployed_with_a_migration() -> None:
    assert set(DEPLOYMENTS) == set(SERVICES)
    assert set(JOBS) == {f"{name}-migrate" for name in SERVICES}


def test_a_migration_that_is_done_stays_while_someone_waits_for_the_others() -> None:
    """`kubectl wait` fails on a Job that is gone."""
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    waits = [int(minutes) for minutes in re.findall(r"kubectl wait [^\n]*job[^\n]*--timeout=(\d+)m", guide)]
    assert len(waits) == guide.count("kubectl wait")
    assert min(one["spec"]["ttlSecondsAfterFinished"] for one in JOBS.values()) > 2 * 60 * max(waits)
    development = documents(OVERLAYS / "development" / "kustomization.yaml")
    (patch,) = [one["patch"] for one in development[0]["patches"] if one["target"] == {"kind": "Job"}]
    assert yaml.safe_load(patch) == [{"op": "remove", "path": "/spec/ttlSecondsAfterFinished"}]


def test_what_replaces_a_killed_mailer_bears_its_name() -> None:
    """Host name and port are how it knows the mails that the one before had in hand."""
    assert {name: one["kind"] for name, one in DEPLOYMENTS.items() if one["kind"] != "Deployment"} == {
        "notifications": "StatefulSet"
    }
    mailer = DEPLOYMENTS["notifications"]["spec"]
    assert mailer["podManagementPolicy"] == "Parallel"
    assert "volumeClaimTemplates" not in mailer
    assert "hostNetwork" not in mailer["template"]["spec"]
    (service,) = [one for one in of_kind(BASE, "Service") if one["metadata"]["name"] == mailer["serviceName"]]
    assert service["spec"]["selector"] == mailer["selector"]["matchLabels"]


@each_workload
def test_pods_have_no_rights_they_do_not_need(name: str) -> None:
    security, own = pod(WORKLOADS[name])["securityContext"], container(name)["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] >= 10_000
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["allowPrivilegeEscalation"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}


@each_workload
def test_pods_hold_no_key_to_the_cluster(name: str) -> None:
    account = name.removesuffix("-migrate")
    assert pod(WORKLOADS[name])["serviceAccountName"] == account
    assert pod(WORKLOADS[name])["automountServiceAccountToken"] is False
    (found,) = [one for one in of_kind(BASE, "ServiceAccount") if one["metadata"]["name"] == account]
    assert found["automountServiceAccountToken"] is False


@each_workload
def test_memory_is_limited_and_tmp_is_the_only_place_to_write(name: str) -> None:
    resources = container(name)["resources"]
    assert "memory" in resources["limits"]
    assert {"cpu", "memory"} <= set(resources["requests"])
    writable = [mount["mountPath"] for mount in container(name)["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]


@each_service
def test_a_service_gets_the_secrets_it_needs_and_no_other(name: str) -> None:
    assert secret_files(DEPLOYMENTS[name]) == EVERYONE | OWN_SECRETS[name]
    assert secret_files(JOBS[f"{name}-migrate"]) == {"justera_database_password"}


@each_service
def test_a_service_gets_its_own_database_and_kafka_passwords(name: str) -> None:
    sources = [source["secret"]["name"] for source in pod(DEPLOYMENTS[name])["volumes"][1]["projected"]["sources"]]
    assert f"justera-database-{name}" in sources
    assert f"justera-{name}" in sources
    assert not [
        other for other in SERVICES if other != name and any(source.endswith(f"-{other}") for source in sources)
    ]


@each_workload
def test_secrets_are_files_that_the_settings_know(name: str) -> None:
    env = {one["name"]: one["value"] for one in container(name)["env"]}
    assert env["JUSTERA_SECRETS_DIR"] == "/run/secrets/justera"
    known = {f"justera_{field}" for field in Settings.model_fields}
    assert {file for file in secret_files(WORKLOADS[name]) if file.startswith("justera_")} <= known
    variables = {f"JUSTERA_{field.upper()}" for field in Settings.model_fields} | {"JUSTERA_SECRETS_DIR"}
    assert set(env) <= variables


@each_service
def test_probes_ask_separate_questions(name: str) -> None:
    probes = {kind: container(name)[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}


@each_service
def test_a_pod_has_time_to_drain(name: str) -> None:
    assert container(name)["lifecycle"]["preStop"]["exec"]["command"][0] == "python", "the image may have no `sleep`"
    assert pod(DEPLOYMENTS[name])["terminationGracePeriodSeconds"] >= 30


@each_service
def test_pods_are_spread_and_not_all_evicted(name: str) -> None:
    assert DEPLOYMENTS[name]["spec"]["replicas"] >= 2
    spread = pod(DEPLOYMENTS[name])["topologySpreadConstraints"]
    version = {"Deployment": "pod-template-hash", "StatefulSet": "controller-revision-hash"}[DEPLOYMENTS[name]["kind"]]
    assert [one["matchLabelKeys"] for one in spread] == [[version]] * 2
    (budget,) = [one for one in of_kind(BASE, "PodDisruptionBudget") if one["metadata"]["name"] == name]
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == DEPLOYMENTS[name]["spec"]["selector"]


@each_service
def test_the_network_is_closed_but_for_what_is_named(name: str) -> None:
    (policy,) = [one for one in of_kind(BASE, "NetworkPolicy") if one["metadata"]["name"] == name]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": name}}
    assert all(rule["ports"] for rule in [*policy["spec"]["ingress"], *policy["spec"]["egress"]])
    open_to_all = [rule["ports"][0]["port"] for rule in policy["spec"]["ingress"] if "from" not in rule]
    assert open_to_all == ([2525] if name == "notifications" else [])


@each_service
def test_the_ingress_leads_to_the_service_below_its_name(name: str) -> None:
    for folder in (BASE, EXAMPLE):
        (ingress,) = [one for one in of_kind(folder, "Ingress") if one["metadata"]["name"] == "justera"]
        (rule,) = ingress["spec"]["rules"]
        backends = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
        assert backends[f"/{name}"] == name


def test_requests_with_a_links_token_stay_out_of_the_ingress_log() -> None:
    for folder in (BASE, EXAMPLE):
        (ingress,) = [one for one in of_kind(folder, "Ingress") if one["metadata"]["name"] == "justera-links"]
        (rule,) = ingress["spec"]["rules"]
        assert [path["path"] for path in rule["http"]["paths"]] == LINKS
    assert ingress["metadata"]["annotations"] == {"nginx.ingress.kubernetes.io/enable-access-log": "false"}
    for service, path in (("signing", "/s/{token}"), ("archive", "/copies/{token}")):
        assert path in documented_paths(service)
    # Compose's proxy leaves the same ones out of its log.
    (named,) = re.findall(r'"/\(([a-z|]+)\)/', (DEPLOY / "compose" / "Caddyfile").read_text(encoding="utf-8"))
    assert named.split("|") == [path.rpartition("/")[2] for path in LINKS]


def test_the_examples_database_must_prove_who_it_is() -> None:
    settings = dict(
        line.split("=", 1) for line in (EXAMPLE / "settings.env").read_text(encoding="utf-8").splitlines() if line
    )
    assert settings["JUSTERA_DATABASE_URL"].endswith("?ssl=verify-full")
    assert settings["PGSSLROOTCERT"] == "/run/secrets/justera/postgres_ca.crt"
    (kustomization,) = documents(EXAMPLE / "kustomization.yaml")
    given = {patch["target"]["kind"] for patch in kustomization["patches"] if "justera-postgres-ca" in str(patch)}
    assert given == {"Deployment|StatefulSet", "Job"}


@each_service
def test_args_are_commands_of_ours(name: str) -> None:
    assert name in BUILDERS
    assert container(name)["args"][:2] == ["run", name]
    assert container(f"{name}-migrate")["args"] == ["migrate", name, "--no-topics"]


def test_the_overlays_settings_are_settings() -> None:
    known = {f"JUSTERA_{field.upper()}" for field in Settings.model_fields}
    for path in (BASE / "settings.env", *OVERLAYS.glob("*/settings.env")):
        names = {line.partition("=")[0] for line in path.read_text(encoding="utf-8").splitlines() if line}
        assert {name for name in names if not name.startswith(("AWS_", "PGSSL"))} <= known


def test_the_examples_topics_are_the_topics() -> None:
    found = {one["metadata"]["name"]: one["spec"]["partitions"] for one in of_kind(EXAMPLE, "KafkaTopic")}
    assert found == dict.fromkeys(topics.ALL, topics.PARTITIONS)


@each_service
def test_kafka_lets_a_service_do_what_its_code_does_and_no_more(name: str) -> None:
    service = documented_service(name)
    reads = {topic for subscription in service.subscriptions for topic in subscription.topics}
    groups = {subscription.group for subscription in service.subscriptions}
    writes = {event.topic for event in declared_events() if event.service == name}

    (user,) = [one for one in of_kind(EXAMPLE, "KafkaUser") if one["metadata"]["name"] == f"justera-{name}"]
    acls = user["spec"]["authorization"]["acls"]
    allowed = {(acl["resource"]["type"], acl["resource"]["name"], one) for acl in acls for one in acl["operations"]}
    assert {topic for kind, topic, operation in allowed if (kind, operation) == ("topic", "Read")} == reads
    assert {topic for kind, topic, operation in allowed if (kind, operation) == ("topic", "Write")} == writes
    assert {group for kind, group, operation in allowed if (kind, operation) == ("group", "Read")} == groups
    assert {operation for *_, operation in allowed} <= {"Read", "Write", "Describe"}
    assert all(acl["resource"]["patternType"] == "literal" for acl in acls)


def test_scaling_names_each_topic_and_keeps_a_pod() -> None:
    for scaled in of_kind(EXAMPLE, "ScaledObject"):
        spec = scaled["spec"]
        assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= topics.PARTITIONS
        asked = {(one["metadata"]["consumerGroup"], one["metadata"]["topic"]) for one in spec["triggers"]}
        target = {"kind": "Deployment", **spec["scaleTargetRef"]}
        assert DEPLOYMENTS[target["name"]]["kind"] == target["kind"]
        service = documented_service(target["name"])
        assert asked == {(one.group, topic) for one in service.subscriptions for topic in one.topics}


@pytest.mark.parametrize(
    ("lag", "pods"), [(0, 2), (2_000, 2), (4_001, 3), (10_001, 6), (1_000_000, 6)], ids=lambda one: str(one)
)
def test_scaling_follows_the_busiest_topic_within_bounds(lag: int, pods: int) -> None:
    for scaled in of_kind(EXAMPLE, "ScaledObject"):
        for trigger in scaled["spec"]["triggers"]:
            assert replicas(scaled, {trigger["metadata"]["topic"]: lag}, partitions=topics.PARTITIONS) == pods


def test_overlays_name_files_that_are_there() -> None:
    for folder in (BASE, *(path.parent for path in OVERLAYS.glob("*/kustomization.yaml"))):
        (kustomization,) = documents(folder / "kustomization.yaml")
        assert all((folder / resource).exists() for resource in kustomization["resources"])
