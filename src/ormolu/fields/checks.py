"""What `Field.check()` finds in a field. Source: Django's documentation, "System check framework", Model fields."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator
from typing import Any, cast

from ormolu.problems import CheckMessage, Error, Warning

__all__ = ["CHOICES_HINT", "name_problems", "problems"]

Problems = Iterator[CheckMessage]

CHOICES_HINT = (
    "'choices' must be a mapping of actual values to human readable names or an iterable containing (actual value, "
    "human readable name) tuples."
)
FIXED_HINT = (
    "The moment of the declaration is every row's default. For the moment at which a row is made give a function, such "
    "as ormolu.timezone.now."
)


def problems(field: Any, databases: Collection[str] | None = None) -> Problems:
    """Yield what is wrong with a field that has no relation: in itself, and on these databases."""
    yield from name_problems(field)
    yield from _choices(field)
    yield from _defaults(field)
    if field.db_index not in (None, True, False):
        yield Error("'db_index' must be None, True or False.", obj=field, id="fields.E006")
    yield from _in_databases(field, databases or ())
    if field.primary_key and field.null:
        hint = "Set null=False on the field, or remove primary_key=True argument."
        yield Error("Primary keys must not have null=True.", hint=hint, obj=field, id="fields.E007")
    yield from _validators(field)
    for name, check in KINDS.items():
        if any(cls.__name__ == name and cls.__module__.startswith("ormolu.") for cls in type(field).__mro__):
            yield from check(field)


def name_problems(field: Any) -> Problems:
    """Yield what is wrong with a field's name."""
    name = field.name or ""
    if name.endswith("_"):
        yield Error("Field names must not end with an underscore.", obj=field, id="fields.E001")
    if "__" in name:
        yield Error('Field names must not contain "__".', obj=field, id="fields.E002")
    if name == "pk" and not hasattr(field, "field_names"):
        message = "'pk' is a reserved word that cannot be used as a field name."
        yield Error(message, obj=field, id="fields.E003")


# -- options that all fields have


def _choices(field: Any) -> Problems:
    choices = field.choices
    if not choices:
        return
    if isinstance(choices, str) or not hasattr(choices, "__iter__"):
        message = "'choices' must be a mapping (e.g. a dictionary) or an iterable (e.g. a list or tuple)."
        yield Error(message, obj=field, id="fields.E004")
        return
    values: list[Any] = []
    if not all(_pair(item, values) for item in choices):
        yield Error(CHOICES_HINT, obj=field, id="fields.E005")
        return
    longest = max((len(value) for value in values if isinstance(value, str)), default=0)
    if isinstance(field.max_length, int) and longest > field.max_length:
        message = f"'max_length' is too small to fit the longest value in 'choices' ({longest} characters)."
        yield Error(message, obj=field, id="fields.E009")


def _pair(item: Any, values: list[Any], inside: bool = False) -> bool:
    """Tell whether an item is a (value, label) pair, or outside of groups a (name, pairs) one; collect the values."""
    if isinstance(item, str):
        return False
    try:
        value, label = item
    except (TypeError, ValueError):
        return False
    if isinstance(label, (list, tuple)) or (hasattr(label, "__iter__") and not _is_text(label)):
        group = cast("list[Any]", label)
        return not inside and all(_pair(one, values, inside=True) for one in group)
    values.append(value)
    return not hasattr(value, "__iter__") or _is_text(value) or isinstance(value, (bytes, tuple))


def _is_text(value: Any) -> bool:
    """Tell whether a label is a text, or what Django's `lazy()` makes one of."""
    return isinstance(value, str) or hasattr(value, "_proxy____cast")


def _defaults(field: Any) -> Problems:
    default = field.db_default
    if not field.has_db_default() or not hasattr(default, "flatten"):
        return
    for part in default.flatten():
        if type(part).__name__ in ("F", "Col"):
            yield Error(f"{default} cannot be used in db_default.", obj=field, id="fields.E012")
            return


def _validators(field: Any) -> Problems:
    for place, validator in enumerate(field.validators):
        if not callable(validator):
            hint = f"validators[{place}] ({validator!r}) isn't a function or instance of a validator class."
            yield Error("All 'validators' must be callable.", hint=hint, obj=field, id="fields.E008")


def _in_databases(field: Any, aliases: Collection[str]) -> Problems:
    from ormolu import databases

    meta = getattr(getattr(field, "model", None), "_meta", None)
    needed = getattr(meta, "required_db_features", ())
    for alias in aliases:
        vendor = databases.get(alias).vendor
        if field.db_comment and vendor == "sqlite" and "supports_comments" not in needed:
            message = "SQLite does not support comments on columns (db_comment)."
            yield Warning(message, obj=field, id="fields.W163")
        if vendor == "mysql" and field.unique and (field.max_length or 0) > 255 and _is_a(field, "CharField"):
            message = "MySQL and MariaDB may not allow unique CharFields to have a max_length > 255."
            yield Warning(message, obj=field, id="mysql.W003")


# -- options of some


def _is_a(field: Any, name: str) -> bool:
    return any(cls.__name__ == name and cls.__module__.startswith("ormolu.") for cls in type(field).__mro__)


def _whole(value: Any, least: int) -> bool:
    """Tell whether an option is a number, or a text that is one, of at least this size."""
    try:
        return int(value) >= least
    except (TypeError, ValueError):
        return False


def _auto(field: Any) -> Problems:
    if not field.primary_key:
        yield Error("AutoFields must set primary_key=True.", obj=field, id="fields.E100")


