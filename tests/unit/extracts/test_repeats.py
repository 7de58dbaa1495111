"""Records that stand in a source twice count once."""

import time

import numpy as np
import pytest

from folkmoot_plugin_extracts.repeats import Hashes
from folkmoot_sdk import PluginError

HEADER = "UPRN,Owed,Rooms,Account,Note"
KEYED = 'record_id = "Account"\n'


def test_rows_that_are_the_same_in_every_column_count_once(folder):
    folder.csv("1,5,2,A,x", "1,5,2,A,x", "1,5,2,B,x", "1,5,2,A,y", header=HEADER)
    assert folder.read("owed").height == 3
    assert folder.rows() == [2, 4, 5]
    assert folder.left_out == {"identical to an earlier record": 1}


def test_also_across_files_which_are_named(folder):
    folder.csv("1,5,2,A,x", "2,5,2,B,x", name="accounts_north.csv", header=HEADER)
    folder.csv("1,5,2,A,x", "3,5,2,C,x", name="accounts_south.csv", header=HEADER)
    assert folder.read("owed")["uprn"].to_list() == [1, 2, 3]
    assert folder.left_out == {"identical to an earlier record of accounts_north.csv": 1}


def test_a_mapping_may_say_that_they_are_different_things(folder):
    folder.accounts(top='identical = "all"')
    folder.csv("1,5,2,A,x", "1,5,2,A,x", header=HEADER)
    assert folder.read("owed").height == 2


def test_records_of_one_key_count_once(folder):
    folder.accounts(top=KEYED)
    folder.csv("1,5,2,A,x", "1,5,2, A ,y", "1,5,2,,x", "1,5,2,,y", header=HEADER)
    assert folder.read("owed")["owed"].to_list() == [5, 5, 5]
    assert folder.left_out == {"a record of this Account was read before": 1}


def test_of_records_of_one_key_that_differ_nothing_is_known(folder):
    folder.accounts(top=KEYED)
    folder.csv("1,5,2,A,x", "1,6,2,A,x", "2,7,1,B,x", header=HEADER)
    assert folder.read("owed", "rooms").rows() == [(1, 5, 2), (1, None, None), (2, 7, 1)]
    assert folder.unread() == [(3, "owed"), (3, "rooms")]
    (rejection,) = folder.rejected
    assert (rejection.row, rejection.field) == (3, "Account")
    assert "with other values" in rejection.reason


def test_a_household_makes_nothing_of_another_unknown(folder):
    folder.accounts(top=KEYED)
    folder.csv("1,5,2,A,x", "2,5,2,A,x", "3,9,1,A,x", header=HEADER)
    assert folder.read("owed")["owed"].to_list() == [5, 5, 9]
    assert folder.unread() == []


def test_what_is_not_wanted_may_differ(folder):
    folder.accounts(top=KEYED)
    folder.csv("1,5,2,A,x", "1,5,3,A,x", header=HEADER)
    assert folder.read("owed").height == 1


def test_a_run_may_stop_instead(folder):
    folder.accounts(top=KEYED + 'repeated = "stop"')
    folder.csv("1,5,2,A,x", "1,5,2,A,y", header=HEADER)
    assert folder.read("owed").height == 1
    folder.csv("1,5,2,A,x", "1,6,2,A,x", header=HEADER)
    with pytest.raises(PluginError) as caught:
        folder.read("owed")
    assert caught.value.where == "accounts.csv: row 3"
    assert 'repeated = "once"' in caught.value.remedy


def test_a_key_of_several_columns(folder):
    folder.accounts(top='record_id = ["Account", "Note"]\n')
    folder.csv("1,5,2,A,x", "1,6,2,A,y", "1,5,2,A,x", header=HEADER)
    assert folder.read("owed").height == 2


def test_hashes_are_found_again_however_they_came():
    rng = np.random.default_rng(7)
    # Few first halves: the second decides.
    digests = rng.integers(0, 60, size=(5000, 2)).astype(np.uint64)
    seen, hashes, again, first = {}, Hashes(), [], []
    for begin in range(0, len(digests), 130):
        some = digests[begin : begin + 130]
        found, beside = hashes.add(some, np.arange(begin, begin + len(some), dtype=np.uint32))
        again += found.tolist()
        first += beside.tolist()
    for at, row in enumerate(map(tuple, digests.tolist())):
        assert again[at] == (row in seen)
        assert first[at] == seen.setdefault(row, at)


def test_a_million_records_take_a_few_seconds_and_18_bytes_each():
    rng = np.random.default_rng(7)
    hashes, begun = Hashes(), time.process_time()
    for _ in range(20):
        digests = rng.integers(0, 2**63, size=(50_000, 2)).astype(np.uint64)
        again, _ = hashes.add(digests, np.zeros(50_000, np.uint16))
        assert not again.any()
    assert time.process_time() - begun < 10
    assert hashes.nbytes == 18 * 1_000_000
