"""A pytest plugin, loaded by pytest.ini before Django reads its settings: tests run with the defaults of all settings,
whatever the environment or the .env file of the person who runs them says."""

import os
import re
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"
# The tests use the database server of these.
KEPT = {"DATABASE_URL", "DATA_DIR", "SECRET_KEY"}
# An empty variable is as good as none, and hides that of an .env file.
for name in set(re.findall(r"^# ([A-Z][A-Z_]+)=", EXAMPLE.read_text(), re.M)) - KEPT:
    os.environ[name] = os.environ[f"{name}_FILE"] = ""
