"""SECRET_KEY of a first run on loopback: made once, kept beside the embedded database."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from . import as_root, data_folder


def kept_in(data_dir: Path) -> str:
    """Return the key in DATA_DIR; make it if it is missing."""
    path = data_dir / "secret_key"
    try:
        data_folder.create(data_dir)
        with as_root.acting_as(as_root.owner_of(data_dir)):
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
