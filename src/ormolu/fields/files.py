"""Fields that refer to files, which a storage keeps.

Source: Django's documentation, "Model field reference", FileField and ImageField.
"""

from __future__ import annotations

import datetime as dt
import os
import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, overload

from typing_extensions import TypeVar, Unpack

from ormolu.exceptions import DataError, ValidationError
from ormolu.fields import validators
from ormolu.fields.base import Field
from ormolu.fields.field_files import FieldFile, ImageFieldFile
from ormolu.fields.options import DatabaseDefault, FieldOptions
from ormolu.files.aliases import NamedStorage, default_storage
from ormolu.files.base import as_file, is_content
from ormolu.files.images import image_size
from ormolu.files.names import check_name

__all__ = ["FieldFile", "FileField", "ImageField", "ImageFieldFile"]

UploadTo: TypeAlias = "str | os.PathLike[str] | Callable[[Any, str], str | os.PathLike[str]]"
"""A folder, with codes of strftime() in it; or what gives the name of a file: (object, its own name) -> name."""


FF = TypeVar("FF", bound=FieldFile, default=FieldFile)


class FileField(Field[FF]):
    """A file in a storage; the column holds its name (at most 100 characters, unless `max_length` says else).

    Reading the attribute gives a `FieldFile`, which is false where there is no file. A name, a File, an upload or a
    `Path` may be assigned; content goes to the storage when the object is saved. `upload_to` is the folder for it, or a
    function of the object and the file's own name; `storage` an object, what makes one, or an alias of the setting
    STORAGES.
    """

    description = "File"
    own_options: ClassVar[dict[str, Any]] = {"max_length": 100, "upload_to": "", "storage": None}
    attr_class: ClassVar[Any] = FieldFile
    """What reading the attribute gives."""

    plain_classes: ClassVar[frozenset[type]] = frozenset({str})
    stamps_on_save: ClassVar[bool] = True

    if TYPE_CHECKING:
        upload_to: UploadTo
        storage: Any

        @overload
        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            upload_to: UploadTo = "",
            storage: Any = None,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            upload_to: UploadTo = "",
            storage: Any = None,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

        def __set__(self, instance: Any, value: Any) -> None: ...

    else:

        def __init__(self, verbose_name=None, name=None, upload_to="", storage=None, **options):
            if options.get("primary_key"):
                raise TypeError(f"{type(self).__name__}() can't be a primary key.")
            self.upload_to = upload_to
            self._storage = storage
            self.storage = found_storage(storage)
            options.setdefault("max_length", 100)
            super().__init__(verbose_name, name, **options)

    def get_internal_type(self) -> str:
        """Return "FileField"."""
        return "FileField"

    # -- names

    def generate_filename(self, instance: Any, filename: str) -> str:
        """Return the name in the storage for a file that is called `filename`: in `upload_to`, made valid.

        Raises SuspiciousFileOperation for a name that leads elsewhere.
        """
        given = self.upload_to
        if callable(given):
            filename = os.fspath(given(instance, filename))
        else:
            filename = posixpath.join(dt.datetime.now().strftime(os.fspath(given)), filename)
        filename = check_name(filename, with_folders=True)
        return str(self.storage.generate_filename(filename))

    def wrap(self, instance: Any, value: Any) -> FieldFile:
        """Return the file for what an object's attribute was set to: a name, content, a file of another object.

        Raises TypeError for anything else.
        """
        if isinstance(value, FieldFile):
            same = value.instance is instance and value.field is self
            return value if same else value.of(instance, self)
        if is_content(value):
            content = as_file(value)
            file: FieldFile = self.attr_class(instance, self, content.name)
            file._file, file._committed = content, False
            return file
        if isinstance(value, DatabaseDefault):
            value = self.db_default if isinstance(self.db_default, str) else None
        return self.attr_class(instance, self, value)  # type: ignore[no-any-return]

    def measure(self, instance: Any, content: Any) -> None:
        """Set the fields that tell of the file, as an ImageField's do of its size."""

    @property
    def measures(self) -> bool:
        """Whether there are such fields."""
        return False

    # -- saving

    def waits_for_storage(self, values: dict[str, Any]) -> bool:
        """Tell of an object's `__dict__` whether saving it will put a file into the storage."""
        value = values.get(self.attname)
        if value.__class__ is str or value is None:
            return False
        return not value._committed if isinstance(value, FieldFile) else is_content(value)

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Return the object's file, put into the storage if it isn't there yet."""
        values: dict[str, Any] = model_instance.__dict__
        if self.attname in values and not self.waits_for_storage(values):
            return values[self.attname]
        file = getattr(model_instance, self.attname)
        file.commit()
        return file

    @property
    def replaces_none(self) -> bool:
        """Whether a None that is saved is stored as another value: no file is "", where NULL can't be stored."""
        return not self.null

    def get_prep_value(self, value: Any) -> Any:
        """Return the file's name."""
        if value is None or value.__class__ is str:
            return value
        if isinstance(value, FieldFile):
            if value._committed:
                return value._name or ""
        elif not is_content(value):
            return str(value)
        raise ValueError(
            f"The content of {value!r} isn't in the storage of {self}: that is done by save(), create() and "
            "bulk_create() of an object that it was assigned to."
        )

    def save_prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion for values that are stored in this field. The function raises DataError."""
        prepare = super().save_prep_for(cls, connection)
        limit, nothing = self.max_length, None if self.null else ""

        def fit(value: Any) -> Any:
            name = value if prepare is None else prepare(value)
            if name is None or (name == "" and cls is not str):
                return nothing
            if limit is not None and isinstance(name, str) and len(name) > limit:
                raise DataError(
                    f"Value too long for {self} (max_length={limit}): {len(name)} characters, "
                    f"beginning with {name[:40]!r}."
                )
            return name

        return fit

    def save_form_data(self, instance: Any, data: Any) -> None:
        """Set what a form gives: None changes nothing, False clears."""
        if data is not None:
            setattr(instance, self.name, data or "")

    def value_to_string(self, obj: Any) -> str:
        """Return the file's name."""
        return str(self.value_from_object(obj).name or "")


