"""The command `folkmoot-plugin`."""

from __future__ import annotations

from folkmoot_kit.cli import attacking, checking, listing, registry, signing, writing
from folkmoot_operator.console import application, run, version_option

app = application(
    "folkmoot-plugin",
    "Make, check, attack, sign and list plugins of a Folkmoot node.\n\n"
    "Exit codes: 0 done, 1 a plugin fails or does not conform, 2 wrong command line, 3 a name, "
    "setting, file or folder is wrong, 4 a wheel or document lacks what is needed, 5 refused: "
    "nothing is replaced, 6 a file cannot be used now (a full disk, a lock), 7 a wheel, document "
    "or signature is not what it says. Add --debug to any command for a stack trace.",
)


@app.callback()
def _common(version: bool = version_option("folkmoot-plugin", "folkmoot-kit")) -> None:
    pass


for _module in (writing, checking, attacking, listing, signing, registry):
    _module.register(app)


def main() -> None:
    """Runs the command."""
    run(app)
