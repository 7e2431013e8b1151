"""Helpers that read chatstore.settings in a new process, with environment variables that the test chooses."""

import subprocess
import sys
from pathlib import Path

from . import scratch

PRINT = """
from chatstore import settings
for name in {names!r}: print(repr(getattr(settings, name)))
"""


def start(code: str, folder: Path, **environment: str) -> tuple[str, str]:
    """Run the code in a new process. Return its output, and the last line of its error output."""
    variables = scratch.environment(folder, **environment)
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    return done.stdout, (done.stderr.strip().splitlines() or [""])[-1]


def printed_settings(folder: Path, *names: str, **environment: str) -> list[str]:
    """Return the repr of each named setting."""
    output, error = start(PRINT.format(names=names), folder, **environment)
    assert not error, error
    return output.splitlines()


def refusal(folder: Path, **environment: str) -> str:
    """Return the message of the ImproperlyConfigured error that the settings raise."""
    output, error = start(PRINT.format(names=()), folder, **environment)
    assert "ImproperlyConfigured: " in error, (output, error)
    return error.partition("ImproperlyConfigured: ")[2]
