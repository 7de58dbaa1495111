"""What a service tells its service manager, over a real socket, and the keys that it is given."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_operator import child_process, service_manager
from folkmoot_operator.problems import Problem
from folkmoot_operator.service_manager import ServiceManager, credential, is_credential, key_file
from tests import other_accounts
from tests.absent import absent
from tests.other_accounts import Account, as_account

SECOND = 1_000_000


class Listener:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.socket.settimeout(0.2)

    def heard(self) -> list[str]:
        found = []
        try:
            while True:
                found.append(self.socket.recv(4096).decode())
        except TimeoutError:
            return found


@pytest.fixture(params=["a file", "an abstract name"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "a file" else f"@folkmoot-{os.getpid()}"


@pytest.fixture
def listener(address: str) -> Iterator[Listener]:
    made = Listener(address)
    yield made
    made.socket.close()


def test_it_says_that_it_is_ready_what_it_does_and_that_it_ends(
    address: str, listener: Listener
) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    manager.ready("visits\nREADY=1 the coordinator")
    manager.status("the last visit ended well")
    manager.works()
    manager.stopping()
    assert listener.heard() == [
        "READY=1\nSTATUS=visits READY=1 the coordinator",
        "STATUS=the last visit ended well",
        "STOPPING=1\nSTATUS=stopping",
    ], "one message each, no further line by a text, and no sign of life that nobody waits for"


def test_a_sign_of_life_comes_in_time_and_no_more_often(address: str, listener: Listener) -> None:
    now = [100.0]
    variables = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(20 * SECOND)}
    manager = ServiceManager(variables, lambda: now[0])
    assert manager.watchdog_interval == 20
    manager.ready()
    for _ in range(200):
        now[0] += 0.1
        manager.works()
    signs = listener.heard().count("WATCHDOG=1")
    assert 3 <= signs <= 5, "in 20 seconds"
    now[0] += 60
    assert listener.heard() == [], "no thread sends any"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "relative", "WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/nowhere/at/all"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "x"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
    ids=str,
)
def test_where_nobody_listens_nothing_happens(given: dict[str, str]) -> None:
    manager = ServiceManager(given)
    assert manager.watchdog_interval is None
    manager.ready()
    manager.works()
    manager.status("alone")
    manager.stopping()
    assert given == {}


def test_no_child_can_speak_for_the_service(tmp_path: Path) -> None:
    ours = {
        "NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "LISTEN_FDS": "1",
    }  # fmt: skip
    child = child_process.start(
        ["-c", "import os, sys; sys.stdout.write(repr(sorted(os.environ)))"],
        {**os.environ, **ours},
        tmp_path,
        output=-1,
    )
    said, _ = child.communicate(timeout=30)
    assert not [name for name in ours if name in said.decode()]
    assert "PATH" in said.decode()
    variables = {**ours, "PATH": "/bin"}
    ServiceManager(variables)
    assert variables == {"PATH": "/bin"}, "nor one that is started in another way"


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as systemd makes it where it may give files away."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "store.key").write_text("secret")
    (folder / "store.key").chmod(0o400)
    folder.chmod(0o500)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def test_a_key_is_the_credential_or_the_file(
    given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "keys" / "store.key"
    assert key_file(own) == given / "store.key"
    assert is_credential(given / "store.key")
    assert not is_credential(own)
    other = tmp_path / "keys" / "node.key"
    assert key_file(other) == other
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    assert key_file(own) == own
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert credential("store.key") is None


@pytest.mark.parametrize("fault", ["others read it", "a group writes it", "the folder is open",
                                   "a group enters the folder", "it is a link"])  # fmt: skip
def test_what_others_could_read_or_replace_is_no_credential(given: Path, fault: str) -> None:
    file = given / "store.key"
    if fault == "it is a link":
        given.chmod(0o700)
        file.rename(given / "real")
        file.symlink_to(given / "real")
        given.chmod(0o500)
    else:
        mode = {"others read it": 0o404, "a group writes it": 0o420}.get(fault)
        folder = {"the folder is open": 0o505, "a group enters the folder": 0o550}.get(fault)
        if mode:
            file.chmod(mode)
        if folder:
            # Of root's folder the group's bits are those of an access control list.
            if os.geteuid() == 0 and folder == 0o550:
                os.chown(given, 64_123, 64_123)
            given.chmod(folder)
    with pytest.raises(Problem, match="is no credential"):
        credential("store.key")


def acl(uid: int, bits: int) -> bytes:
    """An access control list that lets one account in, as Linux stores it."""
    entries = [(0x01, bits, -1), (0x02, bits, uid), (0x04, 0, -1), (0x10, bits, -1), (0x20, 0, -1)]
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, perm, who & 0xFFFFFFFF) for tag, perm, who in entries
    )


def test_a_service_reads_what_systemd_lets_it_read_by_a_list(tmp_path: Path) -> None:
    """As systemd 252 does it: root's files, opened to the service's account alone."""
    if reason := other_accounts.why_not():
        absent(reason)
    account = Account(64_321, 64_321)
    folder = tmp_path / "folkmoot-node.service"
    folder.mkdir(mode=0o500)
    (folder / "store.key").write_text("secret")
    (folder / "store.key").chmod(0o400)
    os.setxattr(folder / "store.key", "system.posix_acl_access", acl(account.uid, 4))
    os.setxattr(folder, "system.posix_acl_access", acl(account.uid, 5))
    for above in folder.parents:
        if above != Path("/") and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o011)
    assert (folder / "store.key").stat().st_mode & 0o777 == 0o440
    program = (
        "from pathlib import Path; from folkmoot_operator.service_manager import key_file; "
        "print(key_file(Path('/home/keys/store.key')).read_text())"
    )
    for who, expected in ((account, "secret\n"), (Account(64_322, 64_322), None)):
        done = subprocess.run(
            as_account(who, sys.executable, "-c", program),
            env={**os.environ, "CREDENTIALS_DIRECTORY": str(folder)},
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if expected is None:
            assert done.returncode != 0, "another account finds no credential"
        else:
            assert done.stdout == expected, done.stderr
    assert service_manager.watchdog_interval() is None
