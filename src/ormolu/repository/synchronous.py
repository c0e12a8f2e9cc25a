"""`Repository`: the objects of one model behind a SQLAlchemy Session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import Select

from ormolu.query import unit_of_work
from ormolu.repository import inserting
from ormolu.repository.base import Base, check_names, unscoped
from ormolu.repository.inserting import OnConflict
from ormolu.repository.pages import NumberedPage
from ormolu.repository.selections import AsyncSelection, Selection, StatementSelection

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, scoped_session

__all__ = ["Repository"]

M = TypeVar("M")


class Repository(Base[M]):
    """The objects of a model, through a Session: `Repository(session, User)`, or a class of one's own.

        class UserRepository(Repository[User]):
            def active(self) -> list[User]:
                return self.where(is_active=True).order_by("name").all()

    Objects are the session's own, each once (identity map). Whatever writes also flushes, so that keys and errors are
    there at once; nothing commits, unless it is told `commit=True`: the transaction is its user's. `query` in a
    method may be a selection (`where()`), a QuerySet, or a SQLAlchemy Select of the model's objects.
    """

    session: Session

    def __init__(self, session: Session | scoped_session[Session], model: type[M] | None = None) -> None:
        super().__init__(model)
        found = unscoped(session)
        if not hasattr(found, "identity_map") or hasattr(found, "run_sync"):
            raise TypeError(
                f"{type(self).__name__} takes a SQLAlchemy Session, not {session!r}."
                + (" For an AsyncSession there is AsyncRepository." if hasattr(found, "run_sync") else "")
            )
        self.session = found

    # Asking

    @property
    def objects(self) -> Any:
        """The model's manager, bound to the session: everything else that a QuerySet can do."""
        return cast(Any, self.model)._default_manager(self.session)

    def where(self, *conditions: Any, **lookups: Any) -> Selection[M]:
        """Return a selection of what meets all conditions: SQLAlchemy's, `Q` objects, lookups. Asks nothing yet."""
        made: Selection[M] = Selection(self.model, self.objects)
        return made.where(*conditions, **lookups)

    def chosen(self, query: Any = None, order_by: Any = None) -> Selection[M] | StatementSelection[M]:
        """Return what a `query` means here: a selection, a QuerySet, a Select, or None for all objects."""
        found: Selection[M] | StatementSelection[M]
        if query is None:
            found = self.where()
        elif isinstance(query, Selection):
            found = cast("Selection[M]", query)
        elif isinstance(query, AsyncSelection):
            found = cast("AsyncSelection[M]", query).sync
        elif isinstance(query, Select):
            found = StatementSelection(self.model, query, self.session)
        else:
            found = Selection(self.model, inserting.on_session(query, self.model, self.session))
        if order_by is None:
            return found
        return found.order_by(*(order_by if isinstance(order_by, (list, tuple)) else (order_by,)))

    def get(self, key: Any) -> M | None:
        """Return the object with this primary key, or None. No query where the session holds it.

        `key` is a tuple where the key is composite. Text is taken for what the key is (a UUID).
        Raises ValidationError for a text that can't be a key.
        """
        if key is None:
            return None
        meta: Any = cast(Any, self.model)._meta
        fields = meta.pk_fields
        if len(fields) == 1:
            return self.session.get(self.model, fields[0].to_python(key))
        return self.session.get(
            self.model, tuple(f.to_python(part) for f, part in zip(fields, key, strict=True))
        )

    def find_by(self, **lookups: Any) -> M | None:
        """Return the first object, by the primary key, that meets these lookups; None where there is none. One query.

        Raises TypeError with no lookups, FieldError for an unknown name.
        """
        if not lookups:
            raise TypeError("find_by() takes conditions: find_by(email='ann@example.com').")
        return self.where(**lookups).first()

    def all(self, query: Any = None, *, order_by: Any = None, limit: int | None = None) -> list[M]:
        """Return all objects, or those of a query. One query."""
        found = self.chosen(query, order_by)
        return (found if limit is None else found.limit(limit)).all()

    def first(self, query: Any = None, *, order_by: Any = None) -> M | None:
        """Return the first object, by the primary key where nothing orders them; None where there is none."""
        return self.chosen(query, order_by).first()

    def one(self, query: Any = None) -> M:
        """Return the only object. Raises DoesNotExist or MultipleObjectsReturned."""
        return self.chosen(query).one()

    def one_or_none(self, query: Any = None) -> M | None:
        """Return the only object, or None. Raises MultipleObjectsReturned."""
        return self.chosen(query).one_or_none()

    def count(self, query: Any = None) -> int:
        """Return how many objects there are. One query."""
        return self.chosen(query).count()

    def exists(self, query: Any = None, **lookups: Any) -> bool:
        """Tell whether there is an object, of a query or with these values. One query."""
        if not lookups:
            return self.chosen(query).exists()
        found = self.chosen(query)
        if not isinstance(found, Selection):
            raise TypeError("exists() takes a Select or lookups, not both: add the conditions to the Select.")
        return found.where(**lookups).exists()

    def paginate(
        self, page: int = 1, size: int = 20, *, query: Any = None, order_by: Any = None
    ) -> NumberedPage[M]:
        """Return a page of the objects, by the primary key where nothing else orders them. Two queries.

        Raises ValueError for a page or a size below 1. See `QuerySet.page()` for pages that don't shift.
        """
        return self.chosen(query, order_by).paginate(page, size)

    def find_last_modified(self, query: Any = None) -> M | None:
        """Return the object that was changed last: by the field with `auto_now`, else `updated_at`. One query.

        Raises FieldError for a model that has neither.
        """
        return self.chosen(query).find_last_modified()

    # Writing

    def add(self, instance: M, *, commit: bool = False) -> M:
        """Add an object to the session and flush; a detached one is attached again. Return it."""
        self.session.add(instance)
        self._written(commit)
        return instance

    save = add

    def add_all(self, instances: Iterable[M], *, commit: bool = False) -> list[M]:
        """Add objects to the session and flush; return them."""
        found = list(instances)
        self.session.add_all(found)
        self._written(commit)
        return found

    def create(self, **values: Any) -> M:
        """Make an object of these values, add it and flush. Raises TypeError for an unknown name, IntegrityError."""
        made: M = self.objects.create(**values)
        return made

    def update(self, instance: M, *, commit: bool = False, **values: Any) -> M:
        """Set attributes of an object and flush. Raises FieldDoesNotExist for an unknown name; nothing is set then."""
        check_names(self.model, values)
        for name, value in values.items():
            setattr(instance, name, value)
        self.session.add(instance)
        self._written(commit)
        return instance

    def delete(self, instance: M, *, commit: bool = False) -> None:
        """Delete an object's row, and do to those that refer to it what their on_delete says.

        An object that is only pending leaves the session. Raises ValueError for one that has no row, ProtectedError or
        RestrictedError before anything is deleted.
        """
        inserting.delete(self.session, instance)
        self._written(commit)

    def bulk_insert(
        self,
        rows: Iterable[M | Mapping[str, Any]],
        *,
        on_conflict: OnConflict = "fail",
        unique_fields: Iterable[str] | None = None,
        update_fields: Iterable[str] | None = None,
        batch_size: int | None = None,
        commit: bool = False,
    ) -> list[M]:
        """Insert many rows, of dictionaries or objects, by few statements, all or none; return what was written.

        A row that is there already raises IntegrityError with `on_conflict="fail"`. With "nothing" it stays as it is,
        and only the objects whose rows were really inserted are returned. With "update" it gets the new values, of
        `update_fields` or of all that were given, and is returned as well. `unique_fields` say which row is the same;
        without them "nothing" leaves out rows that any constraint refuses.

        The objects are the session's; signals and `save()` are left out, `auto_now` is not. Raises ValueError where
        "update" isn't told the fields, TypeError, ValueError or DataError, with the field named, for what doesn't fit.
        """
        found = inserting.insert(
            self.session, self.model, rows, on_conflict, unique_fields, update_fields, batch_size
        )
        self._written(commit, flush=False)
        return cast("list[M]", found)

    def refresh(self, instance: M) -> M:
        """Load an object's columns again. Raises DoesNotExist where the row is gone."""
        inserting.refresh(self.session, instance)
        return instance

    def _written(self, commit: bool, flush: bool = True) -> None:
        if commit:
            unit_of_work.commit(self.session)
        elif flush:
            unit_of_work.flush(self.session)
