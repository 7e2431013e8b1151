"""SECRET_KEY of a first run on loopback: made once, kept beside the embedded database."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def kept_in(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _create(path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR {data_dir} cannot be used: {error.strerror}.") from None


def _create(path: Path) -> None:
    # Written aside and linked into place, so that of two first runs at once both read the same whole key.
    if path.exists():
        return
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
