"""Whoever has the database and its key finds nothing of a household that was erased.

A deleted row would otherwise stay in the pages of SQLite until they are used again, and in the
write-ahead log beside the file until that begins anew.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.holders import RECORDS
from folkmoot_node.casework.rights.erasure import Erasure
from folkmoot_node.casework.rights.kinds import Ground
from folkmoot_node.casework.rights.retention import purge_casework
from folkmoot_node.casework.settings import database_path, read_key
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import close_case
from tests.casework_rights import OFFICER, flag, opened

PAGE, RESERVED, SALT, IV = 4096, 80, 16, 16
WAL_HEADER, FRAME_HEADER = 32, 24
NOTE = "Her sister Ann at number 4 told us this in March"


def pages(path: Path, key: bytes) -> bytes:
    """All that file and write-ahead log hold, decrypted page by page as SQLCipher 4 does."""
    content = path.read_bytes()
    found = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
    log = path.with_name(path.name + "-wal")
    if log.exists():
        frames = log.read_bytes()[WAL_HEADER:]
        step = FRAME_HEADER + PAGE
        found += [
            frames[at + FRAME_HEADER : at + step] for at in range(0, len(frames) - step + 1, step)
        ]
    assert found
    clear = []
    for page in found:
        iv = page[PAGE - RESERVED : PAGE - RESERVED + IV]
        for skipped in (0, SALT):  # the first page begins with the salt
            decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
            clear.append(decryptor.update(page[skipped : PAGE - RESERVED]))
    return b"".join(clear)


def test_no_page_keeps_what_was_erased(council: CaseworkCouncil, desk: Desk) -> None:
    # A long reason stands in pages of its own, a short one among rows that stay.
    case_id = flag(council, desk, 0, why=NOTE)
    other = flag(council, desk, 1, why="x" * 20_000 + NOTE)
    config = council.config
    key = read_key(config)
    assert key is not None
    assert NOTE.encode() in pages(database_path(config), key)
    officer = council.visitor(desk, OFFICER)
    for one in (case_id, other):
        shown = opened(council, desk, one)
        Erasure(desk, RECORDS).erase(shown, Ground.OBJECTED, officer)
    assert NOTE.encode() not in pages(database_path(config), key)


def test_no_page_keeps_what_was_purged(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 0, why=NOTE)
    close_case(desk, case_id)
    council.clock.now += 800 * 86_400
    assert purge_casework(desk, RECORDS, "a test")
    key = read_key(council.config)
    assert key is not None
    assert NOTE.encode() not in pages(database_path(council.config), key)
