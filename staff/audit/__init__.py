"""The audit of staff: the functions that record events, the pages that show them, the reasons, the retention."""

from .events import Actor, By, attach_names, current_reason, id_of, record, record_each, record_refusal

__all__ = [
    "Actor",
    "By",
    "attach_names",
    "current_reason",
    "id_of",
    "record",
    "record_each",
    "record_refusal",
]
