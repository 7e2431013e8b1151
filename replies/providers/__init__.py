"""Who answers. Only this package talks to the outside."""

from .answers import Answer, Provider
from .registry import default, find, names

__all__ = ["Answer", "Provider", "default", "find", "names"]
