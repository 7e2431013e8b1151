#!/bin/sh
# start.sh VENV: run the service like `make run`: check the database, migrate, serve. exec lets `docker stop` signal it.
set -eu
exec "$1/bin/python" manage.py up
