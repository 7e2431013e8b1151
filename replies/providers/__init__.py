"""Clients of language models. No other package calls a language model."""

from .deltas import Delta, Finish, Reasoning, Refusal, Text, ToolCall
from .echo import Echo
from .http import close
from .provider import Provider
from .registry import PROVIDERS, Model, build, default, find, inputs, known, models, names, preload

__all__ = [
    "PROVIDERS",
    "Delta",
    "Echo",
    "Finish",
    "Model",
    "Provider",
    "Reasoning",
    "Refusal",
    "Text",
    "ToolCall",
    "build",
    "close",
    "default",
    "find",
    "inputs",
    "known",
    "models",
    "names",
    "preload",
]
