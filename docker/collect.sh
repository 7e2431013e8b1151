#!/bin/sh
# collect.sh VENV: collect the static files in one folder. Django needs a SECRET_KEY to start, but nothing uses it here.
set -eu
SECRET_KEY=collectstatic "$1/bin/python" manage.py collectstatic --no-input --verbosity 0
