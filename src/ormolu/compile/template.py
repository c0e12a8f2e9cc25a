"""SQL text with elements in it, as a SQLAlchemy element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal

from ormolu.databases.placeholders import PLACEHOLDER


class Template(ColumnElement[Any]):
    """SQL text with elements in it: pieces[0] element[0] pieces[1] ..."""

    inherit_cache = True
    _traverse_internals: Any = [
        ("name", InternalTraversal.dp_string),
        ("pieces", InternalTraversal.dp_string_list),
        ("elements", InternalTraversal.dp_clauseelement_list),
        ("type", InternalTraversal.dp_type),
    ]

    def __init__(self, name: str, pieces: Sequence[str], elements: Sequence[Any], type_: Any) -> None:
        self.name, self.pieces, self.elements = name, list(pieces), list(elements)
        self.type = type_

    def get_children(self, **kwargs: Any) -> Any:
        """Return the elements, for SQLAlchemy's traversals."""
        return list(self.elements)

    @property
    def _from_objects(self) -> list[Any]:
        return [source for element in self.elements for source in element._from_objects]

    def _copy_internals(self, clone: Callable[..., Any] | None = None, **kwargs: Any) -> None:
        if clone is not None:
            self.elements = [clone(element, **kwargs) for element in self.elements]


def parted(sql: str) -> tuple[list[str], list[Any]]:
    """Return the text between the placeholders, and for each of them its name, or its place."""
    pieces = [""]
    names: list[Any] = []
    end = 0
    for found in PLACEHOLDER.finditer(sql):
        pieces[-1] += sql[end : found.start()]
        end = found.end()
        if found[0] == "%%":
            pieces[-1] += "%"
        else:
            names.append(len(names) if found[1] is None else found[1])
            pieces.append("")
    pieces[-1] += sql[end:]
    return pieces, names


@compiles(Template)
def _template(element: Template, compiler: Any, **kwargs: Any) -> str:
    """Render the pieces and the elements between them."""
    double = compiler.preparer._double_percents
    text: list[str] = []
    for number, piece in enumerate(element.pieces):
        text.append(piece.replace("%", "%%") if double else piece)
        if number < len(element.elements):
            text.append(compiler.process(element.elements[number], **kwargs))
    closing = ")" if element.name == "raw" else ""
    return "".join(text) + closing
