"""The conformance checks pass what is right and name what is wrong."""

import dataclasses
import datetime
import itertools

import numpy as np
import polars as pl
import pytest

from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    Evidence,
    Field,
    FieldType,
    Identifier,
    Input,
    RecordLevel,
    Records,
    Rejection,
    RiskFactor,
    Schema,
    parameter,
)
from folkmoot_sdk.conformance import ConformanceError, check_factor, check_source
from folkmoot_sdk.loading import load


@dataclasses.dataclass(frozen=True)
class Scale:
    full: float = parameter(default=100.0, minimum=1, description="Arrears that score 1.")


class Sound(RiskFactor):
    name = "sound"
    title = description = "Arrears"
    domain = "finance"
    evidence = (Evidence("Somebody"),)
    inputs = (
        Input("arrears", FieldType.NUMBER),
        Input("tenure", FieldType.CATEGORY, codes=("own", "rent"), required=False),
        Input("since", FieldType.DATE, required=False),
        Input("claims", FieldType.BOOLEAN, required=False),
    )
    Parameters = Scale

    def score(self, inputs, context):
        return np.clip(inputs["arrears"] / self.parameters.full, 0, 1)

    def explain(self, values, score, context):
        if values["arrears"] is None:
            return "Arrears are not known."
        return f"Owes {values['arrears']:.2f}."


@pytest.mark.parametrize("factor", [Sound, *load().factors.values()])
def test_sound_factors_conform(factor):
    check_factor(factor)


def _writes(self, inputs, context):
    inputs["arrears"][:] = 0
    return np.zeros(len(inputs["arrears"]))


def _keeps(self, inputs, context):
    self.last = inputs["arrears"]
    return Sound.score(self, inputs, context)


def _by_rank(self, inputs, context):
    return Sound.score(self, inputs, context) / max(1, len(inputs["arrears"]) / 100)


_CALLS = itertools.count()


def _drifts(self, inputs, context):
    return np.clip(Sound.score(self, inputs, context) * 0.5 + next(_CALLS) * 1e-9, 0, 1)


def _needs_optional(self, inputs, context):
    return np.where(inputs["claims"] == 1, Sound.score(self, inputs, context), np.nan)


def _raises(self, inputs, context):
    raise KeyError("rent")


def _divides(self, inputs, context):
    return np.clip(inputs["arrears"] / np.zeros(len(inputs["arrears"])), 0, 1)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"score": lambda s, i, c: np.clip(i["arrears"], 0, 2)}, "is not from 0 to 1"),
        ({"score": lambda s, i, c: np.nan_to_num(Sound.score(s, i, c))}, "is known; give NaN"),
        ({"score": _writes}, "writes to its inputs"),
        ({"score": _keeps}, "keeps-state"),
        ({"score": _by_rank}, "batch-boundaries"),
        ({"score": _drifts}, "differs from call to call"),
        ({"score": _needs_optional}, "optional-needed"),
        ({"score": _raises}, "asks for 'rent', which `inputs` does not declare"),
        ({"score": _divides}, "warns: divide by zero"),
        ({"score": lambda s, i, c: i["arrears"].astype("float32")}, "float32, not an array of"),
        ({"score": lambda s, i, c: 0.5}, "returns float, not an array"),
        ({"score": lambda s, i, c: np.full((len(i["arrears"]), 1), 0.5)}, "shape (1000, 1)"),
        ({"score": lambda s, i, c: np.full(1, 0.5)}, "returns shape (1,)"),
        ({"explain": lambda s, v, x, c: f"Owes {v['arrears']:.2f}."}, "unknown raises TypeError"),
        ({"explain": lambda s, v, x, c: ""}, "says nothing"),
        ({"explain": lambda s, v, x, c: f"Owes {v['arrears']}"}, "says 'None'"),
        ({"explain": lambda s, v, x, c: f"Owes {v['arrears'] or 0}"}, "of an unknown score"),
        ({"evidence": ()}, "`evidence` is empty"),
        ({"evidence": "text"}, "`evidence` is not a tuple"),
        ({"title": ""}, "`title` is not a text"),
        ({"name": "Sound!"}, "`name` is not an identifier"),
        ({"inputs": ()}, "`inputs` is not a tuple"),
        ({"inputs": (Input("a", FieldType.NUMBER),) * 2}, "names a field twice"),
        ({"inputs": (Input("a", FieldType.CATEGORY),)}, "needs codes"),
        ({"inputs": (Input("a", FieldType.NUMBER, direction="up"),)}, "not `rises` or `falls`"),
        ({"Parameters": dict}, "`Parameters` is not a dataclass"),
        (
            {"Parameters": dataclasses.make_dataclass("P", [("full", float, 1.0)])},
            "`Parameters` is not frozen",
        ),
        (
            {"Parameters": dataclasses.make_dataclass("P", [("full", float, 1.0)], frozen=True)},
            "parameter `full` has no description",
        ),
        (
            {"Parameters": dataclasses.make_dataclass("P", [("full", float)], frozen=True)},
            "cannot be made: parameters.full: is missing",
        ),
        (
            {"Parameters": dataclasses.make_dataclass(
                "P", [("full", float, parameter(default=5.0, maximum=1, description="x"))],
                frozen=True,
            )},
            "out of its own range",
        ),
    ],
)  # fmt: skip
def test_a_fault_of_a_factor_is_named(change, fault):
    wrong = type("Wrong", (Sound,), change)
    with pytest.raises(ConformanceError) as caught:
        check_factor(wrong)
    assert fault in str(caught.value)
    assert caught.value.plugin == "Wrong"
    assert caught.value.faults


