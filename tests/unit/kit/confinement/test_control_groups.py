"""Control groups are used where the service was given some, and nowhere else.

The files are the kernel's where a group is delegated to the tests. Else they are a folder's that
looks like one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_kit.confinement import Grants, Limits, control_groups, start
from tests.confined_code import HERE, run_confined
from tests.waiting import wait_until


@pytest.fixture
def above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as systemd delegates one, with the node's own group below."""
    made = tmp_path / "system.slice" / "folkmoot.service"
    (made / "node").mkdir(parents=True)
    (made / "cgroup.controllers").write_text("cpu memory pids\n")
    (made / "cgroup.procs").write_text("")
    (made / "cgroup.subtree_control").write_text("")
    membership = tmp_path / "membership"
    membership.write_text("0::/system.slice/folkmoot.service/node\n")
    monkeypatch.setattr(control_groups, "HIERARCHY", tmp_path)
    monkeypatch.setattr(control_groups, "_MEMBERSHIP", membership)
    return made


@pytest.fixture
def new_groups_have_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel puts files into each new group; a folder of ours does not."""
    mkdir = Path.mkdir

    def with_files(self: Path, *arguments: object, **named: object) -> None:
        mkdir(self, *arguments, **named)  # type: ignore[arg-type]
        if self.name.startswith("plugin-"):
            for name in ("cgroup.procs", "memory.max", "memory.oom.group", "pids.max"):
                (self / name).write_text("")

    monkeypatch.setattr(Path, "mkdir", with_files)


def test_the_group_above_is_used(above: Path) -> None:
    assert control_groups.delegated() == above


@pytest.mark.parametrize(
    "lines",
    ["0::/\n", "0::/folkmoot\n", "5:memory:/folkmoot/node\n", ""],
    ids=["the machine's own", "directly below it", "an older hierarchy", "none"],
)
def test_a_group_that_is_not_delegated_is_not_used(
    above: Path, lines: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (above.parents[1] / "membership").write_text(lines)

    assert control_groups.delegated() is None
    assert control_groups.make(Limits()) is None


def test_a_group_without_the_controllers_is_not_used(above: Path) -> None:
    (above / "cgroup.controllers").write_text("cpu\n")

    assert control_groups.delegated() is None


@pytest.mark.usefixtures("new_groups_have_files")
def test_a_group_gets_the_limits(above: Path) -> None:
    group = control_groups.make(Limits(memory_mib=512, processes=8))

    assert group is not None
    assert group.folder.parent == above
    assert (above / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert (group.folder / "memory.max").read_text() == str(512 << 20)
    assert (group.folder / "memory.oom.group").read_text() == "1"
    assert (group.folder / "pids.max").read_text() == "10"
    assert not (group.folder / "memory.swap.max").exists()


@pytest.mark.usefixtures("new_groups_have_files")
def test_the_process_enters_it_before_it_starts_anything(above: Path) -> None:
    with start(Grants(), [HERE], script=HERE / "run_code.py") as process:
        assert process.control_group is not None
        assert process.setup["control_group"]
        wait_until(process.control_group.holds_a_process, "the process to enter its group")
        written = (process.control_group.folder / "cgroup.procs").read_text()

        assert int(written) == process.pid


@pytest.mark.usefixtures("new_groups_have_files")
def test_what_the_kernel_ended_for_its_memory_is_said_to_be(above: Path) -> None:
    with start(Grants(), [HERE], script=HERE / "run_code.py") as process:
        assert process.control_group is not None
        events = process.control_group.folder / "memory.events"
        events.write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 1\n")
        process.channel.close()
        ending = process.wait(60)

    assert ending is not None
    assert ending.out_of_memory
    assert "out of the memory" in ending.reason


@pytest.mark.usefixtures("new_groups_have_files")
def test_the_report_says_which_limit_holds(above: Path) -> None:
    assert "MiB of real memory" in run_confined("result = proved['limits']").value


def test_the_report_says_so_without_one() -> None:
    if control_groups.delegated() is not None:
        pytest.skip("a control group is delegated to the tests")
    assert "MiB of address space" in run_confined("result = proved['limits']").value


@pytest.mark.skipif(
    control_groups.delegated() is None, reason="no control group is delegated to the tests"
)
def test_a_real_group_ends_a_process_for_its_memory() -> None:
    code = "kept = bytearray(600 << 20)\nfor at in range(0, len(kept), 4096): kept[at] = 1\n"

    outcome = run_confined(code, Grants(limits=Limits(memory_mib=400)))

    assert outcome.ending is not None
    assert outcome.ending.out_of_memory
