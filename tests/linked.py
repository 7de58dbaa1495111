"""Linkage of one table in one call, as tests and benchmarks ask for it."""

from __future__ import annotations

import polars as pl

from folkmoot_node.linkage import addresses, people
from folkmoot_node.settings.linkage import AddressSettings
from folkmoot_node.settings.people import PersonRules


def link_addresses(
    records: pl.DataFrame,
    gazetteer: pl.DataFrame,
    thresholds: AddressSettings | None = None,
    *,
    threads: int = 1,
) -> addresses.AddressLinks:
    """Finds the homes of records by their addresses.

    Args:
        records: `record` (int64, distinct), `address` and `postcode` (text, may be null).
        gazetteer: `uprn` (int64, distinct), `address` and `postcode`.
        thresholds: When a candidate is taken.
        threads: Threads of the database.
    """
    with addresses.prepared(gazetteer, threads=threads) as ready:
        return ready.link(records, thresholds or AddressSettings())


def link_people(
    records: pl.DataFrame,
    known: pl.DataFrame,
    rules: PersonRules,
    reviewed: people.Reviewed | None = None,
) -> people.PersonLinks:
    """Finds whom each record is about, and that person's households.

    Args:
        records: As `PreparedPeople.link` takes them.
        known: As `prepared_people` takes them.
        rules: Thresholds, and what holds for several households.
        reviewed: What people decided.
    """
    with people.prepared_people(known, rules) as ready:
        return ready.link(records, reviewed or people.Reviewed())
