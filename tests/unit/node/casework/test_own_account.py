"""Casework under an account of its own: real accounts, by number, each in processes of its own.

Account 64200 owns the node; account 64201 serves casework; both are in group 64300.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from folkmoot_node.casework.own_account import not_shared
from folkmoot_node.casework.settings import load_config_as_reader
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.problems import Problem
from tests import service_restrictions
from tests.absent import absent
from tests.casework_council import CaseworkCouncil
from tests.notified import Manager, service_manager
from tests.other_accounts import ROOT, Account, as_account, why_not
from tests.service_restrictions import under
from tests.service_units import read_unit

NODE, CASEWORK, STRANGER, GROUP = 64_200, 64_201, 64_202, 64_300
REASON = "Monthly list for welfare rights"
ACCOUNTS = {
    NODE: Account(NODE, NODE, (GROUP,)),
    CASEWORK: Account(CASEWORK, GROUP),
    STRANGER: Account(STRANGER, STRANGER),
}


pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")]


@dataclass(frozen=True)
class Node:
    """A node that belongs to one account and shares with another.

    Attributes:
        home: Its folder, in one that both can enter.
    """

    home: Path

    def run(
        self, *words: object, account: int = NODE, expect: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command as an account."""
        done = run(account, "-m", "folkmoot_node.start", *words, "--home", self.home)
        assert expect in (None, done.returncode), done.stdout + done.stderr
        return done