def test_returning_an_input_is_a_fault():
    class Echo(Sound):
        inputs = (Input("claims", FieldType.BOOLEAN),)

        def score(self, inputs, context):
            return inputs["claims"]

        def explain(self, values, score, context):
            return "Not known." if values["claims"] is None else "Known."

    with pytest.raises(ConformanceError, match="returns one of its inputs"):
        check_factor(Echo)


def test_parameters_are_taken_as_from_a_policy():
    check_factor(Sound, {"full": 5})
    with pytest.raises(ConformanceError, match="fulll"):
        check_factor(Sound, {"fulll": 5})


def frame():
    return pl.DataFrame(
        {
            "uprn": [1, 2, None],
            "record_date": [None, None, None],
            "owed": [1.0, None, 2.0],
            "on": [True, None, False],
            "rooms": [1, 2, None],
            "tenure": ["own", None, "rent"],
            "since": [None, None, None],
            "lsoa": ["E01000001", None, "E01000002"],
        },
        schema_overrides={"record_date": pl.Date, "since": pl.Date},
    )


TENURES = ("own", "rent")


class SoundSource(DataSource):
    kind = "sound"
    schema = Schema(
        name="sound",
        level=RecordLevel.PERSON,
        fields=(
            Field("owed", FieldType.NUMBER, Combine.SUM, Category.FINANCE),
            Field("on", FieldType.BOOLEAN, Combine.ANY, Category.FINANCE),
            Field("rooms", FieldType.INTEGER, Combine.MAXIMUM, Category.HOUSING),
            Field("tenure", FieldType.CATEGORY, Combine.FIRST, Category.HOUSING, codes=TENURES),
            Field("since", FieldType.DATE, Combine.MAXIMUM, Category.HOUSING),
            Field("lsoa", FieldType.AREA, Combine.FIRST, Category.GEOGRAPHY),
            Field("people", FieldType.INTEGER, Combine.COUNT_DISTINCT, Category.DEMOGRAPHY),
        ),
        has_date=True,
    )  # fmt: skip

    def data(self, context):
        keys = ["uprn", "record_date"]
        data = frame().with_columns(people=pl.Series(["a", "b", None]))
        return data.select(*keys, *context.fields)

    def read(self, context):
        context.reject([Rejection("file", 7, "owed", "is negative")])
        context.leave_out("closed account", 3)
        yield Records(self.data(context), "file")


@pytest.mark.parametrize("tenure", [pl.String, pl.Categorical, pl.Enum(["own", "rent"])])
def test_a_sound_source_conforms(tenure):
    class Typed(SoundSource):
        def data(self, context):
            data = super().data(context)
            return data.cast({"tenure": tenure}) if "tenure" in data.columns else data

    check_source(Typed, {})


class IdentifyingSource(SoundSource):
    schema = dataclasses.replace(
        SoundSource.schema, identifiers=(Identifier.ADDRESS, Identifier.DATE_OF_BIRTH)
    )
    held = pl.DataFrame(
        {
            Identifier.ADDRESS.column: ["1 High Street", None, "2 High Street"],
            Identifier.DATE_OF_BIRTH.column: [datetime.date(1960, 1, 2), None, None],
        }
    )

    def data(self, context):
        asked = [entry.column for entry in context.identifiers]
        return super().data(context).hstack(self.held.select(asked))


def test_a_source_with_identifiers_conforms():
    check_source(IdentifyingSource, {})


def everything(self, context):
    return SoundSource.data(self, context).hstack(self.held)


def nothing(self, context):
    return SoundSource.data(self, context)


def as_text(self, context):
    made = IdentifyingSource.data(self, context)
    return made.cast({pl.Date: pl.String})


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (everything, "'identifier_address', which was not asked for"),
        (nothing, "yields no column 'identifier_address'"),
        (as_text, "column 'record_date'"),
        (
            lambda self, context: IdentifyingSource.data(self, context).with_columns(
                pl.col("^identifier_date.*$").cast(pl.String)
            ),
            "'identifier_date_of_birth' as string view; it is to be date32",
        ),
    ],
)
def test_identifiers_are_yielded_as_asked_for(data, fault):
    wrong = type("Wrong", (IdentifyingSource,), {"data": data})
    with pytest.raises(ConformanceError) as caught:
        check_source(wrong, {})
    assert fault in str(caught.value)


class _Changing(SoundSource):
    calls = itertools.count()

    @property
    def schema(self):
        return dataclasses.replace(SoundSource.schema, version=str(next(self.calls)))


