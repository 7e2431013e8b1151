"""Child processes that end when their parent ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def dying_with_parent(signum: int) -> Callable[[], object] | None:
    """Return a preexec_fn for subprocess. With it, Linux sends `signum` to the child when its parent ends, even if the
    parent is killed. Returns None on other systems."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signum)


def die_with_parent(parent: int) -> None:
    """Make Linux kill this process when its parent ends. Call this directly after a fork, with the parent's pid."""
    if request_signal := dying_with_parent(signal.SIGKILL):
        request_signal()
    if os.getppid() != parent:  # the parent ended before the request
        os.kill(os.getpid(), signal.SIGKILL)


def kill_group(leader: "subprocess.Popen[bytes]") -> None:
    """Kill the processes that are left of a process group whose leader has ended."""
    with suppress(ProcessLookupError, PermissionError):  # macOS raises PermissionError for a group of zombies
        os.killpg(leader.pid, signal.SIGKILL)
