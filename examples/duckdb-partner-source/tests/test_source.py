"""The source joins three files, and accounts for every row of the accounts."""

import datetime
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from folkmoot_sdk import PluginError

from harbour_rents.source import HarbourRents

SAMPLES = Path(__file__).parents[1] / "samples"
OPTIONS = {"base": SAMPLES, "folder": "export"}


@pytest.fixture
def export(tmp_path):
    """A copy of the sample export, to be spoiled."""
    shutil.copytree(SAMPLES / "export", tmp_path / "export")
    return tmp_path / "export"


def test_conforms(check_source):
    check_source(HarbourRents, OPTIONS)


def test_accounts_are_joined_with_homes(read_source):
    found = read_source(HarbourRents, OPTIONS)
    (batch,) = found.batches
    assert pa.table(batch.data).to_pydict() == {
        "uprn": [990000000001, 990000000001, 990000000002, None, None, None],
        "rent_arrears": [250.75, 0.0, None, 40.0, None, 5.0],
        "notice_served": [True, False, False, False, False, None],
        "tenancy_start": [
            datetime.date(2019, 5, 1),
            datetime.date(2021, 1, 1),
            datetime.date(2026, 1, 1),
            datetime.date(2020, 3, 1),
            None,
            None,
        ],
    }
    assert list(batch.rows) == [2, 3, 5, 6, 7, 8]


def test_every_row_is_accounted_for(read_source):
    found = read_source(HarbourRents, OPTIONS)
    assert found.left_out == [("tenancy has ended", 1)]
    assert sorted((entry.row, entry.field) for entry in found.rejections) == [
        (5, "balance"),
        (6, "uprn"),
        (8, "tenancy_ref"),
    ]
    (batch,) = found.batches
    assert {name: sorted(at) for name, at in batch.unread.items()} == {
        "uprn": [3, 5],
        "rent_arrears": [2],
    }


def test_batches_hold_the_same_records(read_source):
    whole = pa.table(read_source(HarbourRents, OPTIONS).batches[0].data)
    found = read_source(HarbourRents, {**OPTIONS, "batch_rows": 2})
    assert len(found.batches) > 1
    parts = pa.concat_tables([pa.table(batch.data) for batch in found.batches])
    assert parts.equals(whole)
    assert len(found.rejections) == 3
    assert sum(number for _, number in found.left_out) == 1


def test_a_field_that_is_not_asked_for_is_not_handed_on(read_source):
    found = read_source(HarbourRents, OPTIONS, fields=["notice_served"])
    assert pa.table(found.batches[0].data).column_names == ["uprn", "notice_served"]
    assert "balance" not in {entry.field for entry in found.rejections}


@pytest.mark.parametrize("balance", ["nan", "inf", "1,5", "5 GBP", "-1e400"])
def test_what_is_no_amount_is_not_read_as_one(read_source, export, balance):
    (export / "accounts.csv").write_text(f'tenancy_ref,balance\nT1,"{balance}"\n')
    found = read_source(HarbourRents, {"base": export.parent, "folder": "export"})
    (batch,) = found.batches
    assert pa.table(batch.data)["rent_arrears"].to_pylist() == [None]
    assert [entry.value for entry in found.rejections] == [balance]


@pytest.mark.parametrize("uprn", ["1.5", "-1", "1e3", "1234567890123"])
def test_what_is_no_uprn_is_not_rounded_to_one(read_source, export, uprn):
    (export / "homes.csv").write_text(f"property_ref,uprn\nP1,{uprn}\n")
    (export / "accounts.csv").write_text("tenancy_ref,balance\nT1,-1\n")
    found = read_source(HarbourRents, {"base": export.parent, "folder": "export"})
    assert pa.table(found.batches[0].data)["uprn"].to_pylist() == [None]
    assert [entry.field for entry in found.rejections] == ["uprn"]


@pytest.mark.parametrize("file", ["accounts.csv", "homes.csv", "tenancies.parquet"])
def test_a_file_that_is_missing_or_garbage_is_named(read_source, export, file):
    options = {"base": export.parent, "folder": "export"}
    (export / file).write_bytes(b"\x00\xff garbage")
    with pytest.raises(PluginError) as caught:
        read_source(HarbourRents, options)
    assert file in caught.value.where
    (export / file).unlink()
    with pytest.raises(PluginError, match=f"{file}: is not there"):
        read_source(HarbourRents, options)


def test_a_renamed_column_is_named(read_source, export):
    accounts = export / "accounts.csv"
    accounts.write_text(accounts.read_text().replace("balance", "amount"))
    with pytest.raises(PluginError, match="has no column 'balance'"):
        read_source(HarbourRents, {"base": export.parent, "folder": "export"})
