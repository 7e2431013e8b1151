#!/bin/sh
# collect.sh VENV: collect the static files in one folder. Django needs a key to start; this one is not used.
set -eu
SECRET_KEY=collectstatic "$1/bin/python" manage.py collectstatic --no-input --verbosity 0
