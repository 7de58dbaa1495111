"""A confined process: what it is given, how it is watched, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from folkmoot_kit.confinement import ConfinedProcess, Grants, Limits, namespaces, start
from folkmoot_operator.problems import ExitCode, Problem
from tests.confined_code import HERE, run_confined
from tests.waiting import wait_until


def script(folder: Path, code: str) -> Path:
    written = folder / "program.py"
    written.write_text(code)
    return written


def open_descriptors() -> int:
    """Once those of processes that have ended are closed: a thread does that, soon after."""
    wait_until(lambda: not read_after_their_end(), "output to be read to its end")
    return len(list(Path("/proc/self/fd").iterdir()))


def read_after_their_end() -> list[str]:
    """Of the threads that read what processes write, those whose process has ended."""
    prefix = "plugin-output-"
    found = [one.name for one in threading.enumerate() if one.name.startswith(prefix)]
    return [name for name in found if not Path("/proc", name.removeprefix(prefix)).exists()]


def started(folder: Path, code: str, grants: Grants | None = None) -> ConfinedProcess:
    return start(grants or Grants(), [folder], script=script(folder, code))


def test_one_that_is_killed_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    """What bubblewrap has begun waits for its word: without it, it would wait forever."""
    written = script(tmp_path, "import time; time.sleep(100)")
    for turn in range(150):
        process = start(Grants(), [tmp_path], script=written)
        time.sleep(turn % 50 / 10_000)
        process.kill()
    for _ in range(600):  # what is killed may need a moment to be gone
        if not (left := named_in_a_command(written)):
            break
        time.sleep(0.1)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


def test_what_a_terminal_sends_reaches_its_caller_alone(tmp_path: Path) -> None:
    """Ctrl-C goes to a process group: the command ends its plugins, and not the terminal."""
    with started(tmp_path, "import os; os.write(0, b'here'); os.read(0, 1)") as process:
        assert process.channel.recv(4) == b"here"
        assert os.getpgid(process.pid) == process.pid != os.getpgrp()


def named_in_a_command(file: Path) -> list[int]:
    """The processes of the machine in whose command a file stands."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if os.fsencode(file) in command:
            found.append(int(folder.name))
    return found


def test_has_three_descriptors_and_a_bare_environment(tmp_path: Path) -> None:
    left_open = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(left_open, True)
    os.environ["FOLKMOOT_SECRET"] = "hunter2"
    code = (
        "import os, json, stat\n"
        "found = []\n"
        "for number in range(1024):\n"
        "    try: found.append([number, stat.S_IFMT(os.fstat(number).st_mode)])\n"
        "    except OSError: pass\n"
        "os.write(0, json.dumps([found, dict(os.environ), os.getcwd()]).encode() + b'\\n')\n"
    )
    try:
        with started(tmp_path, code) as process, process.channel.makefile("rb") as lines:
            said = lines.readline().decode()
    finally:
        os.close(left_open)
        del os.environ["FOLKMOOT_SECRET"]

    assert f"[[0, {0o140000}], [1, {0o010000}], [2, {0o010000}]]" in said
    assert "hunter2" not in said
    assert str(Path.home()) not in said


def test_shares_no_namespace_with_the_machine(tmp_path: Path) -> None:
    with started(tmp_path, "import os; os.write(0, b'here'); os.read(0, 1)") as process:
        process.channel.recv(4)
        (inside,) = namespaces.descendants(process.pid)[1:]

        assert namespaces.shared_with_us(inside) == set()
        assert namespaces.shared_with_us(os.getpid()) == set(namespaces.NAMESPACES)


def test_shares_the_network_alone_when_it_is_granted(tmp_path: Path) -> None:
    code = "import os; os.write(0, b'here'); os.read(0, 1)"
    with started(tmp_path, code, Grants(network=True)) as process:
        process.channel.recv(4)
        (inside,) = namespaces.descendants(process.pid)[1:]

        assert namespaces.shared_with_us(inside) == {"net"}


def test_kill_ends_all_that_is_in_its_namespaces(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        break\n"
        "os.write(0, b'.')\n"
        "time.sleep(600)\n"
    )
    with started(tmp_path, code) as process:
        waited = b""
        while len(waited) < 4:
            waited += process.channel.recv(4)
        inside = namespaces.descendants(process.pid)
        assert len(inside) == 5
        assert process.ended() is None

        process.kill()

        ending = process.ended()
        assert ending is not None
        assert ending.by_host
        assert ending.reason == "ended by the host"
    assert all_gone(inside)