class _Growing(SoundSource):
    calls = itertools.count()

    def read(self, context):
        for _ in range(next(self.calls)):
            yield Records(self.data(context), "file")


def reading(function):
    return {"read": function}


def with_data(function):
    return {"data": lambda self, context: function(SoundSource.data(self, context))}


def cast(**types):
    return with_data(
        lambda data: data.cast({name: t for name, t in types.items() if name in data.columns})
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (with_data(lambda data: data.drop("uprn")), "yields no column 'uprn'"),
        (
            with_data(lambda data: data.with_columns(person=pl.lit("a"))),
            "'person', which was not asked",
        ),
        (with_data(lambda data: data.drop("record_date")), "yields no column 'record_date'"),
        (with_data(lambda data: data.drop("owed", strict=False)), "yields no column 'owed'"),
        (
            with_data(lambda data: data.with_columns(nhs_number=1)),
            "'nhs_number', which was not asked",
        ),
        ({"data": lambda self, context: frame()}, "which was not asked for"),
        (cast(uprn=pl.String), "column 'uprn' as string view"),
        (cast(record_date=pl.Datetime), "column 'record_date'"),
        (cast(owed=pl.Float32), "column 'owed' as float32; declared is number"),
        (cast(on=pl.Int8), "column 'on' as int8; declared is boolean"),
        (cast(rooms=pl.Float64), "column 'rooms' as float64; declared is integer"),
        (cast(since=pl.Datetime), "column 'since'"),
        (with_data(lambda data: data.to_dicts()), "list has no __arrow_c_stream__"),
        (with_data(lambda data: data["uprn"]), "holds no records"),
        (reading(lambda self, context: iter([frame()])), "yields DataFrame, not"),
        (
            reading(lambda self, context: iter([Records(self.data(context), "")])),
            "without an origin",
        ),
        (
            reading(lambda self, context: iter([Records(self.data(context), "file", rows=[1])])),
            "yields 3 records and 1 row numbers",
        ),
        (
            reading(lambda self, context: context.reject([("file", 1)]) or iter(())),
            "hands tuple to `reject`",
        ),
        (
            reading(lambda self, context: context.reject([Rejection("", 1, "", "x")]) or iter(())),
            "without file or reason",
        ),
        (
            reading(lambda self, context: context.leave_out("", 1) or iter(())),
            "leaves records out without a reason",
        ),
        (
            reading(lambda self, context: context.leave_out("closed", -1) or iter(())),
            "leaves out -1 records",
        ),
        (reading(lambda self, context: 1 / 0), "raises ZeroDivisionError"),
        ({"schema": "text"}, "`schema` is str"),
        ({"kind": "Not Good"}, "`kind` is not an identifier"),
    ],
)
def test_a_fault_of_a_source_is_named(change, fault):
    wrong = type("Wrong", (SoundSource,), change)
    with pytest.raises(ConformanceError) as caught:
        check_source(wrong, {})
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("source", "fault"),
    [(_Changing, "`schema` differs"), (_Growing, "reading again gives 9 records, not 0")],
)
def test_a_source_that_changes_is_a_fault(source, fault):
    with pytest.raises(ConformanceError, match=fault):
        check_source(source, {})


class _Spoiled(SoundSource):
    """Has a record of which one amount cannot be read, and keeps it."""

    def read(self, context):
        data = self.data(context)
        if "owed" not in data.columns:
            yield Records(data, "file", 2)
            return
        context.reject([Rejection("file", 3, "owed", "x is not a number", "x")])
        yield self.spoiled(data)

    def spoiled(self, data):
        cleared = data.with_columns(owed=pl.Series([1.0, None, 3.0]))
        return Records(cleared, "file", 2, unread={"owed": [1]})


def test_a_source_that_keeps_what_it_read_in_part_conforms():
    check_source(_Spoiled, {})


@pytest.mark.parametrize(
    ("spoiled", "fault"),
    [
        (
            lambda self, data: Records(data[[0, 2]], "file", 2, [2, 4]),
            "leaves out 1 records of which a field could not be read, such as row 3 of file",
        ),
        (
            lambda self, data: Records(data, "file", 2, unread={"amount": [1]}),
            "could not read 'amount', which is no column",
        ),
        (
            lambda self, data: Records(data, "file", 2, unread={"owed": [3]}),
            "that have no place in the batch",
        ),
    ],
)
def test_a_record_that_is_read_in_part_is_to_be_kept(spoiled, fault):
    with pytest.raises(ConformanceError) as caught:
        check_source(type("Wrong", (_Spoiled,), {"spoiled": spoiled}), {})
    assert fault in str(caught.value)


def test_what_is_unread_is_told():
    def read(self, context):
        yield Records(self.data(context), "file", unread={"uprn": [0]})

    with pytest.raises(ConformanceError, match="hands none of them to `reject`"):
        check_source(type("Wrong", (SoundSource,), {"read": read}), {})


def test_wrong_options_are_named():
    with pytest.raises(ConformanceError, match=r"options\.fodler: is an unknown key"):
        check_source(SoundSource, {"fodler": "x"})
