"""DATA_DIR: the folder that holds the embedded database and, on loopback, the secret key."""

import hashlib
import os
import re
from pathlib import Path

from . import as_root


def default(project: Path) -> Path:
    """Return the default of DATA_DIR: `.data` in the project, or for root a folder under /var/lib/chatstore.

    If `.data` already contains a database, root uses it, too (docs/decisions/0011-what-root-starts.md).
    """
    inside = project / ".data"
    if os.geteuid():
        return inside
    service = as_root.STATE_DIR / _name(project)
    return inside if _holds_database(inside) and not _holds_database(service) else service


def create(folder: Path) -> None:
    """Create the folder, if it is missing, so that no other user can list it.

    Under root, other users can enter it, because PostgreSQL runs as another user. All files in it are private.
    """
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchmod(descriptor, 0o700 if os.geteuid() else 0o711)
    finally:
        os.close(descriptor)


def _holds_database(folder: Path) -> bool:
    return (folder / "postgres").exists()


def _name(project: Path) -> str:
    """Return a readable name that is different for each clone."""
    readable = re.sub(r"[^a-z0-9]+", "-", project.name.lower()).strip("-")[:30] or "clone"
    return f"{readable}-{hashlib.sha256(os.fsencode(project)).hexdigest()[:12]}"
