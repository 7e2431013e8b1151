"""Tables and constraints: one module for each subject.

docs/architecture.md has a diagram. Migrations 0002 and 0003 add in SQL what Django's models cannot express: composite
foreign keys and the search column.
"""

from .conversations import Conversation
from .holds import Hold
from .messages import PROBLEMS, Message, Role, Status
from .reactions import DISLIKES, Reaction
from .receipts import ErasureReceipt
from .shares import Share, SharedMessage
from .usage import DailyUsage, DailyUsageChange

__all__ = [
    "DISLIKES",
    "PROBLEMS",
    "Conversation",
    "DailyUsage",
    "DailyUsageChange",
    "ErasureReceipt",
    "Hold",
    "Message",
    "Reaction",
    "Role",
    "Share",
    "SharedMessage",
    "Status",
]
