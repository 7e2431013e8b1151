"""Clients of language models. This is the only package that calls other services."""

from .answers import Answer, Provider
from .echo import Echo
from .registry import PROVIDERS, build, default, find, names

__all__ = ["PROVIDERS", "Answer", "Echo", "Provider", "build", "default", "find", "names"]
