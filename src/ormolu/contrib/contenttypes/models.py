"""`ContentType`: a row for each model that something refers to by a generic key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from ormolu.contrib.contenttypes import rows
from ormolu.databases import get as database
from ormolu.fields import AutoField, CharField
from ormolu.models.base import Model
from ormolu.models.manager import Manager
from ormolu.models.registry import Apps

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet

__all__ = ["ContentType", "ContentTypeManager"]


class ContentTypeManager(Manager["ContentType"]):
    """Finds content types, and remembers them: those of a database are asked for once.

    What isn't there yet is made. A row that was made in a transaction is remembered when that has committed.
    """

    use_in_migrations = True

    def __init__(self) -> None:
        super().__init__()
        # By alias, then by (app_label, model) and by key. All copies of the manager share it.
        self._cache: dict[str, dict[Any, ContentType]] = {}
        # Rows that were made in transactions. A rollback lets go of what waits for the commit, and so of the entry.
        self._unsure: WeakValueDictionary[tuple[str, rows.Key], Any] = WeakValueDictionary()

    def get_for_model(self, model: Any, for_concrete_model: bool = True) -> ContentType:
        """Return the content type of a model, or of an object's, made if it isn't there.

        A proxy has that of its concrete model, unless `for_concrete_model` is false. At most one SELECT, and where
        the row must be made an INSERT.
        """
        key = rows.key_of(model, for_concrete_model)
        found = self._held([key])
        if found is None:
            found = database(self.db).driver.run(rows.by_keys, self, [key])
        return found[key]

    async def aget_for_model(self, model: Any, for_concrete_model: bool = True) -> ContentType:
        """Return the content type of a model. See `get_for_model()`."""
        key = rows.key_of(model, for_concrete_model)
        found = self._held([key])
        if found is None:
            found = await database(self.db).adriver.arun(rows.by_keys, self, [key])
        return found[key]

    def get_for_models(self, *models: Any, for_concrete_models: bool = True) -> dict[Any, ContentType]:
        """Return the content types of several models, by model. One SELECT for all that aren't remembered."""
        keys = [rows.key_of(model, for_concrete_models) for model in models]
        found = self._held(keys)
        if found is None:
            found = database(self.db).driver.run(rows.by_keys, self, keys)
        return {model: found[key] for model, key in zip(models, keys, strict=True)}

    async def aget_for_models(self, *models: Any, for_concrete_models: bool = True) -> dict[Any, ContentType]:
        """Return the content types of several models, by model. See `get_for_models()`."""
        keys = [rows.key_of(model, for_concrete_models) for model in models]
        found = self._held(keys)
        if found is None:
            found = await database(self.db).adriver.arun(rows.by_keys, self, keys)
        return {model: found[key] for model, key in zip(models, keys, strict=True)}

    def get_for_id(self, id: Any) -> ContentType:
        """Return a content type by its key. At most one SELECT. Raises DoesNotExist."""
        found = self._held([id])
        if found is None:
            found = database(self.db).driver.run(rows.by_ids, self, [id])
        return rows.present(found, id)

    async def aget_for_id(self, id: Any) -> ContentType:
        """Return a content type by its key. See `get_for_id()`."""
        found = self._held([id])
        if found is None:
            found = await database(self.db).adriver.arun(rows.by_ids, self, [id])
        return rows.present(found, id)

    def get_by_natural_key(self, app_label: str, model: str) -> ContentType:
        """Return a content type by label and model name. At most one SELECT. Raises DoesNotExist."""
        key = (app_label, model)
        found = self._held([key])
        if found is None:
            found = database(self.db).driver.run(rows.found, self, [key])
        return rows.present(found, key)

    async def aget_by_natural_key(self, app_label: str, model: str) -> ContentType:
        """Return a content type by label and model name. See `get_by_natural_key()`."""
        key = (app_label, model)
        found = self._held([key])
        if found is None:
            found = await database(self.db).adriver.arun(rows.found, self, [key])
        return rows.present(found, key)

    def clear_cache(self) -> None:
        """Forget all content types that were loaded."""
        self._cache.clear()

    def _held(self, keys: list[Any]) -> dict[Any, ContentType] | None:
        """Return content types by key, if all of them are remembered."""
        held = self._cache.get(self.db)
        if held is None or any(key not in held for key in keys):
            return None
        return {key: held[key] for key in keys}

    def _remember(self, alias: str, found: list[ContentType]) -> None:
        """Keep content types whose rows are there for all."""
        held = self._cache.setdefault(alias, {})
        for row in found:
            held[row.natural_key()] = held[row.pk] = row


class ContentType(Model):
    """A model of some application, as a row that others can refer to.

    `app_label` and `model` (the lower-case name) say which. Rows are made when `ContentType.objects.get_for_model()`
    or a generic key first needs one. The table is Django's: an existing one can be used.
    """

    id = AutoField(primary_key=True)
    app_label = CharField(max_length=100)
    model = CharField("python model class name", max_length=100)

    objects: ClassVar[ContentTypeManager] = ContentTypeManager()

    class Meta:
        app_label = "contenttypes"
        db_table = "django_content_type"
        unique_together = (("app_label", "model"),)
        verbose_name = "content type"

    def __str__(self) -> str:
        return self.app_labeled_name

    @property
    def name(self) -> str:
        """The model's verbose name; its plain name where the model is gone."""
        model = self.model_class()
        return str(model._meta.verbose_name) if model is not None else self.model

    @property
    def app_labeled_name(self) -> str:
        """The application's and the model's name, to be read."""
        model = self.model_class()
        return f"{self.app_label.title()} | {model._meta.verbose_name}" if model is not None else self.model

    def model_class(self, apps: Apps | None = None) -> Any:
        """Return the model, None where it doesn't exist (any more). It is looked up in `apps`, a registry, first."""
        for registry in (apps, self._meta.apps):
            model = registry.all_models.get(self.app_label, {}).get(self.model) if registry else None
            if model is not None:
                return model
        return None

    def get_object_for_this_type(self, using: str | None = None, **kwargs: Any) -> Any:
        """Return the object of this model that meets the lookups. One SELECT. Raises DoesNotExist."""
        return self._objects(using).get(**kwargs)

    async def aget_object_for_this_type(self, using: str | None = None, **kwargs: Any) -> Any:
        """Return the object of this model that meets the lookups. See `get_object_for_this_type()`."""
        return await self._objects(using).aget(**kwargs)

    def get_all_objects_for_this_type(self, **kwargs: Any) -> QuerySet[Any]:
        """Return a queryset of the objects of this model that meet the lookups."""
        return self._objects(None).filter(**kwargs)

    def _objects(self, using: str | None) -> QuerySet[Any]:
        model = self.model_class()
        if model is None:
            raise LookupError(f"There is no model '{self.app_label}.{self.model}' (any more).")
        found: QuerySet[Any] = model._base_manager.db_manager(using).all()
        return found

    def natural_key(self) -> tuple[str, str]:
        """Return what names this content type in any database."""
        return (self.app_label, self.model)
