"""Schema and transactions."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select, text

from folkmoot_coordinator.database.checks import tables
from folkmoot_coordinator.database.connection import TABLES_VERSION, Database
from folkmoot_coordinator.database.models import Base, CouncilRow
from folkmoot_coordinator.database.schema import REGION
from folkmoot_operator.checks import State, examine
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office


def test_migrations_from_nothing_make_exactly_the_tables_declared(tmp_path: Path) -> None:
    path = tmp_path / "fresh.sqlite"
    database = Database(f"sqlite:///{path}")
    for refused in (database.upgrade, database.bring_up_to_date, database.require_tables):
        with pytest.raises(Problem, match="missing or empty") as caught:
            refused()
        assert "backup" in caught.value.remedy
        assert not path.exists()
    database.create()
    database.upgrade()
    with pytest.raises(Problem, match="already"):
        database.create()
    database.require_current()
    database.close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_answers_of_the_first_tables_are_kept(tmp_path: Path) -> None:
    from alembic import command

    path = tmp_path / "old.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(REGION.tables.configuration(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO answers (round_id, council, digest, received_at, receipt, signature) "
                "VALUES ('r', 'E08000009', x'00', 1, x'01', x'02')"
            )
        )
    engine.dispose()
    database = Database(f"sqlite:///{path}")
    [found] = examine([tables(f"sqlite:///{path}")])
    assert found.state is State.OK, "a home of before is sound"
    assert "version 0001; whatever opens it next upgrades it" in found.what
    database.bring_up_to_date()
    database.require_current()
    with database.reading() as session:
        assert session.execute(text("SELECT round_id, receipt FROM answers")).all() == [
            ("r", b"\x01")
        ]
    database.close()


def test_the_version_expected_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(REGION.tables.configuration()).get_current_head() == (
        TABLES_VERSION
    )


def test_the_file_is_private_and_sqlite_is_durable(office: Office) -> None:
    assert stat.S_IMODE(office.home.database_file.stat().st_mode) == 0o600
    with office.database.reading() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_a_transaction_that_fails_leaves_nothing(office: Office) -> None:
    class Interrupted(Exception):
        pass

    with pytest.raises(Interrupted), office.database.writing() as session:
        session.add(CouncilRow(code="E08000009", enrolled_at=1))
        session.flush()
        raise Interrupted
    with office.database.reading() as session:
        assert session.scalars(select(CouncilRow)).all() == []


def test_a_writer_does_not_block_readers(office: Office) -> None:
    with office.database.writing() as writer:
        writer.add(CouncilRow(code="E08000009", enrolled_at=1))
        writer.flush()
        with office.database.reading() as reader:
            assert reader.scalars(select(CouncilRow)).all() == []


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "postgresql+nodriver://host/name",
        "sqlite://",
        "postgresql+psycopg://host:70000/name",
    ],
)
def test_a_url_that_cannot_be_used_is_a_problem(url: str) -> None:
    with pytest.raises(Problem) as caught:
        Database(url)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert caught.value.where == "database.url"


def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}")
    with pytest.raises(Problem, match="is a folder") as caught, database.reading() as session:
        session.execute(select(CouncilRow))
    assert caught.value.exit_code is ExitCode.SETTINGS


def test_tables_of_a_later_program_are_left_alone(office: Office) -> None:
    with office.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Problem, match="later version"):
        office.database.upgrade()
    with pytest.raises(Problem, match="later version"):
        office.database.bring_up_to_date()
    with pytest.raises(Problem, match="have version 9999") as caught:
        office.database.require_current()
    assert "serve" not in caught.value.remedy, "it does not help"
    assert "later version" in caught.value.remedy
