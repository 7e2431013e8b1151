"""What members of staff did: the function that writes it down, the pages that show it, the reasons, the retention."""

from .events import Actor, By, address_of, attach_names, current_reason, id_of, record, record_each, record_refusal

__all__ = [
    "Actor",
    "By",
    "address_of",
    "attach_names",
    "current_reason",
    "id_of",
    "record",
    "record_each",
    "record_refusal",
]
