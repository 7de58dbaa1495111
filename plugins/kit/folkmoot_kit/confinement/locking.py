"""A confined process gives up, before any code of a plugin runs, what bubblewrap could not take.

Called in the process itself, by what it runs first. Standard library only.
"""

from __future__ import annotations

from folkmoot_kit.confinement import kernel, landlock, limits, proofs, seccomp, vdso
from folkmoot_kit.confinement.layers import (
    BUBBLEWRAP,
    CLOCK,
    LANDLOCK,
    LIMITS,
    SECCOMP,
    LayerFault,
    Setup,
)

DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_ANY = 0xFFFF_FFFF

__all__ = ["DEVICES", "LayerFault", "Setup", "lock_down"]


def lock_down(setup: Setup) -> dict[str, str]:
    """Locks this process down until it ends, and proves each layer by trying what it forbids.

    Call it first, before NumPy or any other library that starts threads is imported: Landlock binds
    the calling thread and those that it starts. Modules can be imported afterwards from the folders
    that `setup` names. Every descriptor but 0, 1 and 2 is closed.

    Args:
        setup: `ConfinedProcess.setup`, as the host has sent it.

    Returns:
        What was proved, in words, by the name of the layer: all of `LAYERS`.

    Raises:
        LayerFault: for the first layer that does not hold. The process is then half locked: end it.
    """
    if kernel.ARCH not in kernel.ARCHITECTURES:
        raise LayerFault(SECCOMP, f"there is no list of system calls for {kernel.ARCH}")
    if kernel.has_threads():
        raise LayerFault(LANDLOCK, "the process has threads, which it would not bind")
    kernel.call("close_range", 3, _ANY, 0)
    proved = {BUBBLEWRAP: proofs.of_bubblewrap(setup)}
    granted = {name for name in ("clock", "network") if setup[name]}
    try:
        filter_program = seccomp.read_filter(granted)
    except (OSError, LookupError) as fault:
        raise LayerFault(SECCOMP, str(fault)) from fault

    with proofs.fault_of(LIMITS):
        limits.impose(setup)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    proved[LIMITS] = proofs.of_limits(setup)

    clock_pages = range(0)
    if not setup["clock"]:
        with proofs.fault_of(CLOCK):
            clock_pages = vdso.take_clock()
        if not vdso.counter_faults():
            raise LayerFault(CLOCK, "the process can read the processor's counter")

    attempts = proofs.LandlockAttempts(setup)
    if landlock.abi() < landlock.MINIMUM_ABI:
        raise LayerFault(LANDLOCK, f"the kernel has version {landlock.abi()} of Landlock")
    with proofs.fault_of(LANDLOCK):
        landlock.restrict(setup["readable"], setup["writable"], DEVICES, network=setup["network"])
    proved[LANDLOCK] = attempts.prove()

    forbidden = proofs.SeccompAttempts()
    with proofs.fault_of(SECCOMP):
        seccomp.load(filter_program)
    proved[SECCOMP] = forbidden.prove()
    proved[CLOCK] = "granted" if setup["clock"] else proofs.of_clock(clock_pages)
    return proved
