"""Child processes that do not outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def dying_with_parent(signum: int) -> Callable[[], object] | None:
    """Return a preexec_fn: on Linux the kernel sends `signum` to the child when its parent dies, even by kill -9."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signum)


def die_with_parent(parent: int) -> None:
    """End this process, which has just been forked, as soon as its parent has died."""
    if announce := dying_with_parent(signal.SIGKILL):
        announce()
    if os.getppid() != parent:  # it died before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def kill_group(leader: "subprocess.Popen[bytes]") -> None:
    """Kill what a process that leads a group, and has ended, left running."""
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses a group of zombies
        os.killpg(leader.pid, signal.SIGKILL)
