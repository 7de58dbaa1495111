"""What there is to attack, and what has been done to it.

Each trace is seen from outside: a server that was reached, a file that is there or that changed, a
process that was signalled. What the attacker says of itself does not count here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import secrets
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from folkmoot_kit.attacks.attempts import Targets
from folkmoot_kit.attacks.listeners import Listeners, open_descriptors
from folkmoot_kit.attacks.victim import Victim

VARIABLE = "FOLKMOOT_ATTACK_SECRET"
MEMORY_MIB = 1024
THREADS = 32
SCRATCH_MIB = 8
_KEPT_MIB = 64
"""By how much this process may grow while an attempt is made."""
_SHM = Path("/dev/shm")  # noqa: S108
_CREATE = 0o1000 | 0o600
_REMOVE = 0


class Stage:
    """A home with secrets, servers, another process, shared memory; closed at the end.

    Attributes:
        secret: What stands in each of them.
        granted: The file that an attacker may read.
    """

    def __init__(self) -> None:
        self.secret = secrets.token_hex(16)
        self._stack = contextlib.ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-attack-"))
        self._folder = Path(folder)
        self._make_files()
        self._listeners = self._stack.enter_context(Listeners(self.secret))
        self._victim = Victim(self.secret)
        self._inherited = os.open(self._folder / "home" / "keys" / "store.key", os.O_RDONLY)
        os.set_inheritable(self._inherited, True)
        self._variable = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self.secret
        self._library = ctypes.CDLL(None, use_errno=True)
        self._key = secrets.randbelow(1 << 30) + 1
        self._make_shared()
        self._places = self._all_places()
        self._before = self._files()
        self._descriptors = open_descriptors()
        self._peak = _peak_mib()
        self._priority = os.getpriority(os.PRIO_PROCESS, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()
        self._victim.__exit__(kind, error, trace)
        self._library.shmctl(self._segment, _REMOVE, None)
        self._library.msgctl(self._queue, _REMOVE, None)
        (_SHM / self._name).unlink(missing_ok=True)
        os.close(self._inherited)
        os.environ.pop(VARIABLE, None)
        if self._variable is not None:
            os.environ[VARIABLE] = self._variable
        self._stack.close()

    @property
    def granted(self) -> Path:
        """The file that the attacker may read."""
        return self._folder / "granted" / "extract.csv"

    def targets(self, *, scratch: bool, seconds: float) -> Targets:
        """What the attacker is told."""
        return Targets(
            secret=self.secret,
            home=str(self._folder / "home"),
            other_council=str(self._folder / "other-council.csv"),
            granted=str(self.granted),
            outside=str(self._folder / "outside"),
            places={name: str(path) for name, path in self._places.items()},
            ipv4_port=self._listeners.ipv4_port,
            ipv6_port=self._listeners.ipv6_port,
            dns_port=self._listeners.dns_port,
            unix_path=self._listeners.unix_path,
            unix_abstract=self._listeners.unix_abstract,
            host=os.getpid(),
            victim=self._victim.pid,
            victim_address=self._victim.address,
            shared_key=self._key,
            shared_name=self._name,
            queue_key=self._key,
            inherited=self._inherited,
            variable=VARIABLE,
            host_name=socket.gethostname(),
            now=time.time(),
            memory_mib=MEMORY_MIB,
            threads=THREADS,
            scratch_mib=SCRATCH_MIB if scratch else 0,
            seconds=seconds,
        )

    def traces(self) -> list[str]:
        """What was done since the last call, a sentence for each trace; puts all back."""
        found = [
            f"a server of the host had {word}" for word in dict.fromkeys(self._listeners.heard())
        ]
        found += [
            f"a file of the host appeared ({name})"
            for name, path in self._places.items()
            if os.path.lexists(path)
        ]
        after = self._files()
        found += [
            f"{name} of the host changed, appeared or is gone"
            for name in sorted(after.keys() | self._before.keys())
            if after.get(name) != self._before.get(name)
        ]
        found += self._victim.traces()
        found += self._traces_in_shared()
        found += self._traces_in_itself()
        if found:
            self._put_back()
        return found

    def _traces_in_shared(self) -> list[str]:
        found = []
        held = ctypes.string_at(self._shared, len(self.secret))
        if held != self.secret.encode():
            found.append("shared memory of the host was written")
        taken = ctypes.create_string_buffer(256)
        if self._library.msgrcv(self._queue, taken, 200, 0, 0o4000) >= 0:
            found.append("a message queue of the host has a message")
        if (_SHM / self._name).read_bytes()[: len(self.secret)] != self.secret.encode():
            found.append("a shared memory object of the host was written")
        return found

    def _traces_in_itself(self) -> list[str]:
        found = []
        # Compared from attempt to attempt: what else runs in this process opens some, too.
        before, self._descriptors = self._descriptors, open_descriptors()
        if self._descriptors > before + 20:
            found.append("the host has descriptors that it did not open")
        if _peak_mib() > self._peak + _KEPT_MIB:
            found.append(f"the host took {_peak_mib() - self._peak} MiB of memory")
        if os.getpriority(os.PRIO_PROCESS, 0) != self._priority:
            found.append("the host runs at another priority")
        return found

    def _put_back(self) -> None:
        self._clear()
        for name in ("home", "outside", "granted", "other-council.csv"):
            path = self._folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self._make_files()
        self._before = self._files()
        self._peak = _peak_mib()
        ctypes.memmove(self._shared, self.secret.encode(), len(self.secret))
        (_SHM / self._name).write_bytes(self.secret.encode().ljust(64, b"\0"))
        if not self._victim.is_sound:
            self._victim.__exit__(None, None, None)
            self._victim = Victim(self.secret)

    def _clear(self) -> None:
        for path in self._places.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _make_files(self) -> None:
        text = f"uprn,name\n100000000001,{self.secret}\n"
        for name in (
            "home/keys/store.key", "home/store/households.bin", "home/state.sqlite",
            "home/node.toml", "granted/secret.csv", "granted/elsewhere/-", "other-council.csv",
            "outside/-",
        ):  # fmt: skip
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
        self.granted.write_text("uprn,name\n" + "-" * 8192)

    def _files(self) -> dict[str, object]:
        """What each file is: its content, and all that is known of it but when it was read."""
        found: dict[str, object] = {}
        for path in sorted(self._folder.rglob("*")):
            about = path.lstat()
            held = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            names = os.listxattr(path, follow_symlinks=False)
            found[path.name] = (
                held, about.st_mode, about.st_nlink, about.st_gid, about.st_mtime_ns, names
            )  # fmt: skip
        return found

    def _make_shared(self) -> None:
        self._library.shmat.restype = ctypes.c_void_p
        self._segment = self._library.shmget(self._key, ctypes.c_size_t(4096), _CREATE)
        self._queue = self._library.msgget(self._key, _CREATE)
        self._shared: int = self._library.shmat(self._segment, None, 0) or 0
        ctypes.memmove(self._shared, self.secret.encode(), len(self.secret))
        self._name = f"folkmoot-attack-{self.secret[:16]}"
        (_SHM / self._name).write_bytes(self.secret.encode().ljust(64, b"\0"))

    def _all_places(self) -> dict[str, Path]:
        name = f"folkmoot-attack-left-{self.secret[:16]}"
        packages = Path(sys.modules["numpy"].__path__[0]).parent
        return {
            "root": Path("/") / name,
            "tmp": Path("/tmp") / name,  # noqa: S108
            "shm": _SHM / name,
            "home": self._folder / "home" / name,
            "packages": packages / f"{name}.pth",
            "interpreter": Path(sys.base_prefix) / "bin" / name,
        }


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