def run(account: int, *words: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs Python as an account."""
    line = as_account(ACCOUNTS[account], sys.executable, *words)
    where = {"cwd": "/", "capture_output": True, "text": True, "check": False}
    done: subprocess.CompletedProcess[str] = subprocess.run(line, **{**where, **options})  # type: ignore[call-overload]
    return done


@pytest.fixture(scope="module")
def shared(scored_council: CaseworkCouncil) -> Iterator[Path]:
    """A folder with a node that nobody may change: tests copy it."""
    # Not in pytest's own folder, into which other accounts cannot look.
    folder = Path(tempfile.mkdtemp(prefix="folkmoot-accounts-"))
    folder.chmod(0o755)
    try:
        home = folder / "node"
        shutil.copytree(scored_council.home, home)
        for path in (home, *home.rglob("*")):
            os.chown(path, NODE, NODE)
            path.chmod(0o700 if path.is_dir() else 0o600)
        Node(home).run("casework", "share", GROUP)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def node(shared: Path) -> Iterator[Node]:
    home = shared / "own"
    subprocess.run(["cp", "-a", shared / "node", home], check=True)
    try:
        yield Node(home)
    finally:
        shutil.rmtree(home)


@contextmanager
def served(node: Node, account: int = CASEWORK) -> Iterator[str]:
    """The address of the site, served by a process of an account."""
    command = [sys.executable, "-m", "folkmoot_node.start", "casework", "serve"]
    line = as_account(ACCOUNTS[account], *command, "--home", node.home)
    yield from _serving(line, dict(os.environ))


@contextmanager
def served_as_unit(node: Node, manager: Manager) -> Iterator[str]:
    """The same under the restrictions of its unit, for a service manager that waits."""
    home = node.home
    line = under(
        read_unit("folkmoot-casework.service"), ACCOUNTS[CASEWORK],
        sys.executable, "-m", "folkmoot_node.start", "casework", "serve", "--home", home,
        writable=[home / "casework", home / "corrections"], visible=[home],
    )  # fmt: skip
    yield from _serving(line, manager.variables(2.0))


def _serving(line: Sequence[str], variables: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(
        line, cwd="/", env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line.startswith("Casework: "), process.stderr.read()
        yield line.removeprefix("Casework: ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_casework_serves_and_both_accounts_write_one_log(node: Node) -> None:
    uprn = 10_000_000_001
    node.run("explain", uprn, "--reason", REASON)
    with served(node) as address:
        with urllib.request.urlopen(f"{address}/health") as answer:
            assert answer.status == 200
        # While the site has the database open, the node's account writes to it, and back.
        node.run("explain", uprn, "--reason", REASON)
        node.run("casework", "accounts", "add", "jo@example.gov.uk", "--role", "caseworker")
        said = node.run("casework", "accounts", "list", account=CASEWORK).stdout
        assert "jo@example.gov.uk" in said
        with urllib.request.urlopen(f"{address}/sign-in") as answer:
            assert b"password" in answer.read().lower()
    node.run("explain", uprn, "--reason", REASON)
    node.run("casework", "accounts", "disable", "jo@example.gov.uk", account=CASEWORK)
    node.run("households", "--out", node.home / "extracts" / "calls.csv", "--reason", REASON)


def test_casework_serves_under_the_restrictions_of_its_unit(node: Node) -> None:
    """And says that it is ready, that it lives, and that it ends."""
    if reason := service_restrictions.why_not():
        absent(reason)
    with service_manager() as manager:
        with served_as_unit(node, manager) as address:
            manager.wait_for("READY=1")
            with urllib.request.urlopen(f"{address}/health") as answer:
                assert answer.status == 200
            manager.forget()
            assert 2 <= manager.listen(3.0).count("WATCHDOG=1") <= 12
        manager.wait_for("STOPPING=1")


def test_the_casework_account_reads_the_scores_of_one_household(node: Node) -> None:
    """What a page of an opened household does, in a process of that account."""
    script = (
        "import sys; from pathlib import Path;"
        "from folkmoot_node.casework.settings import load_config_as_reader as load;"
        "from folkmoot_node.casework.desk import open_desk;"
        "from folkmoot_node.casework.opening.openings import Opened;"
        "desk = open_desk(load(Path(sys.argv[1])));"
        "sources = frozenset({'childrens_services'});"
        "opened = Opened(10_000_000_001, 'h', 'c', 'r', 0, sources);"
        "print(desk.explanation(opened).band)"
    )
    done = run(CASEWORK, "-c", script, node.home)
    assert done.stdout.strip() == "high", done.stderr


def readable(node: Node, account: int) -> set[str]:
    """The files of a node that an account can read, found without listing folders."""
    paths = [str(path) for path in sorted(node.home.rglob("*")) if path.is_file()]
    script = (
        "import sys\n"
        "for path in sys.stdin.read().splitlines():\n"
        "    try:\n"
        "        open(path, 'rb').close(); print(path)\n"
        "    except OSError:\n"
        "        pass\n"
    )
    done = run(account, "-c", script, input="\n".join(paths), check=True)
    return {os.path.relpath(path, node.home) for path in done.stdout.splitlines()}


def test_the_casework_account_reads_what_it_needs_and_nothing_else(node: Node) -> None:
    review = node.home / "store" / "review.sealed"
    outbox = node.home / "outbox.txt"
    for path in (review, outbox, node.home / "store" / "series.duckdb"):
        path.write_bytes(b"secret")
        path.chmod(0o600)
        os.chown(path, NODE, NODE)
    assert readable(node, CASEWORK) == {
        "node.toml",
        "risk-policy.toml",
        "casework-policy.toml",
        "casework-policy.toml.sig",
        "mappings/council_tax.toml",
        "mappings/childrens_services.toml",
        "keys/store.key",
        "keys/policy-signing.pub",
        "store/households.duckdb",
        "casework/casework.key",
        "casework/casework.sqlite",
        "casework/node-id",
    }
    assert readable(node, STRANGER) == set()


@pytest.mark.parametrize(
    "place", ["state.sqlite", "keys/policy-signing.key", "extracts/council_tax.csv"]
)
def test_the_casework_account_writes_nothing_of_the_nodes(node: Node, place: str) -> None:
    script = "import sys; open(sys.argv[1], 'ab')"
    for path in (place, "store/households.duckdb", "casework-policy.toml", "new-file"):
        done = run(CASEWORK, "-c", script, node.home / path)
        assert "PermissionError" in done.stderr, path


def test_commands_of_the_node_are_not_for_the_casework_account(node: Node) -> None:
    for words in (("explain", 10_000_000_001, "--subject-access"), ("policy", "show")):
        done = node.run(*words, account=CASEWORK, expect=3)
        assert "Run it as that account" in done.stderr
    done = node.run("casework", "policy", "sign", "--signer", "X", account=CASEWORK, expect=3)
    assert "policy-signing.key" in done.stderr


def test_decisions_about_objections_and_outcomes_go_through_both_doors(node: Node) -> None:
    """Casework writes them, the node's account reads them, and may change decisions itself."""
    script = (
        "import datetime, sys; from pathlib import Path;"
        "from folkmoot_node.casework.settings import load_config_as_reader as load;"
        "from folkmoot_node.corrections.decisions import Decision;"
        "from folkmoot_node.corrections.sealed_file import open_corrections;"
        "from folkmoot_node.sources.outcomes import Outcome, write_outcomes;"
        "from folkmoot_operator.private_files import close_new_files;"
        "close_new_files(); day = datetime.date(2026, 9, 1); config = load(Path(sys.argv[1]));"
        "decision = Decision(objection=sys.argv[2], decided_on=day, withhold=True);"
        "open_corrections(config).add(10_000_000_002, decision, {});"
        "path = config.casework_folder / 'outcomes' / 'outcomes.csv';"
        "print(write_outcomes(path, [Outcome(10_000_000_003, day, True)]))"
    )
    for objection in ("first", "second"):
        assert run(CASEWORK, "-c", script, node.home, objection).stdout.strip() == "1"
        listed = node.run("corrections", "list").stdout
        assert objection in listed
        read = run(NODE, "-c", "import sys; print(open(sys.argv[1]).read())",
                   node.home / "casework" / "outcomes" / "outcomes.csv")  # fmt: skip
        assert "10000000003,yes,2026-09-01" in read.stdout
    node.run("corrections", "withdraw", "first")
    assert run(CASEWORK, "-c", script, node.home, "third").stdout.strip() == "1"
    assert readable(node, STRANGER) == set()
    assert not not_shared(as_node(node))


def test_who_is_not_in_the_group_is_not_let_in(node: Node) -> None:
    done = node.run("casework", "accounts", "list", account=STRANGER, expect=None)
    assert done.returncode in (3, 6)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_new_run_can_be_read_by_the_group(node: Node, scored_council: CaseworkCouncil) -> None:
    store = node.home / "store" / "households.duckdb"
    before = store.stat().st_ino
    script = (
        "import sys; from pathlib import Path; from tests.casework_council import CaseworkCouncil;"
        "CaseworkCouncil(Path(sys.argv[1])).score()"
    )
    done = run(NODE, "-c", script, node.home, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    after = store.stat()
    assert after.st_ino != before
    assert (after.st_gid, stat.S_IMODE(after.st_mode)) == (GROUP, 0o640)
    assert not not_shared(as_node(node))
    with served(node) as address:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)


def as_node(node: Node) -> object:
    return load_config(node.home, owner=NODE)


def opened_to_all(path: Path) -> None:
    path.chmod(0o644)


def given_to_another_group(path: Path) -> None:
    os.chown(path, NODE, STRANGER)
    path.chmod(0o640)


def writable_by_the_group(path: Path) -> None:
    path.chmod(0o660)


@pytest.mark.parametrize("change", [opened_to_all, given_to_another_group, writable_by_the_group])
def test_the_key_is_refused_with_any_other_permission(node: Node, change: object) -> None:
    assert callable(change)
    change(node.home / "keys" / "store.key")
    done = node.run("explain", 10_000_000_001, "--reason", REASON, expect=3)
    assert "store.key" in done.stderr


def test_without_the_group_in_the_settings_its_permission_is_refused(node: Node) -> None:
    settings = node.home / "node.toml"
    settings.write_text(settings.read_text().replace(f'group = "{GROUP}"\n', ""))
    done = node.run("explain", 10_000_000_001, "--reason", REASON, expect=3)
    assert "may be read by other accounts" in done.stderr


def test_a_node_whose_account_is_not_in_the_group_is_told(node: Node) -> None:
    done = node.run("casework", "share", STRANGER, expect=3)
    assert "is not in the group 64202" in done.stderr
    assert "usermod -aG 64202" in done.stderr
    assert "usermod -aG 64202" in done.stderr


def test_root_reads_nothing_in_anothers_folder(node: Node) -> None:
    with pytest.raises(Problem, match="belongs to 64200, and this command runs as root"):
        load_config_as_reader(node.home)


def test_a_link_that_the_other_account_lays_gives_it_nothing_of_the_node(node: Node) -> None:
    keys = KeyFiles.of(node.home).folder
    before = {path: path.stat().st_mode for path in (keys, *keys.iterdir())}
    outcomes = node.home / "casework" / "outcomes"
    laid = f"import os; os.rename({str(outcomes)!r}, {str(outcomes) + '2'!r}); "
    laid += f"os.symlink({str(keys)!r}, {str(outcomes)!r})"
    assert run(CASEWORK, "-c", laid).returncode == 0
    done = node.run("casework", "share", GROUP, expect=None)
    assert {path: path.stat().st_mode for path in (keys, *keys.iterdir())} == before
    assert done.returncode == 5, done.stdout + done.stderr
    assert "there is a link where the group may write" in done.stderr
