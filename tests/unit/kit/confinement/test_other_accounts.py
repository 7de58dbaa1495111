"""An ordinary account confines plugins as root does, and its threads are counted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.other_accounts import ROOT, Account, as_account, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "root is here")
ACCOUNT = Account(64_221, 64_221)


def as_other(code: str) -> object:
    ran = subprocess.run(
        as_account(ACCOUNT, sys.executable, "-c", code),
        cwd="/", capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_all_layers_work_for_an_ordinary_account() -> None:
    code = (
        "import json\n"
        "from folkmoot_kit.confinement import self_test\n"
        "print(json.dumps([[it.name, it.works, it.problem] for it in self_test()]))\n"
    )

    found = as_other(code)

    assert isinstance(found, list)
    assert all(works for _, works, _ in found), found
    assert "64 threads" in found[-1][2]


def test_threads_of_an_ordinary_account_end_at_the_limit() -> None:
    confined = (
        "import threading, time\n"
        "result = 0\n"
        "try:\n"
        "    for result in range(100):\n"
        "        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()\n"
        "except RuntimeError: pass\n"
    )
    code = (
        "import json, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from folkmoot_kit.confinement import Grants, Limits\n"
        "from tests.confined_code import run_confined\n"
        f"made = run_confined({confined!r}, Grants(limits=Limits(processes=20)))\n"
        "print(json.dumps(made.value))\n"
    )

    assert as_other(code) == 19  # and the first
