"""A hook is documented, and ships with a plugin that uses it."""

import inspect
from importlib.metadata import entry_points
from pathlib import Path

import pluggy
import pytest

from folkmoot_sdk import hooks

README = Path(__file__).parents[3] / "plugins" / "sdk" / "README.md"


def manager():
    found = pluggy.PluginManager(hooks.PROJECT)
    found.add_hookspecs(hooks)
    return found


def hook_names():
    found = manager()
    names = [name for name in vars(hooks) if found.parse_hookspec_opts(hooks, name) is not None]
    assert names
    return names


@pytest.mark.parametrize("name", hook_names())
def test_is_documented_with_its_exact_signature(name):
    specification = getattr(hooks, name)
    assert inspect.getdoc(specification)
    signature = inspect.signature(specification)
    shown = f"{name}{signature}".replace("'", "")
    assert f"`{shown}`" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", hook_names())
def test_has_a_shipped_plugin_that_uses_it(name):
    found = manager()
    for point in entry_points(group=hooks.PROJECT):
        if point.dist is not None and point.dist.name.startswith("folkmoot-plugin-"):
            found.register(point.load(), name=point.name)
    users = getattr(found.hook, name).get_hookimpls()
    assert users
    assert getattr(found.hook, name)()[0]
    shown = README.read_text(encoding="utf-8")
    names = [user.plugin_name.replace("_", "-") for user in users]
    assert any(f"`folkmoot-plugin-{name}`" in shown for name in names)
