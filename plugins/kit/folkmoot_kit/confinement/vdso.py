"""A process without a date: the kernel's clock pages are taken from it.

Linux maps two things into each process: the vDSO, code that tells the time, and pages with the
time itself, which that code reads without a system call. No filter of system calls sees this. So
the pages are unmapped, and the code is replaced: it asks for the coarse monotonic clock, whichever
clock was meant. That one counts ticks of 1 to 10 ms since the start of the machine. Threads need it
to wait, and it tells no date: for the process it is some hours, days or weeks past midnight of
1 January 1970.

Refusing was tried: `import logging` reads the clock, code in C++ goes on with a number that nobody
set, and code in Rust ends. The system calls themselves are refused, by seccomp. Standard library
only.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import struct

from folkmoot_kit.confinement.kernel import ARCH, LIBC, checked, prctl

_AT_SYSINFO_EHDR = 33
_PAGE = mmap.PAGESIZE
_READ, _WRITE, _EXECUTE = 1, 2, 4
_MADV_DODUMP = 17
_DYNAMIC, _LOADED = 2, 1
_HASH, _STRTAB, _SYMTAB = 4, 5, 6
_PR_GET_TSC, _PR_SET_TSC, _TSC_FAULTS = 25, 26, 2

LIBC.getauxval.restype = ctypes.c_ulong
LIBC.getauxval.argtypes = [ctypes.c_ulong]
LIBC.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def _x86_64(number: int) -> bytes:
    # mov eax, number; syscall; ret
    return b"\xb8" + struct.pack("<I", number) + bytes.fromhex("0f05c3")


def _aarch64(number: int) -> bytes:
    # mov x8, number; svc 0; ret
    return struct.pack("<I", 0xD280_0008 | number << 5) + bytes.fromhex("010000d4c0035fd6")


_CODE: dict[str, dict[str, bytes]] = {
    "x86_64": {
        # mov edi, 6
        "__vdso_clock_gettime": bytes.fromhex("bf06000000") + _x86_64(228),
        # test rdi, rdi; je end; push rdi; mov rsi, rdi; mov edi, 6; mov eax, 228; syscall;
        # pop rdi; mov rax, [rdi+8]; xor edx, edx; mov ecx, 1000; div rcx; mov [rdi+8], rax;
        # end: xor eax, eax; ret
        "__vdso_gettimeofday": bytes.fromhex(
            "4885ff7423574889febf06000000b8e40000000f055f488b470831d2b9e803000048f7f14889470831c0c3"
        ),
        # xor eax, eax; test rdi, rdi; je end; mov [rdi], rax; end: ret
        "__vdso_time": bytes.fromhex("31c04885ff7403488907c3"),
        "__vdso_clock_getres": _x86_64(229),
        "__vdso_getrandom": _x86_64(318),  # its state lies in the clock pages
    },
    "aarch64": {
        # mov w0, 6
        "__kernel_clock_gettime": bytes.fromhex("c0008052") + _aarch64(113),
        # cbz x0, end; mov x9, x0; mov x1, x0; mov w0, 6; mov x8, 113; svc 0;
        # ldr x10, [x9, 8]; mov x11, 1000; udiv x10, x10, x11; str x10, [x9, 8]; end: ret
        "__kernel_gettimeofday": bytes.fromhex(
            "400100b4e90300aae10300aac0008052280e80d2010000d4"
            "2a0540f90b7d80d24a09cb9a2a0500f9c0035fd6"
        ),
        "__kernel_clock_getres": _aarch64(114),
        "__kernel_getrandom": _aarch64(278),
    },
}
"""Machine code in the place of each function of the vDSO."""
_REQUIRED = {"x86_64": "__vdso_clock_gettime", "aarch64": "__kernel_clock_gettime"}


def take_clock() -> range:
    """Unmaps the clock pages, makes the vDSO tell no date, and forbids the processor's counter.

    Call it while there is one thread.

    Returns:
        The addresses where the clock pages were.

    Raises:
        OSError: if the kernel refuses it, as one that seals these pages does.
        LookupError: if the vDSO is not as expected.
    """
    base: int = LIBC.getauxval(_AT_SYSINFO_EHDR)
    if not base:
        return range(0)  # a kernel without a vDSO (`vdso=0`)
    pages = _clock_pages(base)
    replace_code(base)
    unmap(pages)
    forbid_counter()
    return pages


def replace_code(base: int) -> None:
    """Replaces the functions of the vDSO at an address."""
    functions, length = _functions(base)
    if _REQUIRED[ARCH] not in functions:
        raise LookupError(f"the kernel's vDSO has no {_REQUIRED[ARCH]}")
    # Never writable and executable at once: the kernel then clears the cache of instructions.
    checked(LIBC.mprotect(base, length, _READ | _WRITE))
    for name, code in _CODE[ARCH].items():
        if name in functions:
            address, size = functions[name]
            if size < len(code):
                raise LookupError(f"the kernel's vDSO has a short {name}: {size} bytes")
            ctypes.memmove(address, code, len(code))
    checked(LIBC.mprotect(base, length, _READ | _EXECUTE))


def unmap(pages: range) -> None:
    """Takes the clock pages from this process."""
    checked(LIBC.munmap(pages.start, len(pages)))


def forbid_counter() -> None:
    """From here on the process ends when it reads the processor's time counter."""
    prctl(_PR_SET_TSC, _TSC_FAULTS)


