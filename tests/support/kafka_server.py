"""Apache Kafka itself, in KRaft mode on this machine's Java; its jars come by Maven, once, into `.cache`."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from services.embedded.children import Child
from tests.support.parts import CACHE, PartMissing
from tests.support.processes import free_ports, wait_until

KAFKA_VERSION = "4.3.1"
_JAVA = 17
_START_SECONDS = 60.0
_START_ATTEMPTS = 3
_STARTED = "Kafka Server started"
_CLUSTER_ID = "anVzdGVyYSBmb3IgdGVzdA"  # fixed: one in 64 random ones begins with a hyphen, which is read as an option

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>justera</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version>
    </dependency>
  </dependencies>
</project>
"""

_LOG4J = """\
<Configuration status="warn">
  <Appenders><Console name="out"><PatternLayout pattern="%d %-5p %c{1} %m%n"/></Console></Appenders>
  <Loggers><Root level="info"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# After a kill the controller refuses the broker's return until its session has ended (9 s by default).
broker.heartbeat.interval.ms=500
broker.connection.timeout.ms=2000
auto.create.topics.enable=false
"""


class RealKafka:
    """One Apache Kafka server. What was acknowledged stays over `stop`, `kill` and `start`; the port stays too.

    Use it as a context manager, or `start` and `stop`. Raises PartMissing where Java or Maven lacks.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._java, self._libs = java(), jars()
        self._choose_ports()
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Return once it serves; again after `stop` or `kill`, with the data it had."""
        first = not (self._folder / "data").exists()
        for attempt in range(1, _START_ATTEMPTS + 1):
            if first:
                self._format()
            self._child = self._spawn()
            child = self._child
            wait_until(
                lambda child=child: not child.alive or _STARTED in child.output(),  # type: ignore[misc]
                seconds=_START_SECONDS,
                what=f"Apache Kafka ({child.log_file})",
            )
            if child.alive:
                return
            if not first or attempt == _START_ATTEMPTS or "Address already in use" not in child.output():
                raise RuntimeError(f"Apache Kafka ended at its start, see {child.log_file}")
            self._choose_ports()

    async def start_again(self) -> None:
        """As `start`, after a `kill`, for a running event loop that must not stand still meanwhile."""
        self._child = self._spawn()
        child = self._child
        await child.wait_until(lambda: _STARTED in child.output(), seconds=_START_SECONDS)

    def stop(self) -> None:
        """An orderly end. A paused server is resumed first."""
        if self._child is None or not self._child.alive:
            return
        self.resume()
        self._signal(signal.SIGTERM)
        child = self._child
        try:
            wait_until(lambda: not child.alive, seconds=20, what="the end of Apache Kafka")
        except TimeoutError:
            child.kill()

    def kill(self) -> None:
        """`kill -9`."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """It holds its connections but answers nothing, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        if self._child is None or not self._child.alive:
            raise RuntimeError("Apache Kafka is not running")
        os.kill(self._child.pid, which)

    def _choose_ports(self) -> None:
        self._port, self._controller_port = free_ports(2)

    def _format(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        properties = _PROPERTIES.format(port=self._port, controller=self._controller_port, data=self._folder / "data")
        (self._folder / "server.properties").write_text(properties)
        (self._folder / "log4j2.xml").write_text(_LOG4J)
        command = [*self._command("kafka.tools.StorageTool"), "format", "-t", _CLUSTER_ID, "-c", "server.properties"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)

    def _spawn(self) -> Child:
        return Child.spawn(
            "Apache Kafka",
            [*self._command("kafka.Kafka"), "server.properties"],
            log_file=self._folder / "kafka.log",
            folder=self._folder,
        )

    def _command(self, main: str) -> list[str]:
        return [
            self._java,
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={self._folder / 'log4j2.xml'}",
            "-cp",
            f"{self._libs}/*",
            main,
        ]


def java() -> str:
    """The Java of this machine. Raises PartMissing."""
    found = shutil.which("java")
    if found is None:
        raise PartMissing("no java")
    answer = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', answer.stderr)
    if version is None or int(version.group(1)) < _JAVA:
        raise PartMissing(f"java is older than {_JAVA}")
    return found


def jars() -> Path:
    """The folder of Kafka's jars, filled by Maven the first time (44 MB, about 45 s). Raises PartMissing."""
    libs = CACHE / f"kafka-{KAFKA_VERSION}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not libs.exists():
            _download(libs)
    return libs


def _download(libs: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise PartMissing("no mvn to fetch Kafka's jars")
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        folder = Path(temporary)
        (folder / "pom.xml").write_text(_POM)
        goal = ["dependency:copy-dependencies", "-DoutputDirectory=libs", "-DincludeScope=runtime"]
        command = [maven, "-q", "-B", f"-Dmaven.repo.local={CACHE / 'maven'}", *goal]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise PartMissing(f"Maven could not fetch Kafka's jars: {result.stdout.strip()[-500:]}")
        (folder / "libs").rename(libs)
