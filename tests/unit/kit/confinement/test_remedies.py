"""Who looks after a machine that cannot confine plugins is told what to enable."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from folkmoot_kit.confinement import kernel, remedies
from folkmoot_kit.confinement.layers import LAYERS


@pytest.fixture
def sysctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(remedies, "_SYSCTL", tmp_path)
    monkeypatch.setattr(remedies, "_LSM", tmp_path / "lsm")
    for folder in ("kernel", "user"):
        (tmp_path / folder).mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor profile for bwrap"),
    ],
)
def test_names_the_setting_that_forbids_namespaces(
    sysctl: Path, name: str, value: str, words: str
) -> None:
    assert words not in remedies.for_bubblewrap()

    (sysctl / name).write_text(f"{value}\n")

    assert words in remedies.for_bubblewrap()
    assert words in remedies.for_layer("bubblewrap")


def test_names_the_kernel_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "release", lambda: (6, 8))

    assert "Use Linux 6.12 or newer" in remedies.for_layer("landlock")


def test_names_the_kernel_parameter_without_landlock(
    sysctl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "release", lambda: (6, 12))
    (sysctl / "lsm").write_text("lockdown,capability,yama,apparmor")

    assert "lsm=landlock,lockdown,capability,yama,apparmor" in remedies.for_layer("landlock")

    (sysctl / "lsm").unlink()
    assert "CONFIG_SECURITY_LANDLOCK" in remedies.for_layer("landlock")


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_a_remedy(layer: str) -> None:
    assert remedies.for_layer(layer)


@pytest.mark.parametrize(
    "release, version",
    [("6.12.3-amd64", (6, 12)), ("6.8.0-31-generic", (6, 8)), ("7.0-rc1", (7, 0)), ("6.1", (6, 1))],
)
def test_releases_of_kernels_are_read(
    release: str, version: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "release", lambda: release)

    assert kernel.release() == version
