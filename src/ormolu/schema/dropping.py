"""What is removed is looked for in the database first: there it may have another name than ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.schema import DropIndex
from sqlalchemy.sql.elements import conv

from ormolu.schema.remaking import Remaking
from ormolu.schema.tables import FieldParts

__all__ = ["Dropping"]


class Dropping(Remaking):
    """The part of the schema editor that removes constraints and indexes."""

    if TYPE_CHECKING:

        @property
        def remakes(self) -> bool: ...
        def operations(self) -> Any: ...

    def constraints_of(self, model: Any) -> dict[str, Any]:
        """Return the constraints and indexes that a model's table has in the database, by name."""
        return self.connection.introspection.get_constraints(None, model._meta.db_table)

    def _drop_index(self, model: Any, index: sa.Index) -> None:
        names = self.constraints_of(model)
        if str(index.name) not in names:
            columns = [column.name for column in index.columns]
            own = {part.name for part in (*model._meta.indexes, *model._meta.constraints)}
            like = [
                name
                for name, found in names.items()
                if found["index"] and not found["unique"] and found["columns"] == columns and name not in own
            ]
            if not like:
                return
            index.name = conv(like[0])
        self.execute(DropIndex(index))

    def drop_unique(self, model: Any, columns: list[str], expected: str) -> None:
        """Remove what makes columns unique together: the constraint or unique index of that name, or the only one."""
        own = {part.name for part in (*model._meta.indexes, *model._meta.constraints)}
        found = {
            name: details
            for name, details in self.constraints_of(model).items()
            if details["unique"]
            and not details["primary_key"]
            and details["columns"] == columns
            and name not in own
        }
        name = expected if expected in found else next(iter(found), None)
        if name is None:
            raise ValueError(
                f"{model._meta.db_table!r} has no constraint that makes {', '.join(columns)} unique together."
            )
        quote = self.dialect.identifier_preparer.quote
        if not self.remakes:
            self._drop_constraint(model, name, "unique")
        elif found[name]["index"] and found[name].get("type") == "idx":
            self.execute(f"DROP INDEX {quote(name)}")
        else:
            draft = self.draft(model)
            for constraint in [c for c in draft.table.constraints if isinstance(c, sa.UniqueConstraint)]:
                if [column.name for column in constraint.columns] == columns:
                    draft.table.constraints.discard(constraint)
            self.remake(draft)

    def _drop_part(self, model: Any, constraint: Any, parts: FieldParts) -> None:
        kinds = {
            sa.ForeignKeyConstraint: "foreignkey",
            sa.UniqueConstraint: "unique",
            sa.CheckConstraint: "check",
        }
        kind = next(word for base, word in kinds.items() if isinstance(constraint, base))
        names = self.constraints_of(model)
        name = str(constraint.name)
        if name not in names:
            key = {"foreignkey": "foreign_key"}.get(kind, kind)
            own = {part.name for part in (*model._meta.indexes, *model._meta.constraints)}
            like = [
                found
                for found, details in names.items()
                if details[key]
                and not details["primary_key"]
                and details["columns"] == [parts.column.name]
                and found not in own
            ]
            if not like:
                return
            name = like[0]
        self._drop_constraint(model, name, kind)

    def _drop_constraint(self, model: Any, name: str, kind: str) -> None:
        self.operations().drop_constraint(
            name, model._meta.table.name, type_=kind, schema=model._meta.table.schema
        )
