"""Signals about shares. Apps of a higher layer receive them: the audit of `staff` records them.

They are sent in the transaction of the change, so a receiver that fails undoes the change."""

from django.dispatch import Signal

share_created = Signal()  # share, address
share_revoked = Signal()  # share, address
