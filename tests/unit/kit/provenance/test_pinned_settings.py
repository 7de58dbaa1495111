"""A pin is written into node.toml, and all else in it stays as it stands."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_kit.provenance import Pin, Privileges
from folkmoot_kit.provenance.pin import as_toml
from folkmoot_kit.provenance.pinned_settings import with_pin, write_pin
from folkmoot_operator.problems import ExitCode, Problem

NAME = "folkmoot-plugin-x"
PIN = Pin(
    version="2.0",
    wheel=f"sha256:{'1' * 64}",
    content=f"sha256:{'2' * 64}",
    requires={"b": f"1.0 sha256:{'3' * 64}", "a": f"2.0 sha256:{'4' * 64}"},
    granted=Privileges(network=("b.example.org", "a.example.org"), files=True),
)
OLD = as_toml(NAME, Pin(version="1.0", wheel=PIN.wheel, content=PIN.content, requires=PIN.requires))
OTHER = as_toml("folkmoot-plugin-x-more", PIN)


def test_a_pin_is_toml_that_says_all_of_it() -> None:
    table = tomllib.loads(as_toml(NAME, PIN))["plugins"]["allowed"][NAME]
    assert table == {
        "version": PIN.version,
        "wheel": PIN.wheel,
        "content": PIN.content,
        "network": ["b.example.org", "a.example.org"],
        "files": True,
        "memory_mib": 2048,
        "seconds": 600,
        "requires": PIN.requires,
    }


PARTS = [
    "# a comment\n",
    '[node]\nname = "x" # why\n',
    "[plugins]\nrequire_report = true\n",
    OLD,
    OTHER,
    '[[sources]]\nkind = "x"\n',
    "[plugins_of_others]\na = 1\n",
]


@given(order=st.permutations(PARTS), count=st.integers(0, len(PARTS)))
def test_whatever_else_is_there_stays(order: list[str], count: int) -> None:
    text = "\n".join(order[:count])
    after = with_pin(text, NAME, PIN)
    assert after is not None
    found, before = tomllib.loads(after), tomllib.loads(text)
    allowed = found["plugins"]["allowed"]
    assert allowed.pop(NAME) == tomllib.loads(as_toml(NAME, PIN))["plugins"]["allowed"][NAME]
    before.setdefault("plugins", {}).setdefault("allowed", {}).pop(NAME, None)
    assert found == before
    for part in order[:count]:
        if part != OLD:
            assert part.strip() in after
    assert with_pin(after, NAME, PIN) == after


@pytest.mark.parametrize(
    "text",
    [
        f'[plugins]\nallowed = {{ {NAME} = {{ version = "1.0" }} }}\n',
        f'[plugins.allowed]\n{NAME} = {{ version = "1.0" }}\n',
        f'plugins.allowed.{NAME}.version = "1.0"\n',
        'text = """\n[plugins.allowed.folkmoot-plugin-x]\n"""\n',
    ],
)
def test_what_is_written_in_another_way_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(text)
    with pytest.raises(Problem, match="in a way") as caught:
        write_pin(path, NAME, PIN)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert path.read_text() == text


@pytest.mark.parametrize("content", [b"[", b"\xff", b"a = 1\na = 2\n", b"a" + b".a" * 5000])
def test_what_is_no_settings_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "node.toml"
    path.write_bytes(content)
    with pytest.raises(Problem, match="TOML"):
        write_pin(path, NAME, PIN)
    assert path.read_bytes() == content
