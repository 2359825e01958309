"""Ctrl-C and SIGTERM: the first ends a command in order, the second ends it whatever it is doing.

Python runs a signal's handler when the main thread comes back from native code; where that never happens, no handler
runs. So the second signal is left to the kernel. What was committed is whole at every moment (`indexer.storage`).
"""

from __future__ import annotations

import ctypes
import signal
import sys

_RESET = 0x80000000  # SA_RESETHAND in Linux's <signal.h>: the first delivery puts the default action back


class _Action(ctypes.Structure):
    """`struct sigaction` as glibc and musl lay it out on x86-64 and ARM64."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_uint),
        ("restorer", ctypes.c_void_p),
    )


def leave_the_second_to_the_kernel(*numbers: signal.Signals) -> None:
    """Let the handlers of these signals, already set, run once; the next signal of the kind ends the process.

    To be called again after `signal.signal`. Does nothing where the system is not Linux: there a second signal is
    Python's to handle, too.
    """
    if not sys.platform.startswith("linux") or ctypes.sizeof(ctypes.c_void_p) != 8:
        return
    libc = ctypes.CDLL(None)
    for number in numbers:
        action = _Action()
        if libc.sigaction(int(number), None, ctypes.byref(action)) == 0 and (action.handler or 0) > 1:  # 1: ignored
            action.flags |= _RESET
            libc.sigaction(int(number), ctypes.byref(action), None)
