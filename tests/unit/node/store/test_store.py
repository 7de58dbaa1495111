"""The store: encrypted, replaced at once, never half."""

from __future__ import annotations

import signal
import sys
import textwrap

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_node.store.encrypted_file import StoreKey, create_key, read_key
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.writer import write_store
from folkmoot_operator.problems import ExitCode, Problem
from tests.tables import count


def test_the_file_holds_nothing_in_the_clear(node):
    node.score()
    content = node.config.store_path.read_bytes()
    for word in (b"households", b"council_tax_arrears", b"E01000001", b"Winter support", b"uprn"):
        assert word not in content


def test_the_same_content_in_an_unencrypted_file_would_be_found(node, tmp_path):
    """Shows that the test above can fail."""
    import duckdb

    node.score()
    rows = node.rows()  # noqa: F841 (read by DuckDB)
    with duckdb.connect(str(tmp_path / "plain.duckdb")) as connection:
        connection.execute("CREATE TABLE households AS SELECT * FROM rows")
    assert b"field_council_tax_arrears" in (tmp_path / "plain.duckdb").read_bytes()


def test_another_key_does_not_open_it(node, tmp_path):
    node.score()
    other = create_key(tmp_path / "other.key")
    with pytest.raises(Problem) as raised, open_store(node.config.store_path, other):
        pass
    assert raised.value.exit_code is ExitCode.DATA
    assert other.encoded not in str(raised.value)


def test_the_key_is_never_shown(tmp_path):
    key = create_key(tmp_path / "store.key")
    assert key.encoded not in repr(key)
    assert (tmp_path / "store.key").stat().st_mode & 0o777 == 0o600
    assert read_key(tmp_path / "store.key") == key


def test_an_existing_key_is_not_replaced(tmp_path):
    create_key(tmp_path / "store.key")
    with pytest.raises(Problem, match="exists already"):
        create_key(tmp_path / "store.key")


def test_a_key_that_others_may_read_is_refused(tmp_path):
    create_key(tmp_path / "store.key")
    (tmp_path / "store.key").chmod(0o640)
    with pytest.raises(Problem, match="may be read by other accounts"):
        read_key(tmp_path / "store.key")


@pytest.mark.parametrize("content", ["", "abc", "QUJD\n", "x" * 44])
def test_a_damaged_key_is_refused(tmp_path, content):
    path = tmp_path / "store.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(Problem, match="damaged"):
        read_key(path)


def test_nothing_scored_yet_says_what_to_do(node):
    with pytest.raises(Problem) as raised, node.open():
        pass
    assert "folkmoot-node score" in raised.value.remedy


def test_the_store_is_for_the_owner_alone(node):
    node.score()
    assert node.config.store_path.stat().st_mode & 0o777 == 0o600


def test_a_reader_keeps_what_it_opened_while_a_new_run_comes_in(node):
    first = node.score()
    with node.open() as store:
        second = node.score()
        assert store.run.run_id == first.run_id
        assert count(store, {"band": ("none", "low", "high")}, [()])[0].tolist() == [3]
    with node.open() as store:
        assert store.run.run_id == second.run_id


def test_two_runs_do_not_write_at_once(node):
    key = read_key(node.config.key_file)
    with (
        write_store(node.config.store_path, key, threads=1),
        pytest.raises(Problem, match="another run is scoring now"),
    ):
        node.score()
    node.score()


def test_a_fault_of_a_factor_leaves_the_last_scores(node, monkeypatch):
    first = node.score()
    monkeypatch.setattr(node.factors["alone"], "score", lambda *_: np.full(3, 2.0))
    with pytest.raises(Problem):
        node.score()
    with node.open() as store:
        assert store.run.run_id == first.run_id
    leftovers = [p.name for p in node.config.store_path.parent.iterdir()]
    assert sorted(leftovers) == ["households.duckdb", "households.duckdb.lock"]


KILLED = """
    import os, signal, sys
    from pathlib import Path
    import numpy as np
    import polars as pl
    from folkmoot_node.store import writer as store_writer
    from folkmoot_node.store.encrypted_file import read_key

    path, key, step = Path(sys.argv[1]), read_key(Path(sys.argv[2])), sys.argv[3]

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    if step == "replace":
        store_writer.put_in_place = die
    with store_writer.write_store(path, key, threads=1) as writer:
        if step == "opened":
            die()
        writer.create({"uprn": "BIGINT", "score": "INTEGER"})
        count = 600_000  # enough to be inserted at once
        frame = pl.DataFrame({"uprn": range(count), "points_arrears": [1.0] * count})
        counted = {"uprn": np.arange(count), "score": np.ones(count, dtype=np.int32)}
        writer.append(0, counted, frame)
        if step == "appended":
            die()
        connection = writer._connection
        real = connection.execute
        class Half:
            def execute(self, sql, *rest):
                if step == "before checkpoint" and sql.startswith("CHECKPOINT"):
                    die()
                result = real(sql, *rest)
                if step == "checkpointed" and sql.startswith("CHECKPOINT"):
                    die()
                return result
            def __getattr__(self, name):
                return getattr(connection, name)
        writer._connection = Half()
        from folkmoot_node.store.run_summary import RunSummary
        import datetime
        writer.finish(RunSummary(
            run_id="0" * 32, policy_name="n", policy_sha256="00",
            policy_sunset=datetime.date.max, reference_date=datetime.date.min,
            started_at=0, finished_at=0, households=0, bands={}, incomplete=0, factors=(),
            sources=(), stored={}))
    """


