"""Each compose service gets its own secrets; the image holds what production needs, at the tested versions."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from services.embedded.contract import documented_service
from shared.events import declared_events, topics
from shared.messaging.signatures import PAIRS
from shared.names import SERVICES
from shared.settings import Settings
from tests.unit.deploy.manifests import DEPLOY, ROOT
from tests.unit.deploy.test_kubernetes import OWN_SECRETS

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
# What a trial installation does without: a seal of its own, a login to the mail server, people's login at a provider.
NOT_IN_COMPOSE = {"seal.p12", "justera_seal_passphrase", "justera_smtp_password", "justera_oidc_client_secret"}

each_service = pytest.mark.parametrize("name", SERVICES)


def mounted(name: str) -> set[str]:
    secrets = COMPOSE["services"][name]["secrets"]
    return {secret if isinstance(secret, str) else secret["target"] for secret in secrets}


@each_service
def test_a_compose_service_gets_its_own_secrets(name: str) -> None:
    assert (
        mounted(name)
        == (
            {"justera_database_password", "justera_kafka_password", "justera_event_keys", "tokens.json"}
            | OWN_SECRETS[name]
        )
        - NOT_IN_COMPOSE
    )
    makes_topics = {"justera_kafka_password"} if name == "meetings" else set()
    assert mounted(f"migrate-{name}") == {"justera_database_password"} | makes_topics
    for service in (name, f"migrate-{name}"):
        sources = {one["source"] for one in COMPOSE["services"][service]["secrets"] if isinstance(one, dict)}
        assert {source for source in sources if source.startswith("database_")} == {f"database_{name}"}
        keys = {f"event_keys_{name}"} if service == name else set()
        assert {source for source in sources if source.startswith("event_keys")} == keys
        assert {source for source in sources if source.startswith("kafka_")} <= {f"kafka_{name}"}


@each_service
def test_a_compose_service_waits_for_its_migration_and_runs_closed(name: str) -> None:
    service = COMPOSE["services"][name]
    assert f"migrate-{name}" in service["depends_on"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_what_replaces_a_killed_mailer_bears_its_name() -> None:
    assert COMPOSE["services"]["notifications"]["hostname"] == "notifications"


def test_kafka_lets_nobody_in_without_a_login_but_itself() -> None:
    environment = COMPOSE["services"]["kafka"]["environment"]
    protocols = dict(one.split(":") for one in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    for listener in environment["KAFKA_LISTENERS"].split(","):
        name, _, address = listener.partition("://")
        assert protocols[name] == "SASL_PLAINTEXT" or address.startswith("127.0.0.1:")
    for name in (*SERVICES, "migrate-meetings"):
        assert COMPOSE["services"][name]["environment"]["JUSTERA_KAFKA_USERNAME"] == name.removeprefix("migrate-")


def test_kafka_says_who_may_do_anything() -> None:
    kafka = COMPOSE["services"]["kafka"]
    assert kafka["environment"]["KAFKA_AUTHORIZER_CLASS_NAME"].endswith(".StandardAuthorizer")
    assert kafka["environment"]["KAFKA_SUPER_USERS"] == "User:ANONYMOUS"
    assert "KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND" not in kafka["environment"]
    assert "./compose/kafka-acls:/usr/local/share/kafka-acls:ro" in kafka["volumes"]
    assert "/tmp/acls-are-set" in kafka["healthcheck"]["test"][1]


@each_service
def test_kafka_lets_a_service_do_what_its_code_does_and_no_more(name: str) -> None:
    allowed = {
        (kind, topic_or_group, operation)
        for line in (DEPLOY / "compose" / "kafka-acls").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"{name} ")
        for operations, kind, *names in [line.split()[1:]]
        for operation in operations.split(",")
        for topic_or_group in names
    }
    service = documented_service(name)
    reads = {topic for subscription in service.subscriptions for topic in subscription.topics}
    assert {one for kind, one, operation in allowed if (kind, operation) == ("topic", "Read")} == reads
    assert {one for kind, one, operation in allowed if (kind, operation) == ("topic", "Write")} == {
        event.topic for event in declared_events() if event.service == name
    }
    assert {one for kind, one, operation in allowed if (kind, operation) == ("group", "Read")} == {
        subscription.group for subscription in service.subscriptions
    }
    creates = {one for kind, one, operation in allowed if (kind, operation) == ("topic", "Create")}
    assert creates == (set(topics.ALL) if name == "meetings" else set())
    assert {operation for *_, operation in allowed} <= {"Read", "Write", "Describe", "Create"}


def test_one_migration_makes_the_topics_and_all_wait_for_it() -> None:
    commands = {name: one["command"] for name, one in COMPOSE["services"].items() if name.startswith("migrate-")}
    assert [name for name, command in commands.items() if "--no-topics" not in command] == ["migrate-meetings"]
    assert all("migrate-meetings" in COMPOSE["services"][name]["depends_on"] for name in SERVICES)


def test_every_secret_is_made_and_none_is_kept_in_the_repository() -> None:
    script = (DEPLOY / "compose" / "make-secrets").read_text(encoding="utf-8")
    for secret in COMPOSE["secrets"].values():
        name = secret["file"].rpartition("/")[2]
        assert name in script or f"{name.rpartition('_')[0]}_$service" in script
    assert (DEPLOY / "compose" / ".gitignore").read_text(encoding="utf-8").split() == ["secrets/"]


@pytest.mark.parametrize("path", ["deploy/compose/make-secrets", "docs/operations.md"])
def test_a_key_is_made_for_each_pair_of_writer_and_reader(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    made = re.findall(r'"(meetings|signing|notifications|archive) (meetings|signing|notifications|archive)"', text)
    assert sorted(made) == list(PAIRS)


def test_compose_settings_are_settings() -> None:
    known = {f"JUSTERA_{field.upper()}" for field in Settings.model_fields} | {"JUSTERA_SECRETS_DIR"}
    assert set(COMPOSE["x-settings"]) <= known


def test_the_image_pins_what_was_tested() -> None:
    pins = _pins("requirements.lock")
    image = _pins("deploy/requirements.txt")
    assert image
    assert {name: version for name, version in image.items() if pins.get(name, version) != version} == {}


def test_the_image_has_the_projects_dependencies_and_neither_tools_nor_servers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    image = set(_pins("deploy/requirements.txt"))
    assert {_name(one) for one in project["project"]["dependencies"]} <= image
    left_out = [*project["dependency-groups"]["dev"], *project["project"]["optional-dependencies"]["embedded"]]
    assert image.isdisjoint({_name(one) for one in left_out})


@pytest.mark.parametrize("path", ["deploy/requirements.txt", "deploy/build-requirements.txt"])
def test_every_package_of_the_image_has_hashes(path: str) -> None:
    entries = (ROOT / path).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


def test_nothing_is_fetched_without_its_hash() -> None:
    """Nor what makes a wheel of our own code, which pip would fetch by itself."""
    commands = DOCKERFILE.replace("\\\n", " ").splitlines()
    installs = [one for one in commands if " install " in one and "pip" in one]
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-build-isolation --no-deps ." in one for one in installs)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    assert {_name(one) for one in wanted} == set(_pins("deploy/build-requirements.txt"))


def test_the_image_runs_as_nobody_in_particular_and_stops_on_sigterm() -> None:
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert "\nUSER 10001:10001\n" in final
    assert "\nSTOPSIGNAL SIGTERM\n" in final
    assert "/health/live" in final
    assert "pip" not in final
    assert "apt-get" not in DOCKERFILE


def test_the_build_context_holds_no_secrets() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {f"!{path.rstrip('/')}" for line in copied for path in line.split()} <= set(lines)


def _pins(path: str) -> dict[str, str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE))


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def test_no_password_stands_in_a_commands_arguments() -> None:
    script = (DEPLOY / "compose" / "databases.sh").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "$(cat" not in script
    assert "--from-literal" not in guide


def test_the_proxy_logs_no_token() -> None:
    text = (DEPLOY / "compose" / "Caddyfile").read_text(encoding="utf-8")
    (pattern, replacement) = re.findall(r'request>uri regexp "(.+)" "(.+)"', text)[0]
    for path in (
        "/signing/s/AbC-_1",
        "/archive/copies/AbC-_1",
        "/archive/copies/AbC-_1/copy.pdf",
        "/signing/s/AbC-_1?x",
        "/meetings/my/AbC-_1?meeting=x&answer=coming",
        "/meetings/calendar/AbC-_1",
        "/meetings/room/AbC-_1",
    ):
        assert "AbC" not in re.sub(pattern, replacement.replace("$1", r"\1"), path)