def counter_faults() -> bool:
    """Whether reading the processor's time counter ends the process."""
    state = ctypes.c_int()
    checked(LIBC.prctl(_PR_GET_TSC, ctypes.addressof(state), 0, 0, 0))
    return state.value == _TSC_FAULTS


def is_mapped(address: int) -> bool:
    """Whether there is memory at the address of a page."""
    if LIBC.madvise(address, _PAGE, _MADV_DODUMP) == 0:
        return True
    return ctypes.get_errno() != errno.ENOMEM


def _clock_pages(base: int) -> range:
    """The pages right below the vDSO that the kernel mapped specially: they refuse this advice."""
    start = base
    while (
        LIBC.madvise(start - _PAGE, _PAGE, _MADV_DODUMP) != 0 and ctypes.get_errno() == errno.EINVAL
    ):
        start -= _PAGE
    if start == base:
        raise LookupError("no clock pages below the kernel's vDSO")
    return range(start, base)


def _functions(base: int) -> tuple[dict[str, tuple[int, int]], int]:
    """Address and size of each function of the vDSO, and the length of the vDSO in whole pages."""
    header = ctypes.string_at(base, 64)
    if header[:5] != b"\x7fELF\x02":
        raise LookupError("the kernel's vDSO is no 64-bit ELF image")
    at, size, count = (
        struct.unpack_from("<Q", header, 32)[0],
        *struct.unpack_from("<HH", header, 54),
    )
    dynamic, end = 0, 0
    for index in range(count):
        segment = ctypes.string_at(base + at + index * size, size)
        kind, _, _, virtual, _, _, in_memory, _ = struct.unpack("<IIQQQQQQ", segment)
        if kind == _LOADED:
            end = max(end, virtual + in_memory)
        elif kind == _DYNAMIC:
            dynamic = virtual
    length = -(-end // _PAGE) * _PAGE
    entries: dict[int, int] = {}
    while True:
        tag, value = struct.unpack("<QQ", ctypes.string_at(base + dynamic, 16))
        if tag == 0:
            break
        entries[tag] = value if value < base else value - base
        dynamic += 16
    found = {}
    for index in range(1, _symbol_count(base, entries)):
        symbol = ctypes.string_at(base + entries[_SYMTAB] + 24 * index, 24)
        name_at, _, _, _, value, length_of = struct.unpack("<IBBHQQ", symbol)
        name = ctypes.string_at(base + entries[_STRTAB] + name_at).decode()
        found[name] = (base + value, length_of)
    return found, length


def _symbol_count(base: int, entries: dict[int, int]) -> int:
    if _HASH in entries:
        return int(struct.unpack("<II", ctypes.string_at(base + entries[_HASH], 8))[1])
    # The string table follows the symbols in every vDSO that has the newer kind of hash alone.
    return (entries[_STRTAB] - entries[_SYMTAB]) // 24
