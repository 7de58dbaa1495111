"""A process that dies, hangs or floods is named, and is not started again in secret."""

import datetime
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from folkmoot_kit.confinement import Grants, Limits
from folkmoot_kit.hosting import FailureKind, PluginFailure, make_factor, make_source
from folkmoot_kit.hosting.process import FLOOD_BYTES
from folkmoot_sdk import ReadContext, ScoringContext

pytestmark = pytest.mark.slow  # each plugin needs a process that it can ruin

CONTEXT = ScoringContext(datetime.date(2026, 4, 1))
DEBTS = {"debt": np.array([0.0, 50.0, np.nan])}

ENDS = {
    "os._exit(3)": (FailureKind.DIED, "ended by itself (exit code 3)"),
    "os.abort()": (FailureKind.DIED, "was killed by signal 6"),
    "__import__('ctypes').string_at(0)": (FailureKind.DIED, "was killed by signal 11"),
    "os.close(0); os._exit(0)": (FailureKind.DIED, "ended by itself (exit code 0)"),
    "threading.Event().wait()": (FailureKind.HUNG, "no answer within 2 seconds"),
    "list(iter(int, 1))": (FailureKind.MEMORY, "raised MemoryError"),
    "bytearray(8 << 30)": (FailureKind.MEMORY, "raised MemoryError"),
    "[sys.stderr.write('x' * 1_000_000) for _ in range(70)]; threading.Event().wait()": (
        FailureKind.FLOOD,
        "printed more than 64 MiB",
    ),
}


@pytest.mark.parametrize("code", ENDS)
def test_it_is_named_and_stays_dead(opened, factor_text, code):
    kind, said = ENDS[code]
    more = f"""
def score(self, inputs, context):
    {code}
    return np.zeros(3)
Factor.score = score
"""
    grants = Grants(limits=Limits(seconds=60, memory_mib=512))
    seconds = 2 if kind is FailureKind.HUNG else None
    plugins = opened(factor_text, more, grants=grants, seconds=seconds)
    factor = make_factor(plugins.factors["debt"], {}, "p")
    with pytest.raises(PluginFailure) as failed:
        factor.score(DEBTS, CONTEXT)
    failure = failed.value
    assert (failure.kind, failure.hook, failure.name) == (kind, "score", "debt")
    assert said in failure.problem
    for words in ("folkmoot-plugin-made-up 1.2.3", "score of debt", said, "folkmoot-plugin check"):
        assert words in str(failure)
    if kind is FailureKind.MEMORY:
        return
    assert factor.process.has_ended
    for act in (
        lambda: factor.score(DEBTS, CONTEXT),
        lambda: factor.explain({}, 0.5, CONTEXT),
        lambda: make_factor(plugins.factors["debt"], {}, "p"),
    ):
        with pytest.raises(PluginFailure) as again:
            act()
        assert again.value.kind is kind


def test_a_hook_that_hangs_ends_the_calls_of_all_threads(opened, factor_text):
    more = """
    def score(self, inputs, context):
        threading.Event().wait()
    Factor.score = score
    """
    factor = make_factor(opened(factor_text, more, seconds=2).factors["debt"], {}, "p")
    failures = []

    def run():
        try:
            factor.score(DEBTS, CONTEXT)
        except PluginFailure as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(3)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {failure.kind for failure in failures} == {FailureKind.HUNG}
    assert len(failures) == 3
    assert 2 <= time.monotonic() - started < 60


def test_a_process_that_takes_nothing_does_not_hold_the_host(opened, factor_text):
    more = """
    def score(self, inputs, context):
        from folkmoot_kit.channel import frames
        frames.Channel.receive = lambda self: threading.Event().wait()
        return np.zeros(len(inputs["debt"]))
    Factor.score = score
    """
    factor = make_factor(opened(factor_text, more, seconds=2).factors["debt"], {}, "p")
    large = {"debt": np.zeros(4_000_000)}
    with pytest.raises(PluginFailure) as failed:
        for _ in range(3):  # one may have been on its way
            factor.score(large, CONTEXT)
    assert failed.value.kind is FailureKind.HUNG


