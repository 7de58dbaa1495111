"""Each layer is proved alone: without a part of one, the self-test names it, whatever others do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from folkmoot_kit.confinement import ConfinedProcess, Grants, bubblewrap, layer_tests, start, unmet
from folkmoot_kit.confinement.layers import LAYERS

KIT = Path(layer_tests.__file__).resolve().parents[2]
Line = list[str]


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    layer_tests.proved.cache_clear()
    yield
    layer_tests.proved.cache_clear()


def test_all_layers_work_here() -> None:
    found = layer_tests.self_test()

    assert [layer.name for layer in found] == list(LAYERS)
    assert all(layer.works and layer.problem and not layer.remedy for layer in found), found
    assert unmet() is None


def assert_names(expected: str) -> None:
    found = {layer.name: layer for layer in layer_tests.self_test()}
    assert set(found) == set(LAYERS)
    assert not any(layer.works for layer in found.values())
    named = [layer for layer in found.values() if "not tried" not in layer.problem]
    assert [layer.name for layer in named] == [expected], named
    problem = unmet()
    assert problem is not None
    assert expected in problem.problem
    assert problem.remedy


def instead(old: str, *new: str) -> Callable[[Line], Line]:
    def change(line: Line) -> Line:
        assert old in line
        at = line.index(old)
        return [*line[:at], *new, *line[at + 1 :]]

    return change


def without(option: str, words: int) -> Callable[[Line], Line]:
    def change(line: Line) -> Line:
        at = line.index(option)
        return [*line[:at], *line[at + words :]]

    return change


def also(*new: str) -> Callable[[Line], Line]:
    return lambda line: [
        *line[: line.index("--remount-ro")],
        *new,
        *line[line.index("--remount-ro") :],
    ]


NAMESPACES = [
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup",
]


def all_but(namespace: str) -> Callable[[Line], Line]:
    return instead("--unshare-all", *(it for it in NAMESPACES if it != namespace))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(all_but("--unshare-pid"), id="processes of the machine"),
        pytest.param(all_but("--unshare-net"), id="network of the machine"),
        pytest.param(all_but("--unshare-ipc"), id="shared memory of the machine"),
        pytest.param(all_but("--unshare-cgroup"), id="control groups of the machine"),
        pytest.param(without("--hostname", 2), id="name of the machine"),
        pytest.param(without("--uid", 2), id="account of the machine"),
        pytest.param(without("--remount-ro", 2), id="a root folder that can be written"),
        pytest.param(also("--bind", str(KIT), str(KIT)), id="imports that can be written"),
        pytest.param(also("--ro-bind", "/etc/passwd", "/etc/passwd"), id="a file of the machine"),
        pytest.param(also("--ro-bind", "/sys", "/sys"), id="devices of the machine"),
        pytest.param(also("--proc", "/proc"), id="its own processes"),
        pytest.param(also("--tmpfs", "/elsewhere"), id="a folder that nobody granted"),
        pytest.param(without("--unshare-all", 1), id="no namespaces"),
    ],
)
def test_without_a_part_of_bubblewrap(
    change: Callable[[Line], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bubblewrap.command

    def command(program: Path, grants: Grants, imports: Sequence[Path], script: Path) -> Line:
        return change(made(program, grants, imports, script))

    tops = bubblewrap.top_names(made(Path("/bwrap"), Grants(), (KIT,), KIT))
    monkeypatch.setattr(bubblewrap, "command", command)
    monkeypatch.setattr(bubblewrap, "top_names", lambda _: tops)

    assert_names("bubblewrap")


FILTER = """
from folkmoot_kit.confinement import compiler
def read_filter(_):
    table = compiler.TABLE.read_text().replace({old!r}, {new!r})
    return compiler.compile_filter(compiler.read_table(table), kernel.ARCH, frozenset())
seccomp.read_filter = read_filter
"""
REFUSED = """
def refused(*_):
    raise PermissionError(1, "refused")
"""
MISSING = {
    "landlock": {
        "all of it": "landlock.restrict = lambda *_, **__: None",
        "reading files": """
add = landlock._grant
landlock._ALL_FILE_RIGHTS &= ~landlock._READ_FILE
def grant(rules, path, rights):
    if os.path.isdir(path):
        add(rules, path, rights & ~landlock._READ_FILE)
landlock._grant = grant
""",
        "listing folders": """
landlock._ALL_FILE_RIGHTS &= ~landlock._READ_DIR
landlock._READ_ONLY &= ~landlock._READ_DIR
""",
        "ports": "landlock._BIND_TCP = 0",
        "abstract sockets": "landlock._ABSTRACT_SOCKETS = 0",
        "signals": "landlock._SIGNALS = 0",
        "a kernel without it": "landlock.abi = lambda: 0",
        "a kernel with less of it": "landlock.abi = lambda: landlock.MINIMUM_ABI - 1",
        "a thread that it does not bind": """