@pytest.mark.parametrize(
    "step", ["opened", "appended", "before checkpoint", "checkpointed", "replace"]
)
def test_a_killed_run_leaves_the_last_scores(node, step):
    import subprocess

    first = node.score()
    before = node.config.store_path.read_bytes()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(KILLED),
            str(node.config.store_path),
            str(node.config.key_file),
            step,
        ],
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert node.config.store_path.read_bytes() == before
    with node.open() as store:
        assert store.run.run_id == first.run_id
    second = node.score()
    with node.open() as store:
        assert store.run.run_id == second.run_id
    names = sorted(p.name for p in node.config.store_path.parent.iterdir())
    assert names == ["households.duckdb", "households.duckdb.lock"]


CODES = ("none", "low", "high")
AREAS = ("E01000001", "E01000002", "E01000003")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_counts_equal_a_count_by_hand(tmp_path_factory, data):
    from folkmoot_node.store.run_summary import RunSummary, StoredAttribute

    rows = data.draw(
        st.lists(st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(0, 2))), max_size=30)
    )
    bands = data.draw(st.lists(st.sampled_from((*CODES, "other")), unique=True, min_size=1))
    areas = data.draw(st.lists(st.sampled_from((*AREAS, "E01000009")), unique=True, min_size=1))
    folder = tmp_path_factory.mktemp("store")
    key = create_key(folder / "key")
    with write_store(folder / "s.duckdb", key, threads=1) as writer:
        writer.create({"band": "UTINYINT", "attribute_lsoa": "UTINYINT"})
        counted = {
            "band": np.array([r[0] for r in rows], dtype=np.uint8),
            "attribute_lsoa": np.array([3 if r[1] is None else r[1] for r in rows], dtype=np.uint8),
        }
        writer.append(0, counted, pl.DataFrame({"uprn": range(len(rows))}))
        writer.finish(
            RunSummary(
                run_id="0" * 32,
                policy_name="n",
                policy_sha256="00",
                policy_sunset="2099-12-31",
                reference_date="2026-01-01",
                started_at=0,
                finished_at=0,
                households=len(rows),
                bands={},
                incomplete=0,
                factors=(),
                sources=(),
                stored={
                    "band": StoredAttribute(
                        column="band", stored_codes=(*CODES, "unknown"), codes=CODES
                    ),
                    "lsoa": StoredAttribute(
                        column="attribute_lsoa", stored_codes=(*AREAS, ""), codes=None
                    ),
                },
            )
        )
    with open_store(folder / "s.duckdb", key) as store:
        found = count(
            store, {"lsoa": areas, "band": bands}, [("lsoa", "band"), ("band",), (), ("lsoa",)]
        )
    everyone = [(CODES[b], None if a is None else AREAS[a]) for b, a in rows]
    named = [(b, a) for b, a in everyone if b in bands and a in areas]
    assert found[0].tolist() == [named.count((b, a)) for a in areas for b in bands]
    assert found[1].tolist() == [sum(r[0] == b for r in named) for b in bands]
    assert found[2].tolist() == [len(named)]
    assert found[3].tolist() == [sum(r[1] == a for r in named) for a in areas]


def test_households_are_listed_for_those_who_help_them(node):
    node.score()
    with node.open() as store:
        frame = store.households(["high", "low"])
        everyone = store.households(["none", "low", "high"])
    assert frame.to_dicts() == [
        {
            "uprn": 2, "score": 100.0, "completeness": 1.0, "band": "high",
            "tenure": "rented", "age_group": "75_over", "lsoa": "E01000002",
            "rejected_inputs": "", "suppressed_inputs": "", "corrected_inputs": "",
        },
        {
            "uprn": 1, "score": 15.0, "completeness": 1.0, "band": "low",
            "tenure": "owned", "age_group": "65_74", "lsoa": "E01000001",
            "rejected_inputs": "", "suppressed_inputs": "", "corrected_inputs": "",
        },
    ]  # fmt: skip
    last = everyone.row(2, named=True)
    assert (last["uprn"], last["completeness"], last["tenure"]) == (3, 0.0, "unknown")


def test_a_key_is_base64_of_32_bytes():
    with pytest.raises(ValueError, match="32 bytes"):
        StoreKey("'; DROP TABLE households; --")
