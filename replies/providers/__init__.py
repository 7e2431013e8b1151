"""Clients of language models. No other package calls a language model."""

from .answers import Answer, Piece, Pieces, Provider
from .echo import Echo
from .registry import PROVIDERS, build, default, find, known, names

__all__ = ["PROVIDERS", "Answer", "Echo", "Piece", "Pieces", "Provider", "build", "default", "find", "known", "names"]
