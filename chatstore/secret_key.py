"""The default of SECRET_KEY on loopback: a key that is generated once and stored beside the embedded database."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from . import as_root, data_folder


def read_or_create(data_dir: Path) -> str:
    """Return the key in DATA_DIR, and create it if it is missing.

    Raises ImproperlyConfigured if DATA_DIR cannot be used.
    """
    path = data_dir / "secret_key"
    try:
        data_folder.create(data_dir)
        with as_root.acting_as(as_root.owner_of(data_dir)):
            _create(path)
            return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR {data_dir} cannot be used: {error.strerror}.") from None


def _create(path: Path) -> None:
    if path.exists():
        return
    # Write the key to a draft, then link the draft to the final name: two first runs at the same time read the same
    # complete key.
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
