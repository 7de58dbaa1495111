"""What cannot be loaded is listed by distribution, version and hook; the rest runs."""

import sys

import pytest

from folkmoot_kit.confinement import Grants, Limits, import_folders
from folkmoot_kit.hosting import ConfinedFactor, Hosting, open_plugins
from folkmoot_kit.hosting.opening import HostedPlugins
from folkmoot_sdk.loading import Plugins

SECRET = "AB123456C"
ONE, OTHER = "folkmoot-plugin-one", "folkmoot-plugin-other"


@pytest.fixture
def open_some(install):
    """Opens distributions that were installed, each in a process of its own."""
    running = []

    def open_(*names, **words):
        folder = install.__closure__ and words.pop("folder")
        hostings = [
            Hosting(distributions=(name,), grants=Grants(limits=Limits(seconds=30)))
            for name in names
        ]
        plugins = open_plugins(hostings, import_folders=[folder, *import_folders()], **words)
        running.append(plugins)
        return plugins

    yield open_
    for plugins in running:
        plugins.close()


def test_it_has_what_the_loader_of_the_sdk_has():
    assert set(Plugins.__dataclass_fields__) < set(HostedPlugins.__dataclass_fields__)


BROKEN = {
    "raise ValueError(SECRET)": ("", "cannot be imported (ValueError)"),
    "import not_installed": (
        "",
        "cannot be imported (ModuleNotFoundError: No module named 'not_installed')",
    ),
    "raise ModuleNotFoundError(f\"No module named '{SECRET} {SECRET}'\")": (
        "",
        "cannot be imported (ModuleNotFoundError)",
    ),
    "os._exit(7)": ("", "its process ended by itself (exit code 7)"),
    "threading.Event().wait()": ("", "gave no answer within 3 seconds, and was stopped"),
    "sys.exit(SECRET)": ("", "cannot be imported (SystemExit)"),
    "Factor.name = 'No Name'": ("folkmoot_risk_factors", "Factor: `name` is not an identifier"),
    "del Factor.explain; Factor.__abstractmethods__ = {'explain'}": (
        "folkmoot_risk_factors",
        "Factor: does not implement explain",
    ),
    "Factor = None": ("folkmoot_risk_factors", "is not a subclass of folkmoot_sdk.RiskFactor"),
    "Factor.title = 'x' * 3_000": ("", "answered with something else"),
    "Factor.evidence = (Evidence(7),)": ("", "answered with something else"),
    "Factor.inputs = Factor.inputs * 1_000": (
        "folkmoot_risk_factors",
        "`inputs` names a field twice",
    ),
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_plugin_is_named_and_harms_no_other(opened, factor_text, code):
    hook, said = BROKEN[code]
    more = f"SECRET = '{SECRET}'\n{code}\n"
    grants = Grants(limits=Limits(seconds=3 if "wait" in code else 60))
    plugins = opened(factor_text, more, grants=grants)
    (broken,) = plugins.broken
    assert plugins.factors == {}
    assert str(broken.origin) == "folkmoot-plugin-made-up 1.2.3 (folkmoot_plugin_made_up)"
    assert broken.hook == hook
    assert said in broken.problem
    assert broken.remedy
    assert SECRET not in str(broken)


def test_declarations_hold_nothing_that_does_not_print(opened, factor_text):
    more = "Factor.title = 'De\\u202ebt\\x1b[31m'; Factor.description = 'One\\n    two.'"
    factor = opened(factor_text, more).factors["debt"]
    assert (factor.title, factor.description) == ("Debt[31m", "One two.")


def test_on_made_up_data_the_texts_of_errors_may_be_shown(opened, factor_text):
    plugins = opened(factor_text, "raise ValueError('no such table')", show_messages=True)
    assert "cannot be imported (ValueError: no such table)" in plugins.broken[0].problem


def test_others_load_when_one_process_fails(install, open_some, factor_text):
    install(factor_text, "os._exit(7)", distribution=ONE)
    folder = install(factor_text, distribution=OTHER, name="other")
    plugins = open_some(ONE, OTHER, folder=folder)
    assert list(plugins.factors) == ["other"]
    assert [entry.origin.distribution for entry in plugins.broken] == [ONE]
    assert len(plugins.processes) == 1


def test_a_name_that_two_processes_register_is_used_by_neither(install, open_some, factor_text):
    install(factor_text, distribution=ONE)
    folder = install(factor_text, distribution=OTHER)
    plugins = open_some(ONE, OTHER, folder=folder)
    assert plugins.factors == {}
    assert {entry.origin.distribution for entry in plugins.broken} == {ONE, OTHER}
    assert all("registered by" in entry.problem for entry in plugins.broken)


def test_a_distribution_that_is_not_installed_is_named(install, open_some, factor_text):
    folder = install(factor_text, distribution=ONE)
    plugins = open_some(OTHER, folder=folder)
    (broken,) = plugins.broken
    assert (broken.origin.distribution, broken.problem) == (OTHER, "is not installed")


def test_what_is_to_run_in_this_process_runs_beside(install, open_some, factor_text, monkeypatch):
    install(factor_text, distribution=ONE, name="one")
    folder = install(factor_text, distribution=OTHER, name="other")
    monkeypatch.syspath_prepend(str(folder))
    plugins = open_some(ONE, in_process=(OTHER,), folder=folder)
    assert issubclass(plugins.factors["one"], ConfinedFactor)
    assert not issubclass(plugins.factors["other"], ConfinedFactor)
    assert plugins.factor_origins["other"].distribution == OTHER
    assert "folkmoot_plugin_one" not in sys.modules
    sys.modules.pop("folkmoot_plugin_other")


def test_a_process_serves_what_it_was_made_for_and_no_other(install, open_some, factor_text):
    install(factor_text, distribution=ONE, name="one")
    folder = install(factor_text, distribution=OTHER, name="other")
    plugins = open_some(ONE, folder=folder)
    assert list(plugins.factors) == ["one"]


def test_a_process_cannot_speak_for_another_distribution(opened, factor_text):
    more = """
    from folkmoot_kit.inside import describing
    describing._origin = lambda origin: ["folkmoot-plugin-trusted", "1.0", "trusted"]
    """
    plugins = opened(factor_text, more)
    assert plugins.factors == {}
    assert "answered with something else" in plugins.broken[0].problem
    assert plugins.broken[0].origin.distribution == "folkmoot-plugin-made-up"


def test_nothing_is_opened_for_nothing():
    with open_plugins([]) as plugins:
        assert (plugins.factors, plugins.sources, plugins.broken) == ({}, {}, ())


def test_the_processes_end_with_the_block(install, factor_text):
    folder = install(factor_text, distribution=ONE)
    hosting = Hosting(distributions=(ONE,))
    with open_plugins([hosting], import_folders=[folder, *import_folders()]) as plugins:
        (process,) = plugins.processes
        assert not process.has_ended
    assert process.has_ended
    assert process._process.ended() is not None
