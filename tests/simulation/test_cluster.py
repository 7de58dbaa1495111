"""Scoring on a real Dask cluster: a scheduler and workers as processes on this machine."""

from __future__ import annotations

import base64
import datetime
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from region import (
    MAPPING,
    RISK_POLICY,
    SOURCES,
    TRAFFORD,
    Node,
    command,
    copy_node,
    eventually,
    household_rows,
    script,
)

from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import open_corrections
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.running.prefect_connection import own_server
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.sources.connect import load_plugins
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_operator.prefect_server import PrefectServer, ServerState
from folkmoot_rehearsal.policies import POLICY_FILE, risk_policy
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOUSEHOLDS = 15_000
PARTITIONS = 24
"""Prefect takes longer for a task than a worker does for its households."""
_, _SUPPORT = MAPPING.split("[fields.council_tax_support]")
_SUPPORT, _AREA = _SUPPORT.split("[fields.lsoa]")
TAX = MAPPING.replace(f"[fields.council_tax_support]{_SUPPORT}", "")
BENEFITS = MAPPING.partition("[fields.")[0].replace("council_tax", "benefits")
BENEFITS += f"[fields.council_tax_support]{_SUPPORT}"
MARK = "918273645546"
FAILING = """
import sys
from folkmoot_node.running import prefect_flows as flows
from folkmoot_node.running import worker as work
from folkmoot_node.pipeline import stages
from folkmoot_node.pipeline.run import ScoringRun
from folkmoot_operator.problems import ExitCode, Problem
flows.TASKS[stages.READ_FRAME].retry_delay_seconds = [0.1]
real, tries = ScoringRun._read_frame, []
def fail_first(self):
    tries.append(1)
    if len(tries) == 1:
        raise ERROR
    return real(self)
ScoringRun._read_frame = fail_first
sys.argv = ["work", "score", sys.argv[1], "--recorded"]
work.run(work.app)
"""
SECOND_SOURCE = SOURCES.replace("council_tax", "benefits")


@dataclass
class Cluster:
    """A scheduler and two workers of one thread each, without nannies."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]
    folder: Path

    def add_worker(self, *options: str) -> None:
        log = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        self.workers.append(
            subprocess.Popen(
                [
                    script("dask"), "worker", self.address, "--nthreads", "1", "--no-nanny",
                    "--no-dashboard", "--host", "127.0.0.1",
                    "--local-directory", str(self.folder / "dask"), *options,
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        )  # fmt: skip
        log.close()

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def start_cluster(folder: Path, protocol: str = "tcp", *options: str) -> Cluster:
    port = free_port()
    log = (folder / "scheduler.log").open("wb")
    scheduler = subprocess.Popen(
        [
            script("dask"), "scheduler", "--host", "127.0.0.1", "--port", str(port),
            "--protocol", protocol, "--no-dashboard", *options,
        ],
        stdout=log,
        stderr=log,
        cwd=folder,
    )  # fmt: skip
    log.close()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    cluster = Cluster(f"{protocol}://127.0.0.1:{port}", scheduler, [], folder)
    for _ in range(2):
        cluster.add_worker(*options)
    return cluster


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that the tests use one after the other."""
    cluster = start_cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(workers: Cluster) -> Cluster:
    """Two workers, whatever the test before has done to one."""
    alive = [one for one in workers.workers if one.poll() is None]
    for _ in range(2 - len(alive)):
        workers.add_worker()
    return workers


Scored = tuple[dict[str, Any], bytes, pl.DataFrame, list[pl.DataFrame]]


