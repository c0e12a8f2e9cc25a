"""Names of files: what is taken, what is refused, and what is made of the rest."""

from __future__ import annotations

import os
import pathlib
import re
import secrets
import string
from urllib.parse import quote

from ormolu.exceptions import SuspiciousFileOperation

__all__ = ["alternative_name", "check_name", "name_in_url", "shortened", "valid_name"]

_LETTERS = string.ascii_letters + string.digits


def check_name(name: str, *, with_folders: bool = False) -> str:
    """Return a name that stays where it belongs.

    Raises SuspiciousFileOperation for one that is empty, absolute, or leads out of its folder; without `with_folders`
    also for one that leads into another.
    """
    if os.path.basename(name) in {"", ".", ".."}:
        raise SuspiciousFileOperation(f"Could not derive file name from '{name}'.")
    if with_folders:
        path = pathlib.PurePosixPath(str(name).replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:/", str(path)):
            raise SuspiciousFileOperation(f"Detected path traversal attempt in '{name}'.")
    elif name != os.path.basename(name):
        raise SuspiciousFileOperation(f"File name '{name}' includes path elements.")
    return name


def valid_name(name: str) -> str:
    """Return a name with its spaces as underscores, and without what isn't a letter, a digit, `_`, `-` or `.`.

    Raises SuspiciousFileOperation if nothing is left.
    """
    kept = re.sub(r"[^-\w.]", "", str(name).strip().replace(" ", "_"))
    if kept in {"", ".", ".."}:
        raise SuspiciousFileOperation(f"Could not derive file name from '{name}'.")
    return kept


def split(name: str) -> tuple[str, str]:
    """Return a name without its extensions, and these: `.tar.gz` is both of them."""
    extensions = "".join(pathlib.PurePath(name).suffixes)
    return (name.removesuffix(extensions), extensions) if extensions else (name, "")


def alternative_name(root: str, extension: str) -> str:
    """Return another name: an underscore and seven random letters before the extension."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(7))
    return f"{root}_{letters}{extension}"


def shortened(root: str, extension: str, name: str, most: int) -> str:
    """Return the root without as many letters at its end as make `name`, made of it, fit into `most` characters.

    Raises SuspiciousFileOperation if that leaves none.
    """
    root = root[: len(root) - (len(name) - most)] if len(name) - most < len(root) else ""
    if not root:
        raise SuspiciousFileOperation(
            f'Storage can not find an available filename for "{name}": at most {most} characters are allowed, of '
            f'which "{extension}" and the random part take too many. Allow a larger max_length.'
        )
    return root


def name_in_url(name: str) -> str:
    """Return a name as a part of a URL."""
    return quote(name.replace("\\", "/"), safe="/~!*()'")
