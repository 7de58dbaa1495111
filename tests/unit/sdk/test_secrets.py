"""Secrets: named by settings, read when they are used, shown nowhere."""

import copy
import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest

from folkmoot_sdk import PluginError, Secret, parameter
from folkmoot_sdk.parameters import build, describe
from folkmoot_sdk.source import SourceOptions

TEXT = "correct-horse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(SourceOptions):
    api_key_file: Secret | None = parameter(default=None, secret=True, description="A key.")
    api_key_variable: Secret | None = parameter(
        default=None, secret=True, variable=True, description="A key."
    )


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "key"
    path.write_text(TEXT + "\n", "utf-8")
    path.chmod(0o600)
    return path


def built(base: Path, **given):
    return build(Options, {"base": str(base), **given}, "options")


def test_a_file_is_found_from_the_base_and_read_when_it_is_used(file, tmp_path):
    options = built(tmp_path, api_key_file="key")
    assert options.api_key_file.reveal() == TEXT
    file.write_text("changed", "utf-8")
    assert options.api_key_file.reveal() == "changed"


def test_a_variable_is_read_when_it_is_used(tmp_path, monkeypatch):
    options = built(tmp_path, api_key_variable="METER_KEY")
    with pytest.raises(PluginError, match="METER_KEY: is not set, so there is no api key"):
        options.api_key_variable.reveal()
    monkeypatch.setenv("METER_KEY", TEXT)
    assert options.api_key_variable.reveal() == TEXT


def test_a_secret_that_the_node_has_read_is_taken_as_it_is(tmp_path):
    secret = Secret(TEXT)
    assert built(tmp_path, api_key_file=secret).api_key_file is secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(file, tmp_path, mode):
    file.chmod(mode)
    with pytest.raises(PluginError, match="can be read by others") as caught:
        built(tmp_path, api_key_file="key").api_key_file.reveal()
    assert "chmod 600" in caught.value.remedy
    assert TEXT not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\n", b"a\0b"])
def test_what_is_no_line_of_text_is_refused(file, tmp_path, content):
    file.write_bytes(content)
    with pytest.raises(PluginError, match="does not hold an api key in one line"):
        built(tmp_path, api_key_file="key").api_key_file.reveal()


def test_a_file_that_is_missing_names_the_option(tmp_path):
    with pytest.raises(PluginError, match="cannot be read") as caught:
        built(tmp_path, api_key_file="key").api_key_file.reveal()
    assert "api_key_file" in caught.value.remedy


@pytest.mark.parametrize("value", [1, True, "", ["key"], {"file": "key"}])
def test_what_names_no_secret_is_refused(tmp_path, value):
    with pytest.raises(PluginError, match=r"options\.api_key_file: does not name a secret"):
        built(tmp_path, api_key_file=value)


def test_a_secret_is_shown_nowhere(tmp_path):
    options = built(tmp_path, api_key_file=Secret(TEXT))
    secret = options.api_key_file
    for shown in (repr(options), repr(secret), str(secret), f"{secret}", f"{secret:>40}"):
        assert TEXT not in shown
        assert "hidden" in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert copy.deepcopy(secret) is secret


def test_a_description_says_what_the_text_names():
    described = {entry.key: entry for entry in describe(Options)}
    assert described["api_key_file"].secret == "file"
    assert described["api_key_file"].type == "the path of a file"
    assert described["api_key_variable"].secret == "variable"
    assert described["api_key_variable"].type == "the name of an environment variable"
    assert described["base"].secret == ""
