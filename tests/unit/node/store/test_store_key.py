"""The key of the store after a power cut: the old one is gone, a new one is whole."""

from __future__ import annotations

from pathlib import Path

from folkmoot_node.store.encrypted_file import create_key, replace_key
from tests.power_cut import watched


def test_a_replaced_key_does_not_come_back_after_a_power_cut(tmp_path: Path) -> None:
    """Else copies of deleted scores, in backups or on the disk, could be read again."""
    path = tmp_path / "store.key"
    old = create_key(path)
    with watched(tmp_path) as disk:
        new = replace_key(path)
    assert new != old
    assert disk.at_the_end == {"store.key": f"{new.encoded}\n".encode()}
    whole = {f"{key.encoded}\n".encode() for key in (old, new)}
    assert {files["store.key"] for files in disk.ever} == whole


def test_a_new_key_is_there_after_a_power_cut_or_was_never_whole(tmp_path: Path) -> None:
    """The store is written only after the key is sure; no half of a key is taken for one."""
    path = tmp_path / "keys" / "store.key"
    with watched(tmp_path) as disk:
        key = create_key(path)
    whole = f"{key.encoded}\n".encode()
    assert disk.at_the_end == {"keys/store.key": whole}
    assert {files.get("keys/store.key", whole) for files in disk.ever} == {whole}
    assert not any(mode & 0o077 for modes in disk.modes for mode in modes.values())
