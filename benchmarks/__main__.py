"""`python -m benchmarks`: fill the databases if necessary, measure the areas, and print their tables."""

import argparse
import os
import shutil
import signal
import sys

import django

AREAS = ("requests", "contracts", "staff", "bulk", "replies", "slow", "app", "memory")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--messages",
        type=int,
        default=1_000_000,
        help="number of messages in the large database (default: %(default)s)",
    )
    parser.add_argument(
        "--users", type=int, help="number of users in the large database (default: one for every 500 messages)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the random data (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a turn, in seconds (default: %(default)s)")
    parser.add_argument(
        "--turns", type=int, default=5, help="number of turns; the result is their median (default: %(default)s)"
    )
    parser.add_argument(
        "--sessions", type=int, default=400, help="number of sessions that contract D saves (default: %(default)s)"
    )
    parser.add_argument(
        "--replies", type=int, default=500, help="number of replies that stream at once (default: %(default)s)"
    )
    parser.add_argument(
        "--requests", type=int, default=20_000, help="number of requests before memory is read (default: %(default)s)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=AREAS, default=AREAS, metavar="AREA", help=f"areas to run: {', '.join(AREAS)}"
    )
    parser.add_argument("--fresh", action="store_true", help="fill the databases again")
    parser.add_argument(
        "--quick", action="store_true", help="small numbers and one turn, to check that everything runs"
    )
    options = parser.parse_args()
    if options.quick:
        options.messages, options.turns, options.sessions = 20_000, 1, 40
        options.replies, options.requests = 20, 2_000
    return options


def main() -> None:
    options = arguments()
    if not shutil.which("wrk"):
        sys.exit("The benchmark needs wrk: apt-get install wrk")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # raises SystemExit, so that the servers are stopped
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
    django.setup()
    from chatstore import database

    from . import run  # imports models, so after django.setup()

    if (load := os.getloadavg()[0]) > 1:
        print(f"This machine is busy (load {load:.1f}), so the results are not reliable.", file=sys.stderr)
    with database.server_running():
        run.run_all(options)


if __name__ == "__main__":
    main()
