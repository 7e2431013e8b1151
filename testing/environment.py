"""A pytest plugin that hides the developer's settings, so that all settings except KEPT have their defaults.

pytest.ini loads it before Django reads its settings."""

import os
import re
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"
# The tests use the database server of these settings.
KEPT = {"DATABASE_URL", "DATA_DIR", "SECRET_KEY"}
# An empty variable counts as missing, and hides a value in an .env file.
for name in set(re.findall(r"^# ([A-Z][A-Z_]+)=", EXAMPLE.read_text(), re.M)) - KEPT:
    os.environ[name] = os.environ[f"{name}_FILE"] = ""
