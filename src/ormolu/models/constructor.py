"""The generated `__init__` of each model: one function per class, which fills the instance's `__dict__` directly."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from keyword import iskeyword
from typing import Any

from sqlalchemy.orm import InspectionAttr

from ormolu.exceptions import FieldDoesNotExist
from ormolu.fields.base import overridden
from ormolu.near import near_names
from ormolu.signals import post_init, pre_init


class _Missing:
    """Type of the marker for an argument that wasn't given."""

    def __repr__(self) -> str:
        return "..."


MISSING: Any = _Missing()


class Deferred:
    """Type of `DEFERRED`, given to a constructor for a column that shall not be loaded (`Model.from_db`)."""

    def __repr__(self) -> str:
        return "<Deferred field>"


DEFERRED: Any = Deferred()

restoring: ContextVar[bool] = ContextVar("restoring", default=False)
"""Whether `Model.from_db()` is making an instance: what a row has was validated when it was written."""

loading: list[None] = []
"""Not empty while instances with deferred columns are being made, in whatever thread."""


def make_init(cls: type[Any], quiet: bool = False) -> Callable[..., None]:
    """Return the `__init__` of a mapped class; a `quiet` one doesn't say that it begins.

    Parameters are the attnames in the order of `_meta.concrete_fields`, then the names of relations (keyword only).
    Anything else goes to `extra_arguments()`: `pk`, properties, plain SQLAlchemy relationships, or an error.
    """
    # What isn't a parameter begins with two underscores, which no field's name does: a field may well be called `d`.
    names: dict[str, Any] = {
        "__M": MISSING,
        "__deferred": DEFERRED,
        "__extra": extra_arguments,
        "__announced": announced,
        "__class": cls,
        "__quiet": [],  # the quiet one, once somebody listens
        "__loading": loading,
        "__forget": forget_deferred,
        "__before": pre_init,
        "__after": post_init,
        "__too_many": too_many(cls),
        "__events": cls.__mapper__.class_manager.dispatch.init,  # SQLAlchemy's listeners to `init`
    }
    parameters: list[str] = []
    relations: list[str] = []
    body: list[str] = []
    tail: list[str] = []
    for number, field in enumerate(cls._meta.concrete_fields):
        attname = field.attname
        parameters.append(f"{attname}=__M")
        value = _default(field, number, names)
        if field.is_relation and value.startswith(
            "__v"
        ):  # nobody asks for a default where there is an object
            value = f"({value} if {field.name} is __M else None)"
        if field.generated:
            body.append(
                f"    if {attname} is not __M and {attname} is not __deferred: __d[{attname!r}] = {attname}"
            )
            continue
        descriptor = vars_of(cls, attname)
        own_setter = not hasattr(descriptor, "attribute") or hasattr(descriptor, "__set__")
        if attname in cls.__mapper__.validators and not own_setter:
            # What is given is validated once the others have their values, which a validator may read.
            body.append(
                f"    __d[{attname!r}] = {value} if {attname} is __M else "
                f"{attname} if {attname} is __deferred or __restoring.get() else None"
            )
            names["__restoring"] = restoring
            tail.append(
                f"    if not ({attname} is __M or {attname} is __deferred or __restoring.get()): "
                f"__self.{attname} = {attname}"
            )
        elif own_setter:
            body.append(
                f"    if {attname} is not __deferred: __self.{attname} = {value} if {attname} is __M else {attname}"
            )
        else:
            body.append(f"    __d[{attname!r}] = {value} if {attname} is __M else {attname}")
        if getattr(field, "measures", False):
            names[f"__i{number}"] = field.measure_given
            tail.append(
                f"    if {attname}.__class__ is not str and {attname} is not __M: __i{number}(__self)"
            )
        if field.is_relation and not iskeyword(field.name):  # of the model `In`: it goes to extra_arguments()
            relations.append(f"{field.name}=__M")
            names[f"__r{number}"] = cls._setters[field.name]
            tail.append(f"    if {field.name} is not __M: __r{number}(__self, {field.name})")
    for number, field in enumerate(cls._meta.object_fields):  # which set fields of their own
        relations.append(f"{field.name}=__M")
        names[f"__o{number}"] = cls._setters[field.name]
        tail.append(f"    if {field.name} is not __M: __o{number}(__self, {field.name})")
    positional, keywords = ([], parameters) if cls._keyword_only else (parameters, [])
    star = ", ".join(["__self", *positional, "*__excess", *keywords, *relations, "**__unknown"])
    checks = [
        "    if __before.receivers or __events.listeners:",
        "        return __announced(__self, locals(), __class, __quiet)",
    ]
    checks = [*([] if quiet else checks), "    __d = __self.__dict__"]
    end = [
        "    if __excess: __too_many(__excess)",
        "    if __unknown: __extra(__self, __unknown)",
        "    if __after.receivers: __after.send(__self.__class__, instance=__self)",
    ]
    mixin = init_behind_model(cls)
    if mixin is not None:
        names["__mixin"] = mixin
        end.insert(0, "    __mixin(__self)")
    lines = [f"def __init__({star}):", *checks, *body, "    if __loading: __forget(__d)", *tail, *end]
    exec("\n".join(lines), names)
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    init._is_generated = True  # type: ignore[attr-defined]
    init.__doc__ = f"Make a {cls._meta.object_name}. It isn't saved."
    return init


