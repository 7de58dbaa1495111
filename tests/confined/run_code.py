"""The program of `tests/confined_code.py`, inside the confined process."""

import json
import os
import sys


def line() -> bytes:
    read = b""
    while not read.endswith(b"\n"):
        more = os.read(0, 1 << 16)
        if not more:
            raise SystemExit(0)
        read += more
    return read


given = json.loads(line())
sys.path[:0] = given["import_folders"]
variables: dict[str, object] = {"__name__": "confined", "result": None}
try:
    exec(given["before"], variables)
    from folkmoot_kit.confinement.locking import LayerFault, lock_down

    try:
        variables["proved"] = lock_down(given["confinement"])
    except LayerFault as fault:
        answer = {"fault": [fault.layer, fault.problem]}
    else:
        exec(given["code"], variables)
        answer = {"result": variables["result"]}
except BaseException as error:
    answer = {"error": f"{type(error).__name__}: {error}"}
os.write(0, json.dumps(answer, default=str).encode() + b"\n")
