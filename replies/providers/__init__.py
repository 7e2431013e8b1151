"""Clients of language models. No other package calls a language model."""

from .answers import Answer, Provider
from .echo import Echo
from .registry import PROVIDERS, build, default, find, names

__all__ = ["PROVIDERS", "Answer", "Echo", "Provider", "build", "default", "find", "names"]