import threading, time
threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
""",
    },
    "seccomp": {
        "all of it": "seccomp.load = lambda _: None",
        "what it refuses": "seccomp.read_filter = lambda _: b'\\x06\\0\\0\\0\\0\\0\\xff\\x7f'",
        "its file": REFUSED + "seccomp.read_filter = refused",
        "its list for this architecture": "kernel.ARCH = 'riscv64'",
        "what it kills": FILTER.format(old="  kill", new="  refuse"),
        "sockets": FILTER.format(old="198  refuse", new="198  allow"),
        "files in memory": FILTER.format(old="279  refuse", new="279  allow"),
        "clone3": FILTER.format(old="435  absent", new="435  allow"),
    },
    "clock": {
        "all of it": "vdso.take_clock = lambda: range(0)",
        "the code of the kernel's clock": "vdso.replace_code = lambda _: None",
        "the pages of the kernel's clock": "vdso.unmap = lambda _: None",
        "the processor's counter": "vdso.forbid_counter = lambda: None",
        "system calls that tell the date": """
read = seccomp.read_filter
seccomp.read_filter = lambda _: read({"clock"})
""",
        "a kernel that seals its clock": REFUSED + "vdso.unmap = refused",
    },
    "limits": {
        "all of them": "limits.impose = lambda _: None",
        "memory": """
of = limits.limits_of
limits.limits_of = lambda s: {k: v for k, v in of(s).items() if k != resource.RLIMIT_AS}
""",
        "core dumps": """
prctl = kernel.prctl
kernel.prctl = lambda option, to=0: option == kernel.PR_SET_DUMPABLE or prctl(option, to)
""",
    },
}
"""Patches of the process, by the layer that must be named, and what they take from it."""


@pytest.mark.parametrize(
    "layer, patch",
    [
        pytest.param(layer, patch, id=f"{layer}: {what}")
        for layer, parts in MISSING.items()
        for what, patch in parts.items()
    ],
)
def test_without_a_part_of_what_the_process_gives_up(
    layer: str, patch: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "probe_without.py"
    script.write_text(
        "import os, resource, sys\n"
        f"sys.path.insert(0, {str(KIT)!r})\n"
        "from folkmoot_kit.confinement import kernel, landlock, limits, seccomp, vdso, probe\n"
        f"{patch}\n"
        "probe.main()\n"
    )

    def start_without(grants: Grants, imports: Sequence[Path], *, script: Path) -> ConfinedProcess:
        return start(grants, [*imports, tmp_path], script=tmp_path / "probe_without.py")

    monkeypatch.setattr(layer_tests, "start", start_without)

    assert_names(layer)


def test_without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "find", lambda: None)

    assert_names("bubblewrap")
    problem = unmet()
    assert problem is not None
    assert "Install Debian's package bubblewrap" in problem.remedy


def test_with_an_old_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "version", lambda _: (0, 7, 9))

    assert_names("bubblewrap")


def test_with_a_bubblewrap_that_the_kernel_refuses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = tmp_path / "bwrap"
    refused.write_text(
        "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
    )
    refused.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "find", lambda: refused)
    monkeypatch.setattr(bubblewrap, "version", lambda _: (0, 11, 0))

    assert_names("bubblewrap")
    problem = unmet()
    assert problem is not None
    assert "setting up uid map: Permission denied" in problem.problem
    assert "user namespaces" in problem.remedy


@pytest.mark.parametrize("program", [bubblewrap.OF_SYSTEM, bubblewrap.of_package()])
def test_each_program_that_there_is_works(
    program: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if program is None or not program.is_file():
        pytest.skip("it is not installed")
    if bubblewrap.version(program) < bubblewrap.MINIMUM_VERSION:
        pytest.skip("the operating system's is too old")
    monkeypatch.setattr(bubblewrap, "find", lambda: program)

    assert all(layer.works for layer in layer_tests.self_test()), layer_tests.self_test()


def test_the_operating_systems_program_comes_first_if_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for program in (ours, theirs):
        program.write_text("")
    monkeypatch.setattr(bubblewrap, "OF_SYSTEM", theirs)
    monkeypatch.setattr(bubblewrap, "of_package", lambda: ours)
    versions = {theirs: (0, 9, 0), ours: (0, 11, 0)}
    monkeypatch.setattr(bubblewrap, "version", lambda program: versions[program])
    assert bubblewrap.find() == theirs

    versions[theirs] = (0, 6, 1)
    assert bubblewrap.find() == ours

    theirs.unlink()
    assert bubblewrap.find() == ours
    monkeypatch.setattr(bubblewrap, "of_package", lambda: None)
    assert bubblewrap.find() is None


def test_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = layer_tests.self_test()
    monkeypatch.setattr(layer_tests, "start", lambda *_, **__: pytest.fail("started again"))

    assert layer_tests.self_test() is first


def test_is_asked_again_after_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    find = bubblewrap.find
    monkeypatch.setattr(bubblewrap, "find", lambda: None)
    assert_names("bubblewrap")

    monkeypatch.setattr(bubblewrap, "find", find)
    assert unmet() is None
