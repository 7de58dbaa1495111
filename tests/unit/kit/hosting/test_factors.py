"""A confined factor is used like any other, and says what the plugin says."""

import datetime
import inspect
import threading

import numpy as np
import pytest

from folkmoot_kit.hosting import (
    ConfinedFactor,
    PluginFailure,
    fresh_copies,
    make_factor,
    thousandths_together,
)
from folkmoot_sdk import Evidence, FieldType, Input, PluginError, RiskFactor, ScoringContext
from folkmoot_sdk.parameters import describe

CONTEXT = ScoringContext(datetime.date(2026, 4, 1))
DEBTS = np.array([0.0, 12.3456, 250.0, np.nan])

WITH_PARAMETERS = """
@dataclass(frozen=True)
class Parameters:
    full: float = parameter(default=100.0, minimum=1.0, unit="GBP", description="Full score.")
    since: datetime.date = parameter(default=datetime.date(2020, 1, 1))
    names: tuple[str, ...] = parameter(default=("a", "b"))
    steps: dict[str, float] = parameter(default_factory=lambda: {"x": 1.0})
    in_: bool = parameter(default=False, name="in")

    def __post_init__(self):
        if self.full == 13:
            raise ValueError("13 is no good")

Factor.Parameters = Parameters
Factor.explain = lambda self, values, score, context: repr((self.parameters, values, score))
"""
EVERY_INPUT = """
Factor.inputs = (
    Input("flag", FieldType.BOOLEAN),
    Input("count", FieldType.INTEGER),
    Input("debt", FieldType.NUMBER, unit="GBP"),
    Input("band", FieldType.CATEGORY, codes=("A", "B")),
    Input("since", FieldType.DATE, required=False),
)
Factor.evidence = (Evidence("Somebody (2020), Something", "https://example.org", "It matters."),)

def score(self, inputs, context):
    for array in inputs.values():
        assert not array.flags.writeable
    kinds = [inputs[entry.name].dtype.str for entry in self.inputs]
    assert kinds == ["<f8", "<f8", "<f8", "<i2", "<M8[D]"], kinds
    days = (context.today - inputs["since"]).astype(float)
    days[np.isnat(inputs["since"])] = 0
    return np.clip((inputs["flag"] + inputs["count"] + inputs["band"] + days) / 1000, 0, 1)

Factor.score = score
Factor.explain = lambda self, values, score, context: repr((values, score, context))
"""


def test_it_is_a_risk_factor_with_the_plugins_declarations(opened, factor_text):
    plugins = opened(factor_text, EVERY_INPUT)
    factor = plugins.factors["debt"]
    assert issubclass(factor, RiskFactor)
    assert not inspect.isabstract(factor)
    assert (factor.name, factor.title, factor.domain) == ("debt", "Debt", "finance")
    assert factor.description == "Scores debt."
    assert factor.evidence == (
        Evidence("Somebody (2020), Something", "https://example.org", "It matters."),
    )
    assert factor.inputs[3:] == (
        Input("band", FieldType.CATEGORY, codes=("A", "B")),
        Input("since", FieldType.DATE, required=False),
    )
    origin = plugins.factor_origins["debt"]
    assert str(origin) == "folkmoot-plugin-made-up 1.2.3 (folkmoot_plugin_made_up)"
    assert plugins.broken == ()


def test_scores_are_whole_thousandths_and_unknown_stays_unknown(opened, factor_text):
    factor = make_factor(opened(factor_text).factors["debt"], {}, "policy.toml")
    scores = factor.score({"debt": DEBTS}, CONTEXT)
    assert scores.dtype == np.float64
    assert np.array_equal(scores, [0, 0.123, 1, np.nan], equal_nan=True)


def test_inputs_of_every_type_arrive_as_the_sdk_says(opened, factor_text):
    factor = make_factor(opened(factor_text, EVERY_INPUT).factors["debt"], {}, "policy.toml")
    inputs = {
        "flag": np.array([1.0, 0.0]),
        "count": np.array([3.0, 5.0]),
        "debt": np.array([1.0, np.nan]),
        "band": np.array([1, 0], np.int16),
        "since": np.array(["2026-03-22", "NaT"], "datetime64[D]"),
    }
    assert factor.score(inputs, CONTEXT).tolist() == [0.015, 0.005]


def test_no_households_have_no_scores(opened, factor_text):
    factor = make_factor(opened(factor_text).factors["debt"], {}, "policy.toml")
    assert factor.score({"debt": np.empty(0)}, CONTEXT).shape == (0,)


def test_values_of_a_household_arrive_as_they_are(opened, factor_text):
    factor = make_factor(opened(factor_text, EVERY_INPUT).factors["debt"], {}, "policy.toml")
    values = {
        "flag": True, "count": 3, "debt": 0.1, "band": "A", "since": datetime.date(2020, 1, 2),
        "not_declared": "secret",
    }  # fmt: skip
    told = {name: value for name, value in values.items() if name != "not_declared"}
    assert factor.explain(values, 0.25, CONTEXT) == repr((told, 0.25, CONTEXT))
    unknown = dict.fromkeys(told)
    assert factor.explain(unknown, float("nan"), CONTEXT) == repr((unknown, float("nan"), CONTEXT))


