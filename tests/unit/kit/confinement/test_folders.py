"""What a process sees of the machine is what it needs to run Python, and what it was granted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import folkmoot_kit
import folkmoot_sdk
from folkmoot_kit.confinement import Grants, folders, import_folders


def test_imports_come_from_site_packages_and_editable_folders() -> None:
    found = import_folders()

    for package in (folkmoot_kit, folkmoot_sdk, pytest):
        assert package.__file__ is not None
        assert any(folder in Path(package.__file__).resolve().parents for folder in found)
    assert Path.cwd() not in found
    assert Path(sys.base_prefix) not in found


def test_lines_of_code_in_path_files_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages, editable = tmp_path / "site-packages", tmp_path / "editable"
    for folder in (packages, editable):
        folder.mkdir()
    (editable / "pyproject.toml").touch()
    (packages / "a.pth").write_text(
        f"import folkmoot_no_such_module\n{editable}\n# {tmp_path}\nrelative\n/nonexistent\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(packages)])

    assert import_folders() == (packages, editable)


@pytest.mark.parametrize("name", ["/", "/home", "/etc", "home", "home/keys"])
def test_no_wheel_opens_other_folders_by_a_line_in_a_path_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    packages, project = tmp_path / "site-packages", tmp_path / "project"
    for folder in (packages, project / "src", tmp_path / "home" / "keys"):
        folder.mkdir(parents=True)
    (project / "pyproject.toml").touch()
    (packages / "a.pth").write_text(f"{tmp_path / name}\n{project / 'src'}\n")
    monkeypatch.setattr(sys, "path", [str(packages)])

    assert import_folders() == (packages, project / "src")


def test_sees_no_file_with_a_secret_of_the_machine() -> None:
    for grants in (Grants(), Grants(clock=True), Grants(network=True)):
        seen = folders.seen_files(grants, import_folders())

        for private in (
            "/etc/passwd",
            "/etc/shadow",
            "/proc",
            "/sys",
            "/var",
            "/run",
            "/root/.ssh",
        ):
            path = Path(private)
            assert not any(path == it or it in path.parents for it in seen), private
        assert Path("/") not in seen
        assert Path("/etc") not in seen
        assert (Path("/etc/hosts") in seen) == (grants.network and Path("/etc/hosts").exists())


def test_what_is_granted_is_not_among_what_must_be_hidden() -> None:
    hidden = folders.hidden_paths([Path("/usr/lib")])
    assert "/proc/self" in hidden
    assert "/etc/passwd" in hidden

    assert "/etc/passwd" not in folders.hidden_paths([Path("/etc")])
    assert "/var" not in folders.hidden_paths([Path("/var/lib/folkmoot/extracts")])
