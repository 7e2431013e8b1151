"""`python -m benchmarks`: fills the databases where that is needed, drives the three servers, prints one table."""

import argparse
import os
import shutil
import signal
import sys

import django


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the large database (%(default)s)")
    parser.add_argument("--users", type=int, help="in the large database (one for every 1,000 messages)")
    parser.add_argument("--seed", type=int, default=1, help="of all texts and sizes (%(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="of a turn (%(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="that a number is the median of (%(default)s)")
    parser.add_argument("--fresh", action="store_true", help="fill the databases anew")
    parser.add_argument("--quick", action="store_true", help="20,000 messages, one turn: does it run at all?")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.messages, chosen.turns = 20_000, 1
    return chosen


def main() -> None:
    chosen = arguments()
    if not shutil.which("wrk"):
        sys.exit("wrk drives the servers: apt-get install wrk")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
    django.setup()
    from chatstore import database

    from . import run  # needs Django's apps

    if (load := os.getloadavg()[0]) > 1:
        print(f"This machine is busy (load {load:.1f}): what it measures now says little.", file=sys.stderr)
    with database.running():
        run.everything(chosen)


if __name__ == "__main__":
    main()
