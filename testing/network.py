"""Another host in a Linux network namespace, for tests that disconnect it."""

import secrets
import subprocess
import sys
from typing import Any

import pytest

PORT = 5432
# Accepts TCP connections and forwards each to a Unix socket. Every network namespace can reach Unix sockets.
FORWARDER = """
import socket, sys, threading

def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    client, _ = server.accept()
    target = socket.socket(socket.AF_UNIX)
    target.connect(sys.argv[3])
    for ends in ((client, target), (target, client)):
        threading.Thread(target=copy, args=ends, daemon=True).start()
"""


class OtherHost:
    """A host that forwards TCP connections to a Unix socket of this machine."""

    port = PORT

    def __init__(self, *, forwards_to: str) -> None:
        self.name = f"cs{secrets.token_hex(4)}"
        self.subnet = f"10.213.{secrets.randbelow(256)}"
        self.address = f"{self.subnet}.2"
        self.forwards_to = forwards_to

    def __enter__(self) -> "OtherHost":
        if ip("netns", "add", self.name):
            pytest.skip("cannot create network namespaces: they need Linux, root and iproute2")
        try:
            self._connect()
            self._forward()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self.forwarder.kill()
        self.forwarder.communicate()
        self._remove()

    def lose_power(self) -> None:
        """Stop answering: the host sends no reset and no acknowledgement."""
        assert not ip("-n", self.name, "route", "add", "blackhole", f"{self.subnet}.1/32")

    def regain_power(self) -> None:
        assert not ip("-n", self.name, "route", "del", "blackhole", f"{self.subnet}.1/32")

    def _connect(self) -> None:
        own_end, other_end = f"{self.name}a", f"{self.name}b"
        for command in (
            f"link add {own_end} type veth peer name {other_end} netns {self.name}",
            f"addr add {self.subnet}.1/30 dev {own_end}",
            f"link set {own_end} up",
            f"-n {self.name} addr add {self.address}/30 dev {other_end}",
            f"-n {self.name} link set {other_end} up",
        ):
            assert not ip(*command.split()), command

    def _forward(self) -> None:
        program = ["ip", "netns", "exec", self.name, sys.executable, "-c", FORWARDER]
        self.forwarder = subprocess.Popen(
            [*program, self.address, str(self.port), self.forwards_to], stdout=subprocess.PIPE, text=True
        )
        assert self.forwarder.stdout and self.forwarder.stdout.readline() == "ready\n"

    def _remove(self) -> None:
        ip("link", "del", f"{self.name}a")
        ip("netns", "del", self.name)


def ip(*arguments: str) -> int:
    """Run a command of iproute2. Return its exit status, or 127 if iproute2 is not installed."""
    try:
        return subprocess.run(["ip", *arguments], capture_output=True).returncode
    except FileNotFoundError:
        return 127
