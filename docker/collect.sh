#!/bin/sh
# collect.sh VENV: the static files, in one folder. The key signs nothing here, and so none is made and kept.
set -eu
SECRET_KEY=collectstatic "$1/bin/python" manage.py collectstatic --no-input --verbosity 0
