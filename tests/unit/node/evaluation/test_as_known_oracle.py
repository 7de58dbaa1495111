"""What a back-test scores on a date is what a run of that day would have scored.

The same records are cut at the date by hand, and scored as any run does.
"""

from __future__ import annotations

import datetime

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.sources.known_on import KnownOn
from tests.unit.node.conftest import TODAY, tax_rows

ON = datetime.date(2026, 3, 31)
DAYS = st.dates(ON - datetime.timedelta(40), ON + datetime.timedelta(40))
RECORDS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 4, None]),
        DAYS | st.none(),
        st.none() | st.integers(0, 3000).map(float),
        st.sampled_from(["owned", "rented", None]),
    ),
    min_size=1,
    max_size=12,
)


def rows(records):
    return tax_rows(
        [uprn for uprn, *_ in records],
        [arrears for _, _, arrears, _ in records],
        [tenure for *_, tenure in records],
        ["E01000001"] * len(records),
        [day for _, day, *_ in records],
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(records=RECORDS)
def test_records_of_later_dates_leave_no_trace(node, records):
    records = [*records, (9, ON, 0.0, "owned")]  # a household for certain
    node.write_policy()
    known = [one for one in records if one[1] is not None and one[1] <= ON]
    found = []
    for batch, as_known in (
        (rows(known), None),
        (rows(records), KnownOn(on=ON, today=TODAY, undated=("people",))),
    ):
        node.tax.batches = [batch]
        score(
            node.config,
            node.plugins,
            node.policy,
            today=TODAY,
            reference_date=ON,
            judged=Judged(stops=False),
            known=as_known,
        )
        found.append(node.rows())
    assert found[0].equals(found[1])
    assert isinstance(found[0], pl.DataFrame)
