"""What staff did and what they read, in the admin's own log."""

from .big_tables import record

__all__ = ["record"]
