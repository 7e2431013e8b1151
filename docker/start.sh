#!/bin/sh
# start.sh VENV: as `make run` does: checks the database, migrates, serves. exec, so that `docker stop` reaches it.
set -eu
exec "$1/bin/python" manage.py up
