"""Prefect's server as a service of its own: `python -I -m folkmoot_operator.run_prefect FOLDER`.

It is the server that `serve` runs otherwise: on 127.0.0.1, with a password, its files in one
folder, and no way out. A service manager starts it again and keeps what it prints.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from folkmoot_operator.prefect_process import (
    ServerSettings,
    password,
    server_command,
    server_environment,
)
from folkmoot_operator.private_files import close_new_files, make_private_folder
from folkmoot_operator.problems import Problem


def main() -> None:
    """Becomes the server."""
    parser = argparse.ArgumentParser(prog="run_prefect", description=__doc__)
    parser.add_argument("folder", type=Path, help="Prefect's home, made if it is missing.")
    parser.add_argument("--port", type=int, default=4200, help="Port on 127.0.0.1.")
    parser.add_argument("--keep-days", type=int, default=30, help="How long ended runs are kept.")
    given = parser.parse_args()
    close_new_files()
    try:
        settings = ServerSettings(given.folder.absolute(), given.keep_days, given.port)
        make_private_folder(settings.folder)
        environment = server_environment(settings, given.port, password(settings.folder))
    except Problem as problem:
        print(f"Error: {problem}\n  Remedy: {problem.remedy}", file=sys.stderr)
        raise SystemExit(problem.exit_code) from None
    os.chdir(settings.folder)
    command = [sys.executable, "-I", *server_command(given.port)]
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
