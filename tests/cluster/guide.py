"""docs/operations.md's first install, followed word for word: its commands are taken out of the page, and run.

What the page says to have beforehand (PostgreSQL, Kafka, S3, a mail server) stands in the same namespace, from the
overlay `development`; Kafka asks for no login there, and neither speaks TLS.
"""

import os
import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.auth import TokenRecord, new_token, token_hash
from shared.names import SERVICES, Role
from tests.cluster import images
from tests.cluster.kubectl import Kubectl
from tests.support.parts import REPOSITORY

NAMESPACE = "justera"
_PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
_INSTALL = _PAGE.partition("\n### On Kubernetes\n")[2].partition("\n## Settings\n")[0]
_BLOCK = re.compile(r"^ *```(?:sh|sql)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SERVERS = {"kafka", "postgres", "objects", "mail"}
_THEIRS = ("justera-databases-", "justera-blobs-", "scripts-")  # what those servers mount
_SETTINGS = {
    "JUSTERA_DATABASE_URL": "postgresql+asyncpg://justera_{service}@postgres/justera_{service}",
    "JUSTERA_KAFKA": "kafka:9092",
    "JUSTERA_BLOBS": "s3://justera/documents",
    "AWS_ENDPOINT_URL": "http://objects:7070",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
    "JUSTERA_SMTP_HOST": "mail",
    "JUSTERA_SMTP_PORT": "1025",
    "JUSTERA_SMTP_SECURITY": "none",
}
_NOT_HERE = {
    "PGSSLROOTCERT",
    "JUSTERA_KAFKA_TLS",
    "JUSTERA_KAFKA_CA",
    "JUSTERA_SMTP_USERNAME",
    "JUSTERA_SEAL_TIMESTAMP_URL",
}
TEXTS = ("passphrase.txt", "smtp.txt", "oidc.txt")  # files that step 4 reads, with anything in them
_TOPICS = """
import asyncio, sys
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
async def make():
    admin = AIOKafkaAdminClient(bootstrap_servers="kafka:9092")
    await admin.start()
    print(await admin.create_topics([NewTopic(name, 12, 1) for name in sys.argv[1:]]))
    await admin.close()
asyncio.run(make())
"""


def commands() -> list[str]:
    """The blocks of the page's section, as they are."""
    return [textwrap.dedent(block) for block in _BLOCK.findall(_INSTALL)]


def topics() -> list[str]:
    """Those that step 3 names."""
    step = _INSTALL.partition("Make the topics ")[2].partition(" with 12 partitions")[0]
    return re.findall(r"`([a-z.]+)`", step)


@dataclass
class Operator:
    """Who follows the page: in a folder of their own, with a kubectl that speaks to the cluster."""

    kubectl: Kubectl
    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        own = self.folder / "kubeconfig"  # the page has them change it
        shutil.copy2(self.kubectl.kubeconfig, own)
        self.kubectl = Kubectl(own, given=self.kubectl.given)
        call = " ".join(f"'{word}'" for word in self.kubectl.command())
        (self.folder / "bin" / "kubectl").write_text(f'#!/bin/sh\nexport KUBECONFIG={own}\nexec {call} "$@"\n')
        (self.folder / "bin" / "kubectl").chmod(0o755)
        shutil.copytree(REPOSITORY / "deploy", self.folder / "deploy", ignore=shutil.ignore_patterns("secrets"))

    def shell(self, script: str) -> str:
        """What it printed. Raises AssertionError with all that it said."""
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        answer = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1500,
            check=False,
        )
        assert answer.returncode == 0, f"{script}\n{answer.stdout}"
        return answer.stdout

    def install(self) -> None:
        """The page's steps 0 to 6, in their order."""
        namespace, _image, database, secrets, start = commands()  # the image is there: nobody can push it here
        self.shell(namespace)
        self._bring_servers()
        for service in SERVICES:
            password = (self._given / f"database_{service}").read_text()
            sql = database.replace("justera_signing", f"justera_{service}").replace("…", password, 1)
            self.shell(f"kubectl exec -i postgres-0 -- psql -v ON_ERROR_STOP=1 -U postgres <<'SQL'\n{sql}\nSQL")
        self._make_topics()
        self._write_what_secrets_are_made_of()
        self.shell(secrets)
        self.shell("kubectl label namespace default justera/reaches-services=true")  # step 5, of an ingress elsewhere
        self.shell(start.replace("OVERLAY", str(self._overlay())))

    @property
    def _given(self) -> Path:
        return self.folder / "deploy" / "kubernetes" / "overlays" / "development" / "secrets"

    def _bring_servers(self) -> None:
        """Empty: PostgreSQL without the databases that its first start makes there."""
        self.shell(f"deploy/compose/make-secrets {self._given}")
        folder = self._given.parent.parent / "servers"
        folder.mkdir()
        kustomization = {"namespace": NAMESPACE, "resources": ["../development"], "images": images.beside()}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        found = [one for one in yaml.safe_load_all(self.kubectl("kustomize", str(folder))) if one]
        self.kubectl.apply(*(one for one in found if _is_a_servers(one)))
        for name in sorted(_SERVERS):
            self.shell(f"kubectl rollout status statefulset/{name} --timeout=5m")
        drop = "".join(f"DROP DATABASE justera_{one}; DROP ROLE justera_{one};\n" for one in SERVICES)
        self.shell(f"kubectl exec -i postgres-0 -- psql -v ON_ERROR_STOP=1 -U postgres <<'SQL'\n{drop}SQL")

    def _make_topics(self) -> None:
        container = {
            "name": "topics",
            "image": f"{images.PRODUCT}:{images.FIRST}",
            "command": ["python", "-c", _TOPICS, *topics()],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
        spec = {
            "restartPolicy": "OnFailure",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        }
        metadata = {"name": "topics", "namespace": NAMESPACE}
        self.kubectl.apply(
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": spec}}}
        )
        self.shell("kubectl wait --for=condition=complete job/topics --timeout=5m && kubectl delete job topics")

    def _write_what_secrets_are_made_of(self) -> None:
        for service in SERVICES:
            shutil.copy2(self._given / f"database_{service}", self.folder / f"database-{service}.txt")
        shutil.copy2(self._given / "blobs.env", self.folder)
        token = TokenRecord(name="test", role=Role.OPERATOR, organisation="norrdalen", sha256=token_hash(new_token()))
        (self.folder / "tokens.json").write_text(f"[{token.model_dump_json(exclude_none=True)}]")
        for name in TEXTS:
            (self.folder / name).write_text("not a secret")
        self.shell(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/O=Norrdalen/CN=Seal' -keyout seal.key"
            " -out ca.crt -addext keyUsage=critical,digitalSignature,nonRepudiation"
            " && openssl pkcs12 -export -inkey seal.key -in ca.crt -out seal.p12 -passout file:passphrase.txt"
            " && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=justera.norrdalen.example -keyout tls.key"
            " -out tls.crt"
        )

    def _overlay(self) -> Path:
        """The example, with what it says changed to what is here."""
        example = self._given.parent.parent / "example"
        path = example.parent / "house"
        shutil.copytree(example, path)
        kustomization = yaml.safe_load((path / "kustomization.yaml").read_text())
        kustomization["resources"] = ["../../base", "reports.yaml"]
        kustomization["images"] = [{"name": "justera", "newName": images.PRODUCT, "newTag": images.FIRST}]
        development = yaml.safe_load((example.parent / "development" / "kustomization.yaml").read_text())
        ways = [one for one in development["patches"] if one["target"]["kind"] == "NetworkPolicy"]  # to those servers
        kustomization["patches"] = [{"path": "ingress.yaml"}, {"path": "ingress-links.yaml"}, *ways]
        del kustomization["secretGenerator"]
        (path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        settings = dict(line.split("=", 1) for line in (path / "settings.env").read_text().splitlines())
        settings = {name: value for name, value in {**settings, **_SETTINGS}.items() if name not in _NOT_HERE}
        (path / "settings.env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path


def _is_a_servers(resource: dict[str, Any]) -> bool:
    name = str(resource["metadata"]["name"])
    return (name in _SERVERS and resource["kind"] != "NetworkPolicy") or name.startswith(_THEIRS)