def all_gone(numbers: list[int]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not any(Path(f"/proc/{number}/exe").exists() for number in numbers):
            return True
        time.sleep(0.01)
    return False


def test_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = script(tmp_path, "import time; time.sleep(600)")
    code = (
        "from pathlib import Path\n"
        "from folkmoot_kit.confinement import Grants, start\n"
        f"process = start(Grants(), [Path({str(tmp_path)!r})], script=Path({str(program)!r}))\n"
        "print(process.pid, flush=True)\n"
        "import os, signal, time\n"
        "time.sleep(0.3)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert all_gone([int(ran.stdout)])


def test_lives_on_when_the_thread_that_asked_for_it_ends(tmp_path: Path) -> None:
    made: list[ConfinedProcess] = []
    code = "import os; os.read(0, 1); os.write(0, b'still here')"
    asking = threading.Thread(target=lambda: made.append(started(tmp_path, code)))
    asking.start()
    asking.join()

    with made[0] as process:
        time.sleep(0.2)
        process.channel.sendall(b"?")
        assert process.channel.recv(20) == b"still here"


def test_starts_from_many_threads_and_from_a_forked_process(tmp_path: Path) -> None:
    script(tmp_path, "import os; os.write(0, b'here')")

    def once(_: int) -> bytes:
        with start(Grants(), [tmp_path], script=tmp_path / "program.py") as process:
            return process.channel.recv(4)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(once, range(8))) == {b"here"}
    forked = os.fork()
    if forked == 0:
        os._exit(0 if once(0) == b"here" else 1)
    assert os.waitpid(forked, 0)[1] == 0


@pytest.mark.parametrize(
    "code, reason",
    [
        ("import os; os._exit(3)", "ended by itself (exit code 3)"),
        ("raise SystemExit", "ended by itself (exit code 0)"),
        ("import ctypes; ctypes.CDLL(None).unshare(0)", "killed by signal 31 (a forbidden"),
        ("import ctypes; ctypes.string_at(8)", "killed by signal 11 (a fault in native code"),
        ("import os; os.abort()", "killed by signal 6 (native code gave up"),
    ],
)  # fmt: skip
def test_says_how_it_ended(code: str, reason: str) -> None:
    outcome = run_confined(code)

    assert outcome.ending is not None
    assert outcome.ending.reason.startswith(reason)


def until_printed(process: ConfinedProcess, count: int) -> None:
    """Waits for bytes that it has written: a thread reads them, longer than it runs."""
    wait_until(lambda: process.stderr_bytes() >= count, "what it has written")
    assert process.stderr_bytes() == count


def test_output_is_counted_and_its_end_kept(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for _ in range(300): print('x' * 1023, flush=True)\n"
        "print('the end', file=sys.stderr)\n"
    )
    with started(tmp_path, code) as process:
        ending = process.wait(60)

        assert ending is not None
        until_printed(process, 300 * 1024 + len("the end\n"))
        assert len(process.stderr_text()) == 64 << 10
        assert process.stderr_text().endswith("the end\n")
        assert "the end" not in ending.reason


def test_a_flood_neither_blocks_it_nor_fills_memory(tmp_path: Path) -> None:
    code = "import os\nfor _ in range(2000): os.write(1, b'x' * 65536)\n"
    with started(tmp_path, code) as process:
        ending = process.wait(60)

        assert ending is not None
        until_printed(process, 2000 * 65536)
        assert len(process.stderr_text()) == 64 << 10


def test_reads_what_it_was_granted_and_nothing_beside(tmp_path: Path) -> None:
    granted, beside = tmp_path / "extracts", tmp_path / "keys"
    for folder in (granted, beside):
        folder.mkdir()
        (folder / "file").write_text("content")
    (granted / "link").symlink_to(beside / "file")
    code = (
        "import os\n"
        "def of(f, *a):\n"
        "    try: return f(*a)\n"
        "    except OSError as error: return type(error).__name__\n"
        f"granted, beside, above = {str(granted)!r}, {str(beside)!r}, {str(tmp_path)!r}\n"
        "result = [open(granted + '/file').read(),\n"
        "          of(open, granted + '/link'), of(os.stat, beside),\n"
        "          of(open, granted + '/new', 'w'), of(open, granted + '/file', 'a'),\n"
        "          of(os.unlink, granted + '/file'), of(os.listdir, above), of(os.listdir, '/')]\n"
    )

    outcome = run_confined(code, Grants(readable=(granted,)))

    assert outcome.value == [
        "content", "FileNotFoundError", "FileNotFoundError", "PermissionError", "PermissionError",
        "PermissionError", "PermissionError", "PermissionError",
    ] or outcome.value[3:6] == ["OSError"] * 3  # fmt: skip


def test_reads_what_a_link_that_it_was_granted_leads_to(tmp_path: Path) -> None:
    (tmp_path / "of june").mkdir()
    (tmp_path / "of june" / "file").write_text("content")
    (tmp_path / "extract").symlink_to(tmp_path / "of june" / "file")
    (tmp_path / "extracts").symlink_to(tmp_path / "of june")
    code = (
        f"result = [open({str(tmp_path)!r} + it).read() for it in ('/extract', '/extracts/file')]"
    )
    granted = (tmp_path / "extract", tmp_path / "extracts")

    assert run_confined(code, Grants(readable=granted)).value == ["content", "content"]


def test_writes_only_where_it_has_a_folder_and_no_more_than_its_size() -> None:
    code = (
        "import os, tempfile\n"
        "result = [tempfile.gettempdir()]\n"
        "with tempfile.TemporaryFile() as made: made.write(b'x'); made.seek(0); made.read()\n"
        "try:\n"
        "    for number in range(8):\n"
        "        with open(f'/scratch/{number}', 'wb') as made: made.write(b'x' * (1 << 20))\n"
        "except OSError as error: result.append([number, error.strerror])\n"
        "try: open('/scratch/0', 'ab').write(b'x' * (5 << 20))\n"
        "except OSError as error: result.append(error.strerror)\n"
        "try: os.mkfifo('/scratch/pipe')\n"
        "except OSError as error: result.append(error.strerror)\n"
    )

    outcome = run_confined(code, Grants(limits=Limits(scratch_mib=4)))

    assert outcome.value is not None, outcome
    assert outcome.value[0] == "/scratch"
    assert outcome.value[1] == [4, "No space left on device"]
    assert outcome.value[2] in ("File too large", "No space left on device")
    assert outcome.value[3] == "Operation not permitted"
    assert "No usable temporary directory" in run_confined(code).error


def test_memory_and_descriptors_end() -> None:
    outcome = run_confined("x = bytearray(900 << 20)", Grants(limits=Limits(memory_mib=800)))
    assert outcome.error.startswith("MemoryError")

    outcome = run_confined("kept = [open('/dev/null') for _ in range(1000)]")
    assert "Too many open files" in outcome.error


def test_python_gets_a_clean_refusal_where_it_is_harmless() -> None:
    attempts = [
        "os.fork()", "subprocess.run(['/bin/true'])", "os.execv('/bin/true', ['true'])",
        "socket.socket()", "os.kill(os.getppid(), 9)", "os.chmod('/dev/null', 0o666)",
        "os.setuid(0)", "os.memfd_create('x')", "os.symlink('a', '/b')", "os.nice(1)",
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "os.open('/not-granted', 0)",
        "multiprocessing.shared_memory.SharedMemory(create=True, size=9)",
    ]  # fmt: skip
    code = "import multiprocessing.shared_memory, os, resource, socket, subprocess\nresult = {}\n"
    for attempt in attempts:
        code += f"try: {attempt}; result[{attempt!r}] = 'done'\n"
        code += (
            f"except (OSError, ValueError) as error: result[{attempt!r}] = type(error).__name__\n"
        )

    outcome = run_confined(code)

    assert outcome.value is not None, outcome
    memory = outcome.value.pop(attempts[-1])
    assert memory == "FileNotFoundError"  # there is no /dev/shm
    limits = outcome.value.pop(attempts[-3])
    assert limits in ("PermissionError", "ValueError")
    assert set(outcome.value.values()) == {"PermissionError"}, outcome.value


def test_cannot_be_looked_into_by_others_of_its_account() -> None:
    outcome = run_confined(
        "import ctypes; result = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)"  # PR_GET_DUMPABLE
    )

    assert outcome.value == 0


def test_a_grant_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(Problem) as raised:
        start(Grants(readable=(missing,)), [HERE], script=HERE / "run_code.py")
    assert raised.value.where == str(missing)
    assert raised.value.exit_code is ExitCode.SETTINGS

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(Problem, match="neither"):
        start(Grants(readable=(pipe,)), [HERE], script=HERE / "run_code.py")


def test_grants_must_make_sense(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="absolute"):
        Grants(readable=(Path("extracts"),))
    with pytest.raises(ValueError, match="absolute"):
        Grants(readable=(Path("/"),))
    for wrong in ({"memory_mib": 0}, {"seconds": 0.0}, {"processes": 0}, {"scratch_mib": -1}):
        with pytest.raises(ValueError, match="positive"):
            Limits(**wrong)


def test_leaves_no_descriptor_open(tmp_path: Path) -> None:
    with started(tmp_path, "pass") as process:
        process.wait(60)
    before = open_descriptors()
    for _ in range(5):
        with started(tmp_path, "pass") as process:
            process.wait(60)
    assert open_descriptors() == before


def test_a_refused_start_leaves_no_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folkmoot_kit.confinement import bubblewrap

    not_a_program = tmp_path / "bwrap"
    not_a_program.write_text("")
    monkeypatch.setattr(bubblewrap, "find", lambda: not_a_program)
    monkeypatch.setattr(bubblewrap, "version", lambda _: (0, 11, 0))
    before = open_descriptors()

    with pytest.raises(OSError):
        started(tmp_path, "pass")

    assert open_descriptors() == before


def test_the_channel_carries_no_descriptors_in() -> None:
    """What the process sends beside its bytes is dropped by a host that reads with `recv`."""
    code = (
        "import array, os, socket\n"
        "channel = socket.socket(fileno=0)\n"
        "held = array.array('i', [os.open('/dev/null', 0)])\n"
        "channel.sendmsg([b' '], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, held)])\n"
        "channel.detach()\n"
    )
    before = open_descriptors()

    run_confined(code)

    assert open_descriptors() == before
