"""Exit with an error unless the service and its database answer."""

import os
from urllib.request import urlopen

urlopen(f"http://127.0.0.1:{os.environ.get('PORT') or '8000'}/readyz/", timeout=5)
