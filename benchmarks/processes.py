"""Start the processes of a measurement, and read their CPU time and memory from /proc."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from chatstore.children import dying_with_parent

ROOT = Path(__file__).parent.parent
START_TIMEOUT = 60  # seconds
TICKS = os.sysconf("SC_CLK_TCK")  # in a second of CPU time

Process = subprocess.Popen[bytes]


@contextmanager
def running(
    arguments: Sequence[str], environment: Mapping[str, str], *, port: int | None = None, niceness: int = 0
) -> Iterator[Process]:
    """Run Python with these arguments, and stop it at the end. With a port, wait until the process listens on it."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        start_new_session=True,  # so Ctrl-C reaches only this process, which then stops the other one
        preexec_fn=dying_with_parent(signal.SIGTERM),
    )
    os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
    try:
        if port:
            _wait_for(process, port)
        yield process
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_children(pid: int) -> list[int]:
    """Return the process and its descendants."""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(descendant for child in children for descendant in with_children(int(child)))]
    return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time that these processes have used so far."""
    return sum(_cpu_seconds(pid) for pid in pids)


def megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _cpu_seconds(pid: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0


def _wait_for(process: Process, port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The process did not start: {' '.join(map(str, process.args))}") from None
            time.sleep(0.1)
