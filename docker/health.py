"""Exits with an error unless the service and its database answer."""

import os
from urllib.request import Request, urlopen

host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip("*. ") or "localhost"
urlopen(Request(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz/", headers={"Host": host}), timeout=5)
