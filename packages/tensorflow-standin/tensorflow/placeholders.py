"""Placeholder classes and the modules that hand them out."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from typing import Any

from tensorflow.errors import TensorFlowMissing


class PlaceholderType(type):
    """Type of all placeholders: any attribute is a placeholder again, and a call raises."""

    def __getattr__(cls, name: str) -> PlaceholderType:
        if name.startswith("__"):
            raise AttributeError(name)
        found = placeholder(f"{cls.__module__}.{cls.__qualname__}.{name}")
        setattr(cls, name, found)
        return found

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Refuse: only an import can do without the real TensorFlow."""
        raise TensorFlowMissing(f"{cls.__module__}.{cls.__qualname__}")


def placeholder(path: str) -> PlaceholderType:
    """Make the placeholder class of a dotted path, such as ``tensorflow.keras.layers.Layer``."""
    module, _, name = path.rpartition(".")
    return PlaceholderType(name, (), {"__module__": module, "__doc__": "Stands in for TensorFlow's own."})


class PlaceholderModule(types.ModuleType):
    """Module whose every public name is a placeholder, made when it is first asked for."""

    def __getattr__(self, name: str) -> PlaceholderType:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = placeholder(f"{self.__name__}.{name}")
        setattr(self, name, found)
        return found


def fill(package: str, submodules: tuple[str, ...]) -> None:
    """Turn a package that is being imported into a placeholder module, with the submodules named.

    Args:
        package: Top-level name, already in ``sys.modules``.
        submodules: Dotted names below it, each parent before its children.
    """
    sys.modules[package].__class__ = PlaceholderModule
    for name in submodules:
        path = f"{package}.{name}"
        module = PlaceholderModule(path, "Stands in for TensorFlow's own.")
        module.__spec__ = importlib.machinery.ModuleSpec(path, None, is_package=True)
        module.__path__ = []
        parent, _, last = path.rpartition(".")
        sys.modules[path] = module
        setattr(sys.modules[parent], last, module)