def test_a_source_that_hangs_between_batches_is_stopped(opened, source_text):
    more = """
    def read(self, context):
        yield Records(pa.table({"uprn": pa.array([1])}), "x")
        yield Records(pa.table({"uprn": pa.array([1])}), "x")
        threading.Event().wait()
    Source.read = read
    """
    source = make_source(opened(source_text, more, seconds=2).sources["debt"], {}, "w", Path("/"))
    batches = source.read(ReadContext((), CONTEXT.reference_date, print))
    assert next(batches).origin == "x"
    # What the node does with a batch is not the plugin's time.
    threading.Event().wait(3)
    assert next(batches).origin == "x"
    with pytest.raises(PluginFailure) as failed:
        next(batches)
    assert (failed.value.kind, failed.value.hook) == (FailureKind.HUNG, "read")


def test_a_source_that_dies_between_batches_is_named(opened, source_text):
    more = """
    def read(self, context):
        yield Records(pa.table({"uprn": pa.array([1])}), "x")
        os._exit(5)
    Source.read = read
    """
    source = make_source(opened(source_text, more).sources["debt"], {}, "w", Path("/"))
    with pytest.raises(PluginFailure, match="exit code 5"):
        list(source.read(ReadContext((), CONTEXT.reference_date, print)))


def test_a_forbidden_call_ends_the_process_and_is_named_so(opened, factor_text):
    more = """
    import ctypes
    def score(self, inputs, context):
        ctypes.CDLL(None).syscall(101, 0, 0, 0, 0)  # ptrace
        return np.zeros(3)
    Factor.score = score
    """
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    with pytest.raises(PluginFailure) as failed:
        factor.score(DEBTS, CONTEXT)
    assert failed.value.kind is FailureKind.FORBIDDEN
    assert "a forbidden system call" in failed.value.problem


def test_what_is_printed_goes_nowhere_and_is_kept_in_part(opened, factor_text, capfd):
    more = """
    def score(self, inputs, context):
        print("AB123456C" * 100_000)
        sys.stderr.write("the end")
        sys.stdout.flush()
        os.write(2, b"the very end")
        return np.zeros(3)
    Factor.score = score
    """
    plugins = opened(factor_text, more)
    factor = make_factor(plugins.factors["debt"], {}, "p")
    assert factor.score(DEBTS, CONTEXT).tolist() == [0, 0, 0]
    for _ in range(3_000):  # a minute
        if factor.process.printed_text().endswith("the very end"):
            break
        time.sleep(0.02)
    text = factor.process.printed_text()
    assert text.endswith("the very end")
    assert len(text) <= 64 << 10
    captured = capfd.readouterr()
    assert "AB123456C" not in captured.out + captured.err


def test_an_exit_ends_the_call_and_not_the_process(opened, factor_text):
    more = """
    def score(self, inputs, context):
        if np.isnan(inputs["debt"]).any():
            sys.exit("AB123456C")
        return np.zeros(2)
    Factor.score = score
    """
    factor = make_factor(opened(factor_text, more).factors["debt"], {}, "p")
    with pytest.raises(PluginFailure, match="raised SystemExit"):
        factor.score(DEBTS, CONTEXT)
    assert factor.score({"debt": np.zeros(2)}, CONTEXT).tolist() == [0, 0]


def test_the_failing_one_of_several_factors_is_named(opened, factor_text):
    from folkmoot_kit.hosting import thousandths_together

    more = """
    class Other(Factor):
        name = "other"
        def score(self, inputs, context):
            raise KeyError("AB123456C")

    @hookimpl
    def folkmoot_risk_factors():
        return [Factor, Other]
    del folkmoot_risk_factors
    Both = [Factor, Other]
    """
    text = factor_text.replace("return [Factor]", "return Both")
    plugins = opened(text, more)
    factors = [make_factor(plugins.factors[name], {}, "p") for name in ("debt", "other", "debt")]
    with pytest.raises(PluginFailure) as failed:
        thousandths_together(factors, [DEBTS] * 3, CONTEXT)
    assert (failed.value.at, failed.value.name) == (1, "other")
    assert "KeyError at folkmoot_plugin_made_up.py:" in failed.value.problem
    assert "AB123456C" not in str(failed.value)


def test_a_closed_process_says_so(opened, factor_text):
    plugins = opened(factor_text)
    factor = make_factor(plugins.factors["debt"], {}, "p")
    plugins.close()
    plugins.close()
    with pytest.raises(PluginFailure, match="was closed"):
        factor.score(DEBTS, CONTEXT)


def test_a_flood_is_more_than_any_plugin_prints():
    assert FLOOD_BYTES == 64 << 20