@pytest.mark.parametrize("given", [{}, {"full": 50}, {"in": True, "names": ["c"], "full": 2.5},
    {"since": datetime.date(2024, 2, 29), "steps": {"y": 2}}])  # fmt: skip
def test_the_plugin_builds_its_own_parameters(opened, factor_text, given):
    factor = make_factor(opened(factor_text, WITH_PARAMETERS).factors["debt"], given, "policy")
    said = factor.explain({}, 1.0, CONTEXT)
    full = float(given.get("full", 100.0))
    assert f"full={full!r}" in said
    assert f"in_={given.get('in', False)}" in said
    assert f"since={given.get('since', datetime.date(2020, 1, 1))!r}" in said
    assert f"names={tuple(given.get('names', ('a', 'b')))!r}" in said
    assert f"steps={ {key: float(v) for key, v in given.get('steps', {'x': 1.0}).items()} }" in said


def test_it_can_be_made_as_the_sdk_makes_a_factor(opened, factor_text):
    from folkmoot_sdk.parameters import build

    kind = opened(factor_text, WITH_PARAMETERS).factors["debt"]
    factor = kind(build(kind.Parameters, {"full": 7, "names": ["z"]}, "policy"))
    assert "full=7.0" in factor.explain({}, 1.0, CONTEXT)
    assert "names=('z',)" in factor.explain({}, 1.0, CONTEXT)
    assert "in_=False" in factor.explain({}, 1.0, CONTEXT)


def test_parameters_are_described_as_the_plugin_describes_them(opened, factor_text):
    found = describe(opened(factor_text, WITH_PARAMETERS).factors["debt"].Parameters)
    assert [(entry.key, entry.type, entry.default) for entry in found] == [
        ("full", "a number", 100.0),
        ("since", "a date (2026-04-01)", datetime.date(2020, 1, 1)),
        ("names", "a list, each entry a text", ("a", "b")),
        ("steps", "a table, each value a number", {"x": 1.0}),
        ("in", "true or false", False),
    ]
    assert (found[0].minimum, found[0].unit, found[0].description) == (1.0, "GBP", "Full score.")


@pytest.mark.parametrize(
    ("given", "where", "problem", "remedy"),
    [
        ({"ful": 1}, "policy.toml: f.ful", "is an unknown key", "Did you mean 'full'?"),
        ({"full": 0.5}, "policy.toml: f.full", "0.5 is out of range", "Give 1.0 or more"),
        ({"full": "x"}, "policy.toml: f.full", "is a text", "Give a number"),
        ({"steps": {"y": "x"}}, "policy.toml: f.steps.y", "is a text", "Give a number"),
        ({"names": [1]}, "policy.toml: f.names[0]", "is a whole number", "Give a text"),
        ({"full": 13}, "policy.toml: f", "13 is no good", "Correct the values"),
    ],
)
def test_refused_parameters_are_named_where_they_stand(
    opened, factor_text, given, where, problem, remedy
):
    kind = opened(factor_text, WITH_PARAMETERS).factors["debt"]
    with pytest.raises(PluginError) as refused:
        make_factor(kind, given, "policy.toml: f")
    assert (refused.value.where, refused.value.problem) == (where, problem)
    assert refused.value.remedy.startswith(remedy)


def test_the_process_is_not_told_where_its_values_stand(opened, factor_text):
    more = """
    def __init__(self, parameters):
        frames, frame = [], sys._getframe()
        while frame:
            frames.append(repr(frame.f_locals))
            frame = frame.f_back
        self.seen = "/var/lib/folkmoot" in "".join(frames)
        super(Factor, self).__init__(parameters)
    Factor.__init__ = __init__
    Factor.explain = lambda self, values, score, context: str(self.seen)
    """
    kind = opened(factor_text, more).factors["debt"]
    factor = make_factor(kind, {}, "/var/lib/folkmoot/policy.toml")
    assert factor.explain({}, 1.0, CONTEXT) == "False"


class Local(RiskFactor):
    name = title = description = domain = "local"
    inputs = (Input("debt", FieldType.NUMBER),)

    def score(self, inputs, context):
        return np.clip(inputs["debt"] / 1000, 0, 1)

    def explain(self, values, score, context):
        return "x"


def test_factors_of_one_process_and_of_others_are_scored_together(opened, factor_text):
    kind = opened(factor_text).factors["debt"]
    one, other = make_factor(kind, {}, "p"), make_factor(kind, {}, "p")
    shared = {"debt": DEBTS}
    inputs = [shared, shared, {"debt": DEBTS[::-1] * 2}]
    with fresh_copies([one]) as copies:
        scores = thousandths_together([one, *copies, other], inputs, CONTEXT)
    assert np.array_equal(scores[0], [0, 123, 1000, np.nan], equal_nan=True)
    assert np.array_equal(scores[1], [0, 123, 1000, np.nan], equal_nan=True)
    assert np.array_equal(scores[2], [np.nan, 1000, 247, 0], equal_nan=True)