def init_behind_model(cls: type[Any]) -> Any:
    """Return the `__init__` of a mixin that stands behind Model in the bases: `class Post(Model, Mixin)`."""
    for base in cls.__mro__:
        library = base.__module__.partition(".")[0] in ("ormolu", "sqlalchemy", "builtins", "typing")
        if not library and "__init__" in vars(base) and "_meta" not in vars(base):
            behind = cls.__mro__.index(base) > next(
                n
                for n, c in enumerate(cls.__mro__)
                if c.__name__ == "Model" and c.__module__.startswith("ormolu.")
            )
            return vars(base)["__init__"] if behind else None
    return None


def vars_of(cls: type[Any], name: str) -> Any:
    """Return a class attribute itself, without asking descriptors."""
    for base in cls.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None


def _default(field: Any, number: int, names: dict[str, Any]) -> str:
    """Return the source of a field's default: a literal where it is one, else a call."""
    if not overridden(field.__class__, "get_default") and not field.has_db_default():
        if not field.has_default() or not callable(field.default):
            value = field.get_default() if not field.is_relation or not field.has_default() else MISSING
            if value is None or type(value) in (bool, int, str):
                return repr(value)
            if value is not MISSING and not field.immutable:
                names[f"__v{number}"] = field._get_default
                return f"__v{number}()"
            if value is not MISSING:
                names[f"__v{number}"] = value
                return f"__v{number}"
        elif not field.is_relation:
            names[f"__v{number}"] = field._get_default
            return f"__v{number}()"
    names[f"__v{number}"] = field.get_default
    return f"__v{number}()"


def forget_deferred(values: dict[str, Any]) -> None:
    """Leave out what was given as DEFERRED, so that reading it loads it."""
    for name in [name for name, value in values.items() if value is DEFERRED]:
        del values[name]


def announced(
    instance: Any, arguments: dict[str, Any], model: type[Any], quiet: list[Callable[..., None]]
) -> None:
    """Tell those who listen that an instance is being made, pre_init and SQLAlchemy's `init` event; then make it.

    Their `kwargs` are what it is made of: each may change them. That of pre_init is empty afterwards, as in Django.
    """
    given = {
        name: value for name, value in arguments.items() if value is not MISSING and not name.startswith("__")
    }
    given.update(arguments.get("__unknown") or {})
    excess: tuple[Any, ...] = arguments.get("__excess") or ()
    cls: Any = instance.__class__
    pre_init.send(sender=cls, args=(), kwargs=given)
    values = dict(given)
    given.clear()
    dispatch = cls.__mapper__.class_manager.dispatch
    if dispatch.init:
        dispatch.init(instance._sa_instance_state, (), values)
    if not quiet:
        quiet.append(make_init(model, quiet=True))
    if excess:
        too_many(model)(excess)
    quiet[0](instance, **values)


def too_many(cls: type[Any]) -> Callable[[tuple[Any, ...]], None]:
    """Return the function that refuses more positional arguments than there are fields."""

    def refuse(excess: tuple[Any, ...]) -> None:
        if cls._keyword_only:
            raise TypeError(
                f"{cls._meta.object_name}() takes its fields by name, not {excess[0]!r} by position."
            )
        count = len(cls._meta.concrete_fields)
        raise IndexError(
            f"{cls._meta.object_name}() takes {count} positional values, one a field; {len(excess)} too many."
        )

    return refuse


def extra_arguments(instance: Any, given: dict[str, Any]) -> None:
    """Set what isn't a column or a relation: `pk`, properties, plain SQLAlchemy attributes.

    Raises TypeError for anything else, with the near miss.
    """
    cls: Any = instance.__class__
    unknown: list[str] = []
    for name, value in given.items():
        attribute = vars_of(cls, name)
        if isinstance(attribute, property) or (
            isinstance(attribute, InspectionAttr) and hasattr(attribute, "__set__")
        ):
            setattr(instance, name, value)
            continue
        try:
            field = cls._meta.get_field(name)
        except FieldDoesNotExist:
            unknown.append(name)
            continue
        # A relationship() of SQLAlchemy's takes a list.
        many = getattr(field, "many_to_many", False) and not hasattr(field, "prop")
        if getattr(field, "auto_created", False) or (many and not getattr(field, "automatic", False)):
            raise TypeError(
                f"{cls._meta.object_name}.{name} can't be given to the constructor. "
                f"Save the object, then use {name}.set()."
            )
        setattr(instance, name, value)
    if unknown:
        raise unknown_arguments(cls, unknown)


def unknown_arguments(cls: type[Any], unknown: list[str]) -> TypeError:
    """Return the error for keywords that a model doesn't have."""
    names = ", ".join(map(repr, unknown))
    choices = [name for name in cls._meta.lookup_names() if name not in cls._meta.fields_map]
    near = near_names(unknown[0], choices)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return TypeError(
        f"{cls.__name__}() got unexpected keyword arguments: {names}.{hint} Choices are: {', '.join(sorted(choices))}"
    )