@pytest.fixture(scope="module")
def on_threads_before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Node, Scored]:
    """A node with two sources, scored on threads, and what came of it."""
    node = Node(tmp_path_factory.mktemp("cluster-node") / TRAFFORD)
    node.run("init", "--council", TRAFFORD, "--name", "Trafford")
    (node.home / "mappings" / "council_tax.toml").write_text(TAX)
    (node.home / "mappings" / "benefits.toml").write_text(BENEFITS)
    (node.home / "risk-policy.toml").write_text(RISK_POLICY)
    node.write_extract(household_rows(TRAFFORD, HOUSEHOLDS))
    rows = [f"{10_000_000 + n * 3},{'YN'[n % 2]}" for n in range(HOUSEHOLDS)]
    (node.home / "extracts" / "benefits.csv").write_text("\n".join(["UPRN,Support", *rows]) + "\n")
    settings = (node.home / "node.toml").read_text() + SOURCES + SECOND_SOURCE
    settings = settings.replace("[scoring]", f"[scoring]\npartitions = {PARTITIONS}")
    (node.home / "node.toml").write_text(settings)
    accept(node, "council_tax", "benefits")
    uphold(node)
    node.run("score")
    return node, scored(node)


@pytest.fixture
def node(on_threads_before: tuple[Node, Scored], tmp_path: Path) -> Node:
    """A copy of the node, scored on threads."""
    return copy_node(on_threads_before[0], tmp_path / TRAFFORD)


@pytest.fixture
def here(on_threads_before: tuple[Node, Scored]) -> Scored:
    """What threads made of it."""
    return on_threads_before[1]


def uphold(node: Node) -> None:
    """Three objections, which every engine has to go by."""
    config = load_config(node.home)
    binding = bind_for(
        load_policy(config.risk_policy), config, load_plugins(config), datetime.date(2026, 11, 1)
    )
    fields = {name: bound.field for name, bound in binding.fields.items()}
    changes: tuple[dict[str, Any], ...] = (
        {"suppress": ("council_tax_arrears",)},
        {"correct": {"council_tax_arrears": 4321.5, "council_tax_support": True}},
        {"withhold": True},
    )
    for at, change in enumerate(changes):
        decision = Decision(objection=f"o{at}", decided_on=datetime.date(2026, 11, 1), **change)
        open_corrections(config).add(10_000_000 + 3 * at, decision, fields)


def accept(node: Node, *sources: str) -> None:
    """What is scored here is not a whole council's: few records find a home."""
    node.run("sources", "accept", *sources, "--reason", "a test", "--until", "2099-12-31")


def use(node: Node, cluster: Cluster, *lines: str) -> None:
    path = node.home / "node.toml"
    text = path.read_text().replace("[scoring]", '[scoring]\nengine = "dask"')
    path.write_text("\n".join([text, f'[dask]\nscheduler = "{cluster.address}"', *lines]) + "\n")


def scored(node: Node) -> Scored:
    """What the last run did, what officers get, and the decrypted tables."""
    out = node.home / "out.csv"
    node.run("households", "--out", out)
    config = load_config(node.home)
    with open_store(config.store_path, read_key(config.key_file)) as store:
        text = store.run.model_dump_json(  # the policy of a copy lies elsewhere
            exclude={"run_id", "started_at", "finished_at", "policy_path"}
        )
        run = json.loads(text.replace(store.run.run_id, "the run"))
        counted = store._connection.sql("SELECT * FROM store.households ORDER BY uprn").pl()
        details = list(store.details())
    upheld = config.corrections_file.exists()
    assert run["corrections"] == {
        "suppressed": 1 * upheld, "corrected": 2 * upheld, "withheld": 1 * upheld,
        "without_effect": 0,
    }  # fmt: skip
    return run, out.read_bytes(), counted, sorted(details, key=lambda frame: int(frame["uprn"][0]))


def test_a_cluster_that_is_away_is_told_of_and_the_last_scores_stay(
    node: Node, here: Scored
) -> None:
    path = node.home / "node.toml"
    text = path.read_text().replace("[scoring]", '[scoring]\nengine = "dask"')
    path.write_text(f'{text}\n[dask]\nscheduler = "tcp://127.0.0.1:{free_port()}"\n')
    assert "the Dask cluster cannot be reached" in node.run("score", expect=6)
    assert_same(scored(node), here)


def assert_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert one[0] == other[0]
    assert one[1] == other[1]
    assert one[2].equals(other[2])
    assert len(one[3]) == len(other[3]) == PARTITIONS
    assert all(a.equals(b) for a, b in zip(one[3], other[3], strict=True))


def runs(node: Node) -> list[Path]:
    return list((node.home / "store" / "runs").glob("*"))


