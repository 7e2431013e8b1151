#!/bin/sh
# start.sh VENV: run the service like `make run`. exec lets the service get the signal of `docker stop`.
set -eu
exec "$1/bin/python" manage.py up
