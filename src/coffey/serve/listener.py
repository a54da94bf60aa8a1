"""The listening socket, and how to end it without resetting a client.

Closing a socket that listens resets every connection that the kernel has set up and nobody has accepted yet.
So whoever leaves first lets no new client in, then accepts those who are, and closes only then.
"""

from __future__ import annotations

import ctypes
import select
import socket
import struct
import sys

from coffey.core.errors import ConfigError, Problem
from coffey.core.settings import ServeSettings

BACKLOG = 2048
_SO_ATTACH_FILTER = 26
"""Of socket(7); the `socket` module has no name for it."""
_LOAD_BYTE, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_FLAGS, _SYN, _SYN_OR_ACK, _WHOLE = 13, 0x02, 0x12, 0xFFFFFFFF
"""Where the flags are in a TCP header (RFC 9293, section 3.1), and two of them."""
_NO_NEW_CLIENT = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (_LOAD_BYTE, 0, 0, _FLAGS),
        (_AND, 0, 0, _SYN_OR_ACK),
        (_JUMP_IF_EQUAL, 0, 1, _SYN),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, _WHOLE),
    )
)
"""A packet filter (classic BPF) that drops the first packet of a connection, and no other."""


def listen(settings: ServeSettings, *, shared: bool = False, setting: str = "serve.port") -> socket.socket:
    """A socket that listens on the address of `[serve]`; several `shared` ones may listen on one address.

    `setting` names the port where it cannot be bound.

    Raises:
        ConfigError: it cannot be bound.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=BACKLOG, reuse_port=shared
        )
    except OSError as exc:
        expected = f"a free address on this machine ({exc.strerror or exc})"
        problem = Problem(setting, f"{settings.host}:{settings.port}", expected)
        raise ConfigError("serve", [problem]) from exc


def admit_nobody(listener: socket.socket) -> None:
    """Let no new client connect; those who are connecting or wait to be accepted are not touched.

    New ones try again by themselves after a second, and find no server then, or another one.
    Linux only; elsewhere nothing happens, and a client that comes at the very end may be reset.
    """
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(_NO_NEW_CLIENT)
    program = struct.pack("HP", len(_NO_NEW_CLIENT) // 8, ctypes.addressof(code))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def has_waiting(listener: socket.socket) -> bool:
    """Whether a client is connected and not accepted yet."""
    ready, _, _ = select.select([listener], [], [], 0)
    return bool(ready)
