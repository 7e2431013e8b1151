"""What members of staff did: the function that writes it down, the pages that show it, the reasons, the retention."""

from .events import attach_names, current_reason, record, record_each, record_refusal

__all__ = ["attach_names", "current_reason", "record", "record_each", "record_refusal"]
