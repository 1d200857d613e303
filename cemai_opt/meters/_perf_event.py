"""Counting events of the Linux kernel: perf_event_open(2), which the C library does not wrap."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

SYSCALL = {"x86_64": 298, "aarch64": 241}
"""Number of `perf_event_open` by machine (Linux, `unistd.h`)."""
ATTR_BYTES = 128
"""Size of `struct perf_event_attr`; what is not set is zero, as the kernel demands of fields it does not know."""
ALL_PROCESSES = -1
NO_GROUP = -1
CLOSE_ON_EXEC = 8


class PerfEvent:
    """A counter of one event on one processor, or of this process if `cpu` is -1; counts from now on.

    OSError if the kernel refuses, with its reason.
    """

    _descriptor = -1

    def __init__(self, kind: int, config: int, *, cpu: int) -> None:
        number = SYSCALL.get(platform.machine())
        if number is None:
            raise OSError(f"no perf_event_open known on {platform.machine()}")
        attributes = struct.pack("=IIQ", kind, ATTR_BYTES, config).ljust(ATTR_BYTES, b"\0")
        libc = ctypes.CDLL(None, use_errno=True)
        process = 0 if cpu < 0 else ALL_PROCESSES
        descriptor: int = libc.syscall(
            ctypes.c_long(number),
            ctypes.create_string_buffer(attributes, ATTR_BYTES),
            *(ctypes.c_int(value) for value in (process, cpu, NO_GROUP)),
            ctypes.c_ulong(CLOSE_ON_EXEC),
        )
        if descriptor < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._descriptor = descriptor

    def read(self) -> int:
        """The count since the event was opened: 64 bits, which the kernel extends from the hardware's own."""
        return int.from_bytes(os.read(self._descriptor, 8), "little")

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
