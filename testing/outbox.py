"""The emails that a live server has sent through Django's file backend."""

import email
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

from . import scratch


class Outbox:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def url(self) -> str:
        return f"filemail:///{self.folder}"

    def to(self, address: str) -> list[Message]:
        """Return the emails to this address, oldest first."""
        files = sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return [mail for mail in map(_parsed, files) if mail["To"] == address]

    def code(self, address: str, nth: int = 1) -> str:
        """Wait for the n-th code in the emails to this address, and return it."""
        scratch.wait_until(lambda: len(self.codes(address)) >= nth)
        return self.codes(address)[nth - 1]

    def codes(self, address: str) -> list[str]:
        texts = [str(mail.get_payload(decode=True), "utf-8") for mail in self.to(address)]
        return [code for text in texts for code in re.findall(r"^([A-Z0-9]{4,}(?:-[A-Z0-9]{4,})?)$", text, re.M)]


def _parsed(path: Path) -> Message:
    return email.message_from_string(path.read_text().partition("\n" + "-" * 79)[0])


@contextmanager
def outbox() -> Iterator[Outbox]:
    with tempfile.TemporaryDirectory(prefix="chatstore-mail-") as name:
        yield Outbox(Path(name))
