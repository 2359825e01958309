"""Packages that only training needs: imported when they are used, and asked for by name where they are missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from indexer.errors import UsageError


def needed(package: str, purpose: str) -> ModuleType:
    """Return the imported package. Raises UsageError with the command to type where it is not installed."""
    try:
        return import_module(package)
    except ImportError as error:
        raise UsageError(
            f"{purpose} needs {package.split('.')[0]}, which is not installed.", 'Run: pip install "footnote[training]"'
        ) from error
