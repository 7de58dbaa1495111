"""How remedies say that an extra is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from folkmoot_operator.extras import how_to_install


def test_where_a_bundle_installed_it_the_installer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "releases" / "0.1.0"
    release.mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/0.1.0")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "current"))
    assert how_to_install("folkmoot-node", "casework").startswith("`pip install ")
    (tmp_path / "install.sh").touch()
    named = f"`sh {tmp_path}/install.sh upgrade --bundle FOLDER --with casework`"
    assert how_to_install("folkmoot-node", "casework") == named
    (release / "folkmoot-release").write_text("role=node\nextras=audit linkage\nkey=f00\n")
    assert how_to_install("folkmoot-node", "casework").endswith(
        "upgrade --bundle FOLDER --with audit --with casework --with linkage`"
    )


def test_elsewhere_pip_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert how_to_install("folkmoot-node", "dask") == "`pip install 'folkmoot-node[dask]'`"
