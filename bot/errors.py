"""What can go wrong around the dialogue engine, in words that may be shown and logged."""

from __future__ import annotations


class NotBegun(Exception):
    """A message was not taken: nothing was done, and it may be said again, here or elsewhere."""


class Unreachable(Exception):
    """Something that a setting names does not answer; the sentence names the setting, never its value."""