def _characters(field: Any) -> Problems:
    length = field.max_length
    if length is None:
        return  # a text without a limit, as the databases at hand have it
    if not isinstance(length, int) or isinstance(length, bool) or length < 1:
        yield Error("'max_length' must be a positive integer.", obj=field, id="fields.E121")


def _binary(field: Any) -> Problems:
    if isinstance(field.default, str):
        message = "BinaryField's default cannot be a string. Use bytes content instead."
        yield Error(message, obj=field, id="fields.E170")


def _integer(field: Any) -> Problems:
    if field.max_length is not None:
        message = f"'max_length' is ignored when used with {type(field).__name__}."
        yield Warning(message, hint="Remove 'max_length' from field", obj=field, id="fields.W122")


def _decimal(field: Any) -> Problems:
    places: Any = field.decimal_places
    digits: Any = field.max_digits
    if places is None:
        yield Error("DecimalFields must define a 'decimal_places' attribute.", obj=field, id="fields.E130")
    elif not _whole(places, 0):
        yield Error("'decimal_places' must be a non-negative integer.", obj=field, id="fields.E131")
    if digits is None:
        yield Error("DecimalFields must define a 'max_digits' attribute.", obj=field, id="fields.E132")
    elif not _whole(digits, 1):
        yield Error("'max_digits' must be a positive integer.", obj=field, id="fields.E133")
    if _whole(places, 0) and _whole(digits, 1) and not _whole(digits, int(str(places))):
        message = "'max_digits' must be greater or equal to 'decimal_places'."
        yield Error(message, obj=field, id="fields.E134")


def _moment(field: Any) -> Problems:
    if sum(map(bool, (field.auto_now, field.auto_now_add, field.has_default()))) > 1:
        message = (
            "The options auto_now, auto_now_add, and default are mutually exclusive. Only one of these options may be "
            "present."
        )
        yield Error(message, obj=field, id="fields.E160")
    elif isinstance(field.default, (datetime.date, datetime.time)) and _is_about_now(field.default):
        yield Warning("Fixed default value provided.", hint=FIXED_HINT, obj=field, id="fields.W161")


def _is_about_now(value: datetime.date | datetime.time) -> bool:
    """Tell whether a default is near the moment of its declaration, which is now: then the clock gave it."""
    if isinstance(value, datetime.time):
        today = datetime.datetime.now(value.tzinfo).date()
        value = datetime.datetime.combine(today, value)
    if isinstance(value, datetime.datetime):
        now = datetime.datetime.now(value.tzinfo)
        utc = datetime.datetime.now(datetime.UTC)
        utc = utc if value.tzinfo is not None else utc.replace(tzinfo=None)
        near = min(abs(now - value), abs(utc - value))
        near = min(near, abs(datetime.timedelta(days=1) - near))
        return near < datetime.timedelta(seconds=10)
    days = (value - datetime.date.today()).days
    return -1 <= days <= 1


def _file(field: Any) -> Problems:
    if field.primary_key:
        message = f"'primary_key' is not a valid argument for a {type(field).__name__}."
        yield Error(message, obj=field, id="fields.E201")
    if isinstance(field.upload_to, str) and field.upload_to.startswith("/"):
        message = (
            f"{type(field).__name__}'s 'upload_to' argument must be a relative path, not an absolute path."
        )
        yield Error(message, hint="Remove the leading slash.", obj=field, id="fields.E202")


def _path(field: Any) -> Problems:
    if not field.allow_files and not field.allow_folders:
        message = "FilePathFields must have either 'allow_files' or 'allow_folders' set to True."
        yield Error(message, obj=field, id="fields.E140")


def _address(field: Any) -> Problems:
    if field.blank and not field.null:
        message = "GenericIPAddressFields cannot have blank=True if null=False, as blank values are stored as nulls."
        yield Error(message, obj=field, id="fields.E150")


def _shared(field: Any) -> Problems:
    default = field.default
    if field.has_default() and default is not None and not callable(default):
        kinds: dict[Any, tuple[str, str]] = {
            dict: ("dict", "{}"),
            list: ("list", "[]"),
            set: ("set", "set()"),
        }
        kind, shown = kinds.get(default.__class__, ("", ""))
        if kind:
            message = (
                f"{type(field).__name__} default should be a callable instead of an instance so that it's not shared "
                "between all field instances."
            )
            hint = f"Use a callable instead, e.g., use `{kind}` instead of `{shown}`."
            yield Warning(message, hint=hint, obj=field, id="fields.E010")


def _computed(field: Any) -> Problems:
    found = list(field.output_field.check()) if getattr(field, "output_field", None) is not None else []
    for kind, id, chosen in (
        (Error, "fields.E223", [one for one in found if one.is_serious()]),
        (Warning, "fields.W224", [one for one in found if not one.is_serious()]),
    ):
        if chosen:
            told = "\n".join(f"    {one.msg} ({one.id})" for one in chosen)
            what = "errors" if kind is Error else "warnings"
            yield kind(f"GeneratedField.output_field has {what}:\n{told}", obj=field, id=id)


KINDS: dict[str, Callable[[Any], Problems]] = {
    "AutoFieldMixin": _auto,
    "CharField": _characters,
    "BinaryField": _binary,
    "IntegerField": _integer,
    "DecimalField": _decimal,
    "_AutoNow": _moment,
    "FileField": _file,
    "FilePathField": _path,
    "GenericIPAddressField": _address,
    "JSONField": _shared,
    "ArrayField": _shared,
    "HStoreField": _shared,
    "GeneratedField": _computed,
}
"""What is asked of fields of a class of ours, and of those that derive from it."""
