"""Exit with an error if the service or its database does not answer."""

import os
from urllib.request import urlopen

urlopen(f"http://127.0.0.1:{os.environ.get('PORT') or '8000'}/readyz/", timeout=5)