def test_a_cluster_gives_the_same_bytes(node: Node, here: Scored, cluster: Cluster) -> None:
    use(node, cluster)
    node.run("score")
    assert_same(scored(node), here)
    assert runs(node) == []

    node.write_extract([f"{MARK},{MARK}x,Y,E01900901", "10000001,1,Y,E01900901"])
    told = node.run("score", expect=4)
    assert "rejected" in told
    assert MARK not in told
    assert_same(scored(node), here)
    assert runs(node) == []


def test_records_are_linked_on_a_cluster(tmp_path: Path, cluster: Cluster) -> None:
    """A rehearsed council, some of whose records have an address and no UPRN."""
    out = tmp_path / "region"
    command(
        "folkmoot-rehearse", "--files-only", "--councils", "1", "--households", "500",
        "--seed", "3", "--date", "2026-06-01", "--out", out,
    )  # fmt: skip
    (home,) = (out / "councils").iterdir()
    node = Node(home)
    node.run("init", "--council", home.name, "--name", "Bolton")
    (home / POLICY_FILE).write_text(risk_policy(datetime.date.today()))
    lines = ["[linkage.addresses]"]
    for mapping in sorted((home / "mappings").glob("*.toml")):
        lines += ["[[sources]]", f'name = "{mapping.stem}"', 'kind = "extracts"']
        lines += ["[sources.options]", f'mapping = "mappings/{mapping.name}"']
    settings = (home / "node.toml").read_text().replace("[scoring]", "[scoring]\npartitions = 4")
    (home / "node.toml").write_text("\n".join([settings, *lines, ""]))
    accept(node, *(mapping.stem for mapping in sorted((home / "mappings").glob("*.toml"))))
    node.run("score")
    here = scored(node)
    assert sum(source["by_address"] for source in linkage(node)) > 20
    use(node, cluster)
    node.run("score")
    there = scored(node)
    assert there[0] == here[0]
    assert there[1] == here[1]
    assert there[2].equals(here[2])
    assert all(a.equals(b) for a, b in zip(there[3], here[3], strict=True))


def linkage(node: Node) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = node.json("linkage", "report")["sources"]
    return found


def test_a_worker_that_is_killed_loses_nothing(node: Node, here: Scored, cluster: Cluster) -> None:
    use(node, cluster)
    run = subprocess.Popen(
        [script("folkmoot-node"), "score", "--home", node.home], stdout=subprocess.DEVNULL
    )
    while (done := kill_in_the_middle(node, cluster)) is None:
        assert run.poll() is None, "the run ended before a worker could be killed"
    assert run.wait(120) == 0
    assert 0 < done < PARTITIONS
    assert_same(scored(node), here)


def kill_in_the_middle(node: Node, cluster: Cluster) -> int | None:
    """Kills a worker once some partitions are scored; returns how many were."""
    done = len(list((node.home / "store" / "runs").glob("*/@scored-*.spool")))
    if done < 3:
        time.sleep(0.005)
        return None
    cluster.workers[0].kill()
    cluster.workers[0].wait()
    return done


@dataclass
class History:
    """A Prefect server that records runs."""

    server: PrefectServer

    def run(self, node: Node) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "folkmoot_node.running.worker",
                "score",
                node.home,
                "--recorded",
            ],
            env=self.server.client_environment(),
            cwd=node.home,
        )

    def run_failing(self, node: Node, error: str) -> subprocess.CompletedProcess[str]:
        """A run whose frame cannot be read at the first try."""
        return subprocess.run(
            [sys.executable, "-c", FAILING.replace("ERROR", error), node.home],
            env=self.server.client_environment(),
            cwd=node.home,
            capture_output=True,
            text=True,
            check=False,
        )

    def find(self, what: str, body: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        request = urllib.request.Request(
            f"{self.server.api_url}/{what}/filter", json.dumps(body or {}).encode()
        )
        auth = self.server.client_environment()["PREFECT_API_AUTH_STRING"].encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(auth).decode()}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@pytest.fixture
