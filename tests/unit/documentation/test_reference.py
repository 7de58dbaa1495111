"""Reference is made from the code: everything is described, and a change of the code shows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from pydantic import BaseModel, Field

from documentation import codes, commands, plugins, sdk, settings_keys, wire
from documentation.build import PROGRAMS, SETTINGS, beside, named
from folkmoot_operator.problems import ExitCode
from folkmoot_operator.settings import Settings


@pytest.mark.parametrize("model", [entry[3] for entry in SETTINGS], ids=lambda m: m.split(":")[1])
def test_every_key_of_every_settings_file_is_described(model: str) -> None:
    assert settings_keys.missing(named(model), beside()) == []


def test_no_settings_file_is_left_out() -> None:
    """Every model that a file is read into is on a page, or is no file that people write."""
    shown = {named(entry[3]) for entry in SETTINGS}
    inside = {one.model for model in shown for one in settings_keys.tables(model, beside())}
    not_written_by_people = {"Invitation", "_Signature"}
    for name in PROGRAMS.values():
        named(name)
    for module in ("folkmoot_node.home", "folkmoot_node.federation.enrolment"):
        __import__(module)
    found = {
        cls.__qualname__
        for cls in below(Settings) - {other for other, _ in beside().values()}
        if cls.__module__.startswith("folkmoot_") and not cls.__subclasses__()
    }
    assert found - inside <= not_written_by_people


def below(cls: type[BaseModel]) -> set[type[BaseModel]]:
    return {cls}.union(*map(below, cls.__subclasses__())) - {Settings}


class Inner(Settings):
    """Table `[inner]`.

    Attributes:
        seconds: How long.
    """

    seconds: Annotated[int, Field(ge=1, le=60)] = 30


class Outer(Settings):
    """The file.

    Attributes:
        kind: Which of both.
    """

    kind: Literal["one", "other"]
    undescribed: bool = True
    inner: Inner = Inner()


def test_a_page_says_type_default_unit_and_what_is_allowed() -> None:
    text = settings_keys.page("T", "W", Outer)
    assert (
        '| `kind` | Which of both. | one of those allowed | **required** |  | `"one"`, `"other"` |'
    ) in text
    assert "| `undescribed` |  | true or false | `true` |  |  |" in text
    assert "## `[inner]`" in text
    assert (
        "| `seconds` | How long. | whole number | `30` | seconds | at least 1; at most 60 |" in text
    )
    assert settings_keys.missing(Outer) == ["Outer.undescribed"]


def test_a_change_of_a_model_changes_its_page() -> None:
    class Changed(Inner):
        seconds: Annotated[int, Field(ge=1, le=90)] = 45
        """How long it takes."""

    text = settings_keys.page("T", "W", Changed)
    assert "How long it takes." in text
    assert "`45`" in text
    assert "at most 90" in text


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_option_of_every_command_is_described(program: str) -> None:
    found = list(commands.commands(program, named(PROGRAMS[program])))
    assert found
    assert not [f"{c.path} {o.name}" for c in found for o in c.options if not o.help]
    assert not [c.path for c in found if not c.help]


def test_a_change_of_a_command_changes_its_page() -> None:
    def made(default: int) -> str:
        app = typer.Typer()

        @app.command()
        def one(days: int = typer.Option(default, help="For how long.")) -> None:
            """Does it.

            Example: program --days 3
            """

        return commands.page("program", app)

    assert "| `--days` | For how long. | whole number | `7` |" in made(7)
    assert made(7) != made(8)
    assert "```text\nprogram --days 3\n```" in made(7)


def test_a_group_that_does_something_by_itself_is_shown() -> None:
    app, group = typer.Typer(), typer.Typer()

    @group.callback(invoke_without_command=True)
    def backup(keep: int = typer.Option(7, help="How many.")) -> None:
        """Makes a backup."""

    @group.command()
    def keygen() -> None:
        """Makes a key."""

    app.add_typer(group, name="backup")
    app.command("other")(keygen)
    found = {one.path: one for one in commands.commands("program", app)}
    assert set(found) == {"program backup", "program backup keygen", "program other"}
    assert found["program backup"].options[0].name == "`--keep`"


def test_every_field_of_the_wire_is_described() -> None:
    assert list(wire.undescribed()) == []


def test_a_change_of_the_contract_changes_its_page(tmp_path: Path) -> None:
    shutil.copytree(wire.PROTO / "folkmoot", tmp_path / "folkmoot")
    file = tmp_path / "folkmoot" / "v1" / "privacy.proto"
    file.write_text(file.read_text() + "\nmessage Added {\n  // Said here.\n  bool first = 1;\n}\n")
    text = wire.page(tmp_path)
    assert "### Added" in text
    assert "| 1 | `first` | bool | Said here. |" in text


def test_every_public_name_of_the_sdk_is_described() -> None:
    assert list(sdk.undescribed()) == []


def test_a_change_of_the_sdk_changes_its_page(tmp_path: Path) -> None:
    shutil.copytree(sdk.SDK / "folkmoot_sdk", tmp_path / "folkmoot_sdk")
    file = tmp_path / "folkmoot_sdk" / "secret.py"
    text = file.read_text()
    file.write_text(text.replace("class Secret", 'class Secret:\n    """Added."""\n\nclass Old', 1))
    assert "Added." not in sdk.page()
    assert "## Secret\n\nAdded." in sdk.page(tmp_path)


def test_every_key_of_factors_sources_and_mapping_files_is_described() -> None:
    assert list(plugins.undescribed()) == []


def test_every_factor_and_source_has_its_place() -> None:
    from folkmoot_sdk.loading import load

    installed = load()
    factors, sources = plugins.factors_page(), plugins.sources_page()
    assert all(f"## `{name}`" in factors for name in installed.factors)
    assert all(f"`{name}`: " in sources for name in installed.sources)


def test_every_exit_code_says_what_it_means() -> None:
    text = codes.exit_codes_page()
    for code in ExitCode:
        assert f"| {int(code)} | `{code.name}` | " in text
    assert text.count("Done.") == 1
