"""The process that generates replies: it claims them from the queue, asks the provider and logs what it streams."""

from .process import Generator, Pace

__all__ = ["Generator", "Pace"]
