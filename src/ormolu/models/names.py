"""Names that are derived: application labels, table names, verbose names."""

from __future__ import annotations

import re
import sys
from typing import Any

_WORD_START = re.compile(r"((?<=[a-z])[A-Z]|(?<!\A)[A-Z](?=[a-z]))")


def app_label_of(model: type[Any]) -> str:
    """Return the application label of a class that doesn't give one.

    It is the package that holds the module `models` (`shop.blog.models` and `shop.blog.models.posts` give `blog`),
    else the last package (`shop.catalog` gives `shop`). A module outside any package, the `__main__` script and a
    notebook have none: the label is empty, and `_meta.label` is the class name alone.
    """
    parts = model.__module__.split(".")
    if parts[0] == "__main__":
        spec = getattr(sys.modules.get("__main__"), "__spec__", None)  # python -m package.module
        parts = (
            spec.name.removesuffix(".__main__").split(".") if spec is not None and "." in spec.name else [""]
        )
    if "models" in parts[1:]:
        return parts[len(parts) - 1 - parts[::-1].index("models") - 1]
    return parts[-2] if len(parts) > 1 else ""


def table_name(model: type[Any], app_label: str, model_name: str, given: dict[str, Any]) -> str:
    """Return the name of a model's table: `label_modelname`, or the model's name alone without a label."""
    return f"{app_label}_{model_name}" if app_label else model_name


def verbose(class_name: str) -> str:
    """Turn a class name into words: `BlogPost` gives `blog post`."""
    return _WORD_START.sub(r" \1", class_name).lower().strip()
