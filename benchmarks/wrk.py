"""Send load to a server with wrk, and read the result."""

import json
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self
from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

SCRIPT = Path(__file__).with_name("requests.lua")
LOADED = 8  # connections; two workers with four threads each can answer so many requests at once
ALONE = 1  # connection; measures the latency for one user, without a queue


class Request(NamedTuple):
    path: str
    body: bytes = b""

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    def line(self) -> str:
        return f"{self.method}\t{self.path}\t{self.body.decode()}"


@dataclass(frozen=True)
class Measured:
    per_second: float
    p50: float  # milliseconds

    @classmethod
    def of_one(cls, seconds: float) -> Self:
        """Return the measurement of one request that took so long."""
        return cls(1 / seconds, seconds * 1000)

    @classmethod
    def median(cls, turns: Sequence[Self]) -> Self:
        return cls(statistics.median(one.per_second for one in turns), statistics.median(one.p50 for one in turns))


@dataclass(frozen=True)
class Target:
    url: str
    requests: Sequence[Request]
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def fetch(self) -> bytes:
        """Return the body of the response to the first request. Exit if the response is an error or a redirect, because
        wrk counts a redirect as a success."""
        request = self.requests[0]
        sent = HttpRequest(self.url + request.path, request.body or None, self.headers, method=request.method)
        try:
            with urlopen(sent, timeout=60) as answer:
                body = answer.read()
        except HTTPError as error:
            raise SystemExit(
                f"{request.method} {self.url}{request.path}: {error.code} {error.read()[:500]!r}"
            ) from None
        if answer.geturl() != sent.full_url:
            raise SystemExit(f"{request.method} {self.url}{request.path} redirects to {answer.geturl()}")
        return body

    def warm_up(self) -> None:
        """Send requests to both workers for a second. The first request of a worker can take longer than that."""
        self._run(1, LOADED)

    def drive(self, seconds: int, connections: int) -> Measured:
        return self._read(self._run(seconds, connections))

    def _run(self, seconds: int, connections: int) -> dict[str, float]:
        with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
            file.write("\n".join(request.line() for request in self.requests))
            file.flush()
            options = f"-t1 -c{connections} -d{seconds}s --timeout=30s -s".split()
            command = ["wrk", *self._header_options(), *options, SCRIPT, self.url, "--", file.name]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(ran.stdout.splitlines()[-1])

    def _header_options(self) -> list[str]:
        return [part for name, value in self.headers.items() for part in ("-H", f"{name}: {value}")]

    def _read(self, result: dict[str, float]) -> Measured:
        if result["refused"] or result["broken"] or not result["requests"]:
            raise SystemExit(f"{self.url}{self.requests[0].path}: requests failed, or none was answered: {result}")
        return Measured(result["requests"] / result["microseconds"] * 1e6, result["p50"] / 1000)


def side_by_side(targets: Sequence[Target], *, connections: int, seconds: int, turns: int) -> list[Measured]:
    """Measure the targets in turn, several times, so that other load on the machine affects all of them."""
    for target in targets:
        target.warm_up()
    runs = [[target.drive(seconds, connections) for target in targets] for _ in range(turns)]
    return [Measured.median(of_one) for of_one in zip(*runs, strict=True)]