def test_a_longer_chunk_after_a_shorter_one_is_scored_alike(opened, factor_text):
    factor = make_factor(opened(factor_text).factors["debt"], {}, "p")
    for count in (2, 3, 3, 1):
        debts = np.arange(count) * 25.0
        assert factor.score({"debt": debts}, CONTEXT).tolist() == (debts / 100).tolist()


def test_nothing_to_score_is_scored():
    assert thousandths_together([], [], CONTEXT) == []


def test_several_threads_may_score_at_once(opened, factor_text):
    more = """
    barrier = threading.Barrier(3)
    def score(self, inputs, context):
        barrier.wait()
        return np.clip(inputs["debt"], 0, 1)
    Factor.score = score
    """
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    found = {}

    def run(value):
        found[value] = factor.score({"debt": np.full(1000, value)}, CONTEXT)

    threads = [threading.Thread(target=run, args=(value,)) for value in (0.1, 0.2, 0.3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {value: set(scores.tolist()) for value, scores in found.items()} == {
        0.1: {0.1}, 0.2: {0.2}, 0.3: {0.3}
    }  # fmt: skip


def test_fresh_copies_are_in_processes_of_their_own_and_keep_their_parameters(opened, factor_text):
    more = (
        WITH_PARAMETERS
        + """
calls = []
def score(self, inputs, context):
    calls.append(1)
    return np.full(len(inputs["debt"]), min(1, self.parameters.full / 1000) / len(calls))
Factor.score = score
"""
    )
    kind = opened(factor_text, more).factors["debt"]
    factors = [make_factor(kind, {"full": 200}, "p"), Local(None), make_factor(kind, {}, "p")]
    first = factors[0].score({"debt": DEBTS}, CONTEXT)
    assert first.tolist() == [0.2] * 4
    with fresh_copies(factors) as copies:
        assert copies[1] is factors[1]
        assert copies[0].process is copies[2].process
        assert copies[0].process.pid != factors[0].process.pid
        assert copies[0].score({"debt": DEBTS}, CONTEXT).tolist() == [0.2] * 4
        assert copies[2].score({"debt": DEBTS}, CONTEXT).tolist() == [0.05] * 4
        process = copies[0].process
    assert factors[0].score({"debt": DEBTS}, CONTEXT).tolist() == [0.1] * 4
    with pytest.raises(PluginFailure, match="was closed"):
        ConfinedFactor.explain(copies[0], {}, 0.5, CONTEXT)
    assert process.pid != factors[0].process.pid


def test_objects_that_are_needed_no_more_are_forgotten(opened, factor_text):
    more = """
    import gc
    alive = []
    def __init__(self, parameters):
        alive.append(1)
        super(Factor, self).__init__(parameters)
    Factor.__init__ = __init__
    Factor.__del__ = lambda self: alive.pop()
    Factor.explain = lambda self, values, score, context: str(len(alive))
    """
    kind = opened(factor_text, more).factors["debt"]
    kept = make_factor(kind, {}, "p")
    for _ in range(5):
        make_factor(kind, {}, "p")
    kept.explain({}, 1.0, CONTEXT)
    assert kept.explain({}, 1.0, CONTEXT) == "1"


def test_more_columns_than_the_shared_memory_holds_cross_all_the_same(opened, factor_text):
    from folkmoot_kit.hosting.shared_inputs import PLACE_BYTES

    factor = make_factor(opened(factor_text).factors["debt"], {}, "p")
    count = PLACE_BYTES // 8 + 1
    debts = np.full(count, 25.0)
    debts[-1] = 75
    scores = factor.score({"debt": debts}, CONTEXT)
    assert (scores.shape, scores[0], scores[-1]) == ((count,), 0.25, 0.75)


def test_more_calls_at_once_than_the_shared_memory_holds_are_answered(opened, factor_text):
    from folkmoot_kit.hosting.shared_inputs import PLACES

    more = f"""
    barrier = threading.Barrier({PLACES + 2})
    def score(self, inputs, context):
        barrier.wait()
        return inputs["debt"] / 100
    Factor.score = score
    """
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    found = {}

    def run(value):
        for _ in range(3):
            scores = factor.score({"debt": np.full(10_000, float(value))}, CONTEXT)
            found.setdefault(value, set()).update(scores.tolist())

    threads = [threading.Thread(target=run, args=(value,)) for value in range(PLACES + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {value: {value / 100} for value in range(PLACES + 2)}


def test_a_factor_cannot_write_to_the_memory_of_its_inputs(opened, factor_text):
    more = """
    import ctypes
    def score(self, inputs, context):
        debts = inputs["debt"]
        page = debts.ctypes.data & ~4095
        libc = ctypes.CDLL(None, use_errno=True)
        refused = libc.mprotect(ctypes.c_void_p(page), 4096, 3), ctypes.get_errno()
        try:
            debts[0] = 1
        except ValueError:
            if refused == (-1, 13):
                return np.ones(len(debts))
        return np.zeros(len(debts))
    Factor.score = score
    """
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    assert factor.score({"debt": DEBTS}, CONTEXT).tolist() == [1, 1, 1, 1]