class ImageField(FileField[ImageFieldFile]):
    """An image in a storage: a FileField whose file has a `width` and a `height`. Needs the extra `images`.

    `width_field` and `height_field` name fields of the model that are set when an image is.
    """

    description = "Image"
    own_options: ClassVar[dict[str, Any]] = {"width_field": None, "height_field": None}
    attr_class: ClassVar[Any] = ImageFieldFile
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_image": "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
    }

    if TYPE_CHECKING:
        width_field: str | None
        height_field: str | None

        @overload
        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            width_field: str | None = None,
            height_field: str | None = None,
            upload_to: UploadTo = "",
            storage: Any = None,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self,
            verbose_name: str | None = None,
            *,
            width_field: str | None = None,
            height_field: str | None = None,
            upload_to: UploadTo = "",
            storage: Any = None,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, verbose_name=None, name=None, width_field=None, height_field=None, **options):
            self.width_field, self.height_field = width_field, height_field
            super().__init__(verbose_name, name, **options)

    @property
    def measures(self) -> bool:
        """Whether there are fields for the size."""
        return bool(self.width_field or self.height_field)

    def measure(self, instance: Any, content: Any) -> None:
        """Set the fields for the size to that of the content, None for no image."""
        if self.measures:
            self._set_size(instance, *((None, None) if content is None else image_size(content)))

    def measure_assigned(self, instance: Any) -> None:
        """Set the fields for the size to that of the image that was assigned."""
        file: Any = getattr(instance, self.attname)
        self._set_size(instance, *((file.width, file.height) if file else (None, None)))

    def measure_given(self, instance: Any) -> None:
        """Do so for an image that a constructor was given, unless it was given the size, too.

        A name is none: it may stand for a row that was loaded, whose file isn't looked at.
        """
        value = instance.__dict__.get(self.attname)
        names = (self.width_field, self.height_field)
        known = all(getattr(instance, name) is not None for name in names if name)
        if not known and (is_content(value) or isinstance(value, FieldFile)):
            self.measure_assigned(instance)

    def _set_size(self, instance: Any, width: int | None, height: int | None) -> None:
        if self.width_field:
            setattr(instance, self.width_field, width)
        if self.height_field:
            setattr(instance, self.height_field, height)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError, too, for content that Pillow knows as no image, or not by its extension."""
        super().validate(value, model_instance)
        if isinstance(value, FieldFile) and not value._committed:
            validators.validate_image_file_extension(value)
            width, _ = image_size(value.file)
            if width is None:
                raise ValidationError(self.error_messages["invalid_image"], code="invalid_image")


def found_storage(given: Any) -> Any:
    """Return the storage that a field was given: an object, what makes one, an alias, None for the default.

    Raises TypeError for what can't keep files.
    """
    if given is None:
        return default_storage
    if isinstance(given, str):
        return NamedStorage(given)
    if isinstance(given, NamedStorage):
        return given
    found = given() if callable(given) else given
    if isinstance(found, type) or not all(hasattr(found, name) for name in ("save", "open", "delete", "url")):
        raise TypeError(
            "FileField.storage must be a storage (ormolu.files.Storage, or an object with its methods), an alias of "
            f"the setting STORAGES, or a callable that returns a storage; not {found!r}."
        )
    return found
