"""Why values are malformed: said for every row, found out once for every text."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_plugin_extracts.elapsed import Elapsed
from tests.unit.extracts.test_source import PEOPLE


def test_a_text_of_many_rows_is_judged_once_and_rejected_in_each(folder, monkeypatch):
    asked: list[str] = []
    original = Elapsed.faults

    def counted(reader: Elapsed, texts: Sequence[str]) -> Sequence[str]:
        asked.extend(texts)
        return original(reader, texts)

    monkeypatch.setattr(Elapsed, "faults", counted)
    folder.mapping(PEOPLE)
    days = ("2026-04-02", "2026-04-03")  # after the day of the run
    folder.csv(
        *(f"{at},{at},01/04/1950,{days[at % 2]},7" for at in range(1, 401)),
        name="people.csv",
        header="UPRN,Ref,Born,Seen,Band",
    )
    folder.read("days_known")
    assert len(folder.rejected) == 400
    assert sorted(asked) == sorted(days)
    said = {(one.value, one.reason) for one in folder.rejected}
    assert {value for value, _ in said} == set(days)
    assert len(said) == 2
    assert "gives -1, which is below" in next(reason for value, reason in said if value == days[0])
