"""The command `folkmoot-plugin`."""

from __future__ import annotations

from folkmoot_kit.cli import attacking, checking, listing, registry, signing, writing
from folkmoot_operator.console import application, run, version_option

app = application(
    "folkmoot-plugin",
    "Make, check, attack, sign and list plugins of a Folkmoot node.\n\n"
    "Exit codes: 0 done, 1 a plugin is broken or does not conform, 2 wrong command line, "
    "3 a name, file or folder is wrong, 7 a wheel or a signature is not what it says.",
)


@app.callback()
def _common(version: bool = version_option("folkmoot-plugin", "folkmoot-kit")) -> None:
    pass


for _module in (writing, checking, attacking, listing, signing, registry):
    _module.register(app)


def main() -> None:
    """Runs the command."""
    run(app)
