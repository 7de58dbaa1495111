"""The fixtures that vendors get, used as a vendor's tests use them: by pytest itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot_sdk import pytest_plugin

README = (Path(__file__).parents[3] / "plugins" / "sdk" / "README.md").read_text("utf-8")
FACTOR = """
import numpy as np
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor


class Debt(RiskFactor):
    name = "debt"
    title = "Debt"
    description = "Debt of 100 pounds scores 1, of a home that is rented."
    domain = "finance"
    evidence = (Evidence("Nobody, nothing, 2026"),)
    inputs = (
        Input("debt", FieldType.NUMBER, unit="GBP"),
        Input("tenure", FieldType.CATEGORY, codes=("owned", "rented")),
    )

    def score(self, inputs, context):
        rented = np.where(inputs["tenure"] < 0, np.nan, inputs["tenure"])
        return np.clip(inputs["debt"] / 100, 0, 1) * rented

    def explain(self, values, score, context):
        if values["debt"] is None or values["tenure"] is None:
            return "Not known."
        return f"Owes {values['debt']} pounds, home {values['tenure']}."
"""
SOURCE = """
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from folkmoot_sdk import (
    Category, Combine, DataSource, Field, FieldType, RecordLevel, Records, Rejection, Schema,
    SourceOptions, parameter,
)


@dataclass(frozen=True)
class Options(SourceOptions):
    file: Path = parameter(description="The file.")


class Ages(DataSource):
    kind = "ages"
    Options = Options
    schema = Schema(
        "ages", RecordLevel.PERSON,
        (Field("age", FieldType.INTEGER, Combine.MAXIMUM, Category.DEMOGRAPHY),),
    )

    def read(self, context):
        frame = pl.read_csv(self.options.base / self.options.file)
        context.note("ages.csv is the only file")
        context.leave_out("moved away", 2)
        columns = ["uprn", *context.fields]
        yield Records(frame.select(columns), "ages.csv")
"""


@pytest.fixture
def vendor(pytester, monkeypatch):
    """A folder of a vendor's tests; runs them in a process, and wants so many to pass."""
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\nfilterwarnings = error\n")
    pytester.makepyfile(debt=FACTOR, ages=SOURCE)

    def run(tests, **outcomes):
        pytester.makepyfile(test_vendor=tests)
        done = pytester.runpytest_subprocess()
        done.assert_outcomes(**outcomes)
        return done

    return run


pytest_plugins = ["pytester"]


def test_fixtures_of_factors(vendor):
    vendor(
        """
        import numpy as np
        import pytest
        from debt import Debt

        @pytest.fixture
        def factor():
            return Debt(Debt.Parameters())

        def test_conforms(check_factor):
            check_factor(Debt)

        def test_households(factor, households, scoring_context):
            drawn = households(Debt, count=500)
            assert drawn["debt"].shape == (500,)
            assert 0 < np.isnan(drawn["debt"]).mean() < 0.5
            assert not np.isnan(households(Debt.inputs, unknown=0)["debt"]).any()
            assert not drawn["debt"].flags.writeable
            assert str(scoring_context.reference_date) == "2026-04-01"

        def test_batches(factor, households, batches, scoring_context):
            drawn = households(Debt, count=333)
            parts = list(batches(drawn))
            assert [len(part["debt"]) for part in parts] == [0, 1, 100, 100, 100, 32]
            scores = [factor.score(part, scoring_context) for part in parts]
            whole = factor.score(drawn, scoring_context)
            np.testing.assert_array_equal(np.concatenate(scores), whole)

        @pytest.mark.parametrize("count", [0, 1, 2, 101])
        def test_batches_of_few(count, households, batches):
            drawn = households(Debt, count=count)
            joined = np.concatenate([part["debt"] for part in batches(drawn)])
            np.testing.assert_array_equal(joined, drawn["debt"])

        def test_missing_values(factor, missing_values, scoring_context):
            told = {what: factor.score(values, scoring_context)
                    for what, values in missing_values(Debt)}
            assert list(told) == [
                "everything is missing", "debt is missing", "tenure is missing",
                "everything but debt is missing", "everything but tenure is missing",
            ]
            assert all(np.isnan(scores).all() for scores in told.values())
        """,
        passed=8,
    )


def test_fixtures_of_sources(vendor):
    vendor(
        """
        import csv
        import datetime

        import polars as pl
        import pytest
        from ages import Ages

        @pytest.fixture
        def options(tmp_path, people):
            today = datetime.date(2026, 4, 1)
            with (tmp_path / "ages.csv").open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["uprn", "age"])
                for person in people(60):
                    rows.writerow([person.uprn, (today - person.date_of_birth).days // 365])
            return {"base": tmp_path, "file": "ages.csv"}

        def test_conforms(check_source, options):
            check_source(Ages, options)

        def test_reads(read_source, options):
            found = read_source(Ages, options)
            (batch,) = found.batches
            assert pl.DataFrame(batch.data).shape == (60, 2)
            assert (found.rejections, found.left_out) == ([], [("moved away", 2)])
            assert found.notes == ["ages.csv is the only file"]
            (batch,) = read_source(Ages, options, fields=[]).batches
            assert pl.DataFrame(batch.data).columns == ["uprn"]
        """,
        passed=2,
    )


def test_a_fault_fails_the_test_and_names_it(vendor):
    done = vendor(
        """
        from debt import Debt

        class Wrong(Debt):
            def score(self, inputs, context):
                return 2 * super().score(inputs, context)

        def test_conforms(check_factor):
            check_factor(Wrong)
        """,
        failed=1,
    )
    done.stdout.fnmatch_lines(["*Wrong does not conform*", "*not from 0 to 1*"])


def test_every_fixture_is_in_the_readme():
    fixtures = {
        name
        for name, value in vars(pytest_plugin).items()
        if type(value).__name__ == "FixtureFunctionDefinition"
    }
    assert len(fixtures) == 8
    for name in fixtures:
        assert f"| `{name}` |" in README, name


def test_nothing_but_the_plugin_imports_pytest_and_the_plugin_imports_numpy_late():
    code = (
        "import sys, importlib, pkgutil, folkmoot_sdk\n"
        "for module in pkgutil.iter_modules(folkmoot_sdk.__path__):\n"
        "    if module.name not in ('pytest_plugin', '__main__'):\n"
        "        importlib.import_module(f'folkmoot_sdk.{module.name}')\n"
        "assert 'pytest' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
