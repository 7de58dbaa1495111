"""Whatever a table of casework has about a household is shown to it, and can be erased.

A row is put into every table that names a household, a case or a referral, with a canary in each
text. A room that adds a table or a column fails here until its `Records` know it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Integer, String, Table, Text, insert, inspect, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import household_id
from folkmoot_node.casework.cases import models as cases
from folkmoot_node.casework.cohorts import models as cohorts
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.holders import RECORDS
from folkmoot_node.casework.opening import models as opening
from folkmoot_node.casework.referrals import models as referrals
from folkmoot_node.casework.rights import models as rights
from tests.casework_council import CaseworkCouncil

CASE, REFERRAL, LINK, RUN = "case00000001", "referral0001", "link00000001", "run000000001"
NAMING = ("household_id", "left", "case_id", "referral_id", "link_id")
"""Columns by which a row belongs to a household."""
JSON: dict[str, Any] = {
    "assessment": "{}",
    "content": '[{"field": "name", "title": "Name", "value": "canary handed over"}]',
    "fields": '["canary of fields"]',
    "information": "[]",
    "changed": {"team": ["canary before", "canary after"]},
    "needs": ["canary of needs"],
    "seen": "{}",
    "shown": "[]",
    "hidden": "[]",
    "counts": "{}",
}
"""Columns that are JSON."""
CHOICES = {
    ("casework_consents", "how"): "spoken",
    ("casework_consents", "given_by"): "the resident",
    ("casework_overrides", "ground"): "public_task",
}
"""Columns that take some values only."""
NOT_SHOWN = {
    # Ids and settings of the program: nothing about anybody.
    "cohort_id", "service_id", "consent_id", "override_id", "entry_id", "opening_id",
    "restriction_id", "bar_id", "search_id", "objection_id", "request_id", "hold_id", "mail_id",
    "browser", "in_bulk", "run_id", "decision_id", "look_id", "seen", "shown", "hidden", "counts",
    # Who of the staff undid or reviewed something: the log of the household has it.
    "removed_by", "ended_by", "reviewed_by", "lifted_by", "withdrawn_by", "done_by",
    "answerer", "way",
}  # fmt: skip
"""Columns that a resident is not shown, and why."""
KEPT = {"casework_objections", "casework_requests", "casework_erasures"}
"""Tables whose rows an erasure empties of texts and keeps."""
NOT_READ = {"casework_cohort_members", "casework_mail", "casework_links", "casework_link_visits"}
"""Members need a whole run, and are shown in the tests of cohorts; what the post office does with a
message names a service and nobody else."""


@dataclass
class Filled:
    """A household with a row in every table.

    Attributes:
        household: Its id.
        canaries: By table and column, what was put in.
    """

    household: str
    canaries: dict[str, dict[str, str]]


def tables() -> Iterator[Table]:
    for room in (cases, cohorts, opening, referrals, rights):
        for table in room.Base.metadata.sorted_tables:
            if any(name in table.columns for name in NAMING):
                yield table


def fill(session: Session, household: str) -> Filled:
    filled = Filled(household, {})
    ids = {
        "household_id": household,
        "left": household,
        "case_id": CASE,
        "referral_id": REFERRAL,
        "link_id": LINK,
        "run_id": RUN,
    }
    for number, table in enumerate(tables()):
        if table.name == "casework_erasures":
            continue
        row: dict[str, Any] = {}
        for column in table.columns:
            if column.name in ids:
                row[column.name] = ids[column.name]
            elif (table.name, column.name) in CHOICES:
                row[column.name] = CHOICES[table.name, column.name]
            elif column.name in JSON:
                row[column.name] = JSON[column.name]
            elif isinstance(column.type, Boolean):
                row[column.name] = True
            elif isinstance(column.type, Integer | BigInteger):
                row[column.name] = 1_700_000_000 if not column.primary_key else 1
            elif isinstance(column.type, String | Text):
                length = getattr(column.type, "length", None) or 60
                text = f"c{number} {column.name}"[:length]
                row[column.name] = text
                filled.canaries.setdefault(table.name, {})[column.name] = text
        session.execute(insert(table).values(row))
    return filled


@pytest.fixture
def filled(council: CaseworkCouncil, desk: Desk) -> Filled:
    with desk.state.database.writing() as session:
        return fill(session, household_id(session, council.uprn(30)))


def test_the_tables_are_those_of_the_models(desk: Desk) -> None:
    """Columns and indexes: what erasure and retention look for is found without reading it all."""
    with desk.state.database.reading() as session:
        there = inspect(session.connection())
        for table in tables():
            columns = {one["name"]: one["nullable"] for one in there.get_columns(table.name)}
            assert columns == {one.name: bool(one.nullable) for one in table.columns}, table.name
            indexes = {(one["name"], *one["column_names"]) for one in there.get_indexes(table.name)}
            wanted = {(one.name, *(c.name for c in one.columns)) for one in table.indexes}
            assert indexes == wanted, table.name


def test_every_text_is_shown(desk: Desk, filled: Filled) -> None:
    with desk.state.database.reading() as session:
        items = [
            item
            for one in RECORDS
            if one.room != "cohorts"
            for item in one.held_on(session, filled.household)
        ]
    said = "\n".join(f"{item.key} {item.title} {item.facts}" for item in items)
    missing = [
        f"{table}.{column}"
        for table, columns in filled.canaries.items()
        if table not in NOT_READ and not table.startswith("casework_cohort")
        for column, text in columns.items()
        if column not in NOT_SHOWN and text not in said
    ]
    assert not missing
    for text in (
        "canary handed over",
        "spoken",
        "canary of fields",
        "canary after",
        "canary of needs",
    ):
        assert text in said


def test_texts_of_people_are_reviewed(desk: Desk, filled: Filled) -> None:
    """Long texts are free, so each may name somebody else."""
    with desk.state.database.reading() as session:
        facts = [
            fact
            for one in RECORDS
            if one.room != "cohorts"
            for item in one.held_on(session, filled.household)
            for fact in item.facts
        ]
    reviewed = "\n".join(fact.value for fact in facts if fact.may_name_others)
    free = {
        (table.name, column.name)
        for table in tables()
        for column in table.columns
        if isinstance(column.type, Text) and column.name not in JSON
    }
    open_texts = [
        f"{table}.{column}"
        for table, column in sorted(free)
        if table not in NOT_READ | {"casework_erasures"}
        and not table.startswith("casework_cohort")
        and column not in NOT_SHOWN
        and filled.canaries[table][column] not in reviewed
    ]
    assert not open_texts


def test_every_row_is_erased(desk: Desk, filled: Filled) -> None:
    with desk.state.database.writing() as session:
        for one in RECORDS:
            one.erase(session, filled.household)
    with desk.state.database.reading() as session:
        left = [
            table.name
            for table in tables()
            if table.name not in KEPT and session.execute(select(table)).first() is not None
        ]
        assert not left
        kept = [str(row) for row in session.execute(select(rights.ObjectionRow.__table__))]
        kept += [str(row) for row in session.execute(select(rights.RequestRow.__table__))]
    texts = [
        filled.canaries[table][column]
        for table, column in (
            ("casework_objections", "said"),
            ("casework_objections", "said_by"),
            ("casework_objections", "answer"),
            ("casework_objections", "ended_why"),
            ("casework_requests", "asked_by"),
            ("casework_requests", "answer"),
        )
    ]
    assert not [text for text in texts if any(f"'{text}'" in row for row in kept)]


def test_rows_of_a_case_go_with_it(desk: Desk, filled: Filled) -> None:
    with desk.state.database.writing() as session:
        for one in RECORDS:
            one.erase_cases(session, [CASE])
    with desk.state.database.reading() as session:
        left = [
            table.name
            for table in tables()
            if "case_id" in table.columns
            and table.name not in KEPT
            and session.execute(select(table)).first() is not None
        ]
    assert not left