def history(node: Node) -> Iterator[History]:
    told: list[str] = []
    server = own_server(load_config(node.home), lambda text, problem: told.append(text))
    server.open()
    until = time.monotonic() + 120
    while server.state is not ServerState.READY:
        assert time.monotonic() < until, told
        server.attend()
        time.sleep(0.2)
    yield History(server)
    server.close()


def test_a_flow_scores_on_threads_and_on_a_cluster(
    node: Node, here: Scored, cluster: Cluster, history: History
) -> None:
    """Stage by stage in Prefect's history; also when a worker is killed in the middle."""
    on_threads(node, history, here)
    what_may_pass_is_tried_again(node, history, here)
    on_a_cluster(node, cluster, history, here)


def on_threads(node: Node, history: History, here: tuple[Any, ...]) -> None:
    assert history.run(node).wait(200) == 0
    assert_same(scored(node), here)
    stages = {"read-frame", "read-benefits", "create", "finish"}
    stages |= {f"score-{partition}" for partition in range(PARTITIONS)}
    eventually(lambda: {one["name"] for one in history.find("task_runs")} == stages)


def what_may_pass_is_tried_again(node: Node, history: History, here: tuple[Any, ...]) -> None:
    for error, code, times in (
        ("Problem('is away', where='source x', exit_code=ExitCode.UNREACHABLE)", 0, 2),
        ("Problem('is wrong', where='source x', exit_code=ExitCode.DATA)", 4, 1),
        (f"ValueError('{MARK} is no number')", 1, 1),
    ):
        before = {one["id"] for one in history.find("task_runs")}
        done = history.run_failing(node, error)
        assert done.returncode == code, done.stderr
        assert MARK not in done.stderr
        (read,) = eventually(
            lambda known=before: [
                one
                for one in history.find("task_runs")
                if one["id"] not in known
                and one["name"] == "read-frame"
                and one["state_type"] in {"COMPLETED", "FAILED"}
            ]
        )
        assert read["run_count"] == times
        assert (read["state_type"] == "COMPLETED") == (code == 0)
    assert_same(scored(node), here)
    for path in (node.home / "prefect").rglob("*"):
        assert path.parent.name != "storage", "a result was kept"
        assert path.is_dir() or MARK.encode() not in path.read_bytes(), path
    messages = {one["state"]["message"] for one in history.find("flow_runs")}
    assert any("source x: is wrong" in (message or "") for message in messages)
    assert any("ValueError at " in (message or "") for message in messages)


def on_a_cluster(node: Node, cluster: Cluster, history: History, here: tuple[Any, ...]) -> None:
    flows = {one["id"] for one in history.find("flow_runs")}
    use(node, cluster)
    run = history.run(node)
    while (done := kill_in_the_middle(node, cluster)) is None:
        assert run.poll() is None, "the run ended before a worker could be killed"
    assert run.wait(200) == 0
    assert 0 < done < PARTITIONS
    assert_same(scored(node), here)
    (flow,) = [one for one in history.find("flow_runs") if one["id"] not in flows]
    assert flow["state_type"] == "COMPLETED"
    mine = {"flow_runs": {"id": {"any_": [flow["id"]]}}}
    eventually(
        lambda: {one["state_type"] for one in history.find("task_runs", mine)} == {"COMPLETED"}
    )
    for one in history.find("task_runs", mine):
        assert set(one["task_inputs"]) <= {"home", "run_id", "source", "partition"}


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A key and its certificate, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cluster.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "cluster.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return tmp_path


def test_a_cluster_is_reached_by_tls(node: Node, here: Scored, certificates: Path) -> None:
    files = [
        certificates / "cluster.pem",
        certificates / "cluster.pem",
        certificates / "cluster.key",
    ]
    options = [
        text
        for name, file in zip(("ca-file", "cert", "key"), files, strict=True)
        for text in (f"--tls-{name}", str(file))
    ]
    cluster = start_cluster(certificates, "tls", *options)
    try:
        lines = zip(("ca_file", "certificate", "key"), files, strict=True)
        use(node, cluster, *(f'{name} = "{file}"' for name, file in lines))
        node.run("score")
        assert_same(scored(node), here)
    finally:
        cluster.stop()
