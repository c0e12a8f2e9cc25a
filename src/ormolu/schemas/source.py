"""`generate()`: schema modules as source, readable and typed, that need nothing at run time but Pydantic.

For each model there are an `Out` (what is read: all columns), an `In` (what makes an object: what may be written, with
the fields' rules) and a `Patch` (the same, of which all may be left out).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, cast, get_args

from ormolu.exceptions import ImproperlyConfigured
from ormolu.fields import validators as known
from ormolu.near import near_names
from ormolu.schemas.definitions import default_of, is_filled, is_read_only
from ormolu.schemas.members import columns_of
from ormolu.schemas.options import is_model
from ormolu.schemas.rules import Check, Rules, rules_of
from ormolu.schemas.spelling import WIDTH, Group, Imports, laid_out, quoted
from ormolu.schemas.types import plain_type

__all__ = ["VARIANTS", "generate", "models_in"]

VARIANTS = ("Out", "In", "Patch")
TEXTS: dict[Any, str] = {
    known.validate_slug: "Slug",
    known.validate_unicode_slug: "UnicodeSlug",
    known.validate_ipv4_address: "IPv4",
    known.validate_ipv6_address: "IPv6",
    known.validate_ipv46_address: "IPAddress",
    known.validate_email: "Email",
    known.URLValidator(): "Url",
}


def generate(
    *sources: Any,
    models: Iterable[str] | None = None,
    variants: Sequence[str] = VARIANTS,
    names: str = "{model}{variant}",
) -> str:
    """Return the source of a module of schemas.

    `sources` are modules (or their names) and models; `models` the names of those that are wanted, all without it;
    `variants` which of "Out", "In" and "Patch"; `names` how the classes are called, of `{model}` and `{variant}`.
    The text is as formatters and checkers want it. Raises ImproperlyConfigured for what names no model, ValueError for
    unknown variants and for two classes of one name, ImportError for modules that aren't there.
    """
    unknown = [variant for variant in variants if variant not in VARIANTS]
    if unknown or not variants:
        raise ValueError(f"Variants are {', '.join(VARIANTS)}, not {', '.join(unknown) or 'none'}.")
    found = wanted(models_in(*sources), models)
    called = [names.format(model=model.__name__, variant=variant) for model in found for variant in variants]
    if len(set(called)) != len(called):
        raise ValueError(f"{names!r} gives two schemas one name: let it have {{model}} and {{variant}}.")
    fields = {name for model in found for name in columns_of(model._meta)}
    imports = Imports(fields | set(called))
    imports.name("pydantic", "BaseModel")
    classes = [
        "\n".join(class_lines(imports, model, variant, names.format(model=model.__name__, variant=variant)))
        for model in found
        for variant in variants
    ]
    origins = sorted({model.__module__ for model in found})
    head = f'"""Schemas of {", ".join(origins)}, written by `ormolu schemas`: change the models, then run it again."""'
    return "\n".join([head, "", *imports.lines(origins), "", "", "\n\n\n".join(classes), ""])


def models_in(*sources: Any) -> list[Any]:
    """Return the models that modules have, in the order of their fields, and those that are given themselves."""
    found: dict[Any, None] = {}
    for source in sources:
        if is_model(source):
            found[source] = None
            continue
        module = import_module(source) if isinstance(source, str) else source
        if not isinstance(module, ModuleType):
            raise ImproperlyConfigured(f"Schemas are made of modules and models, not of {source!r}.")
        own = [
            value
            for value in vars(module).values()
            if is_model(value)
            and not value._meta.abstract
            and not value._meta.auto_created
            and f"{value.__module__}.".startswith(f"{module.__name__}.")
        ]
        if not own:
            raise ImproperlyConfigured(f"The module {module.__name__!r} has no models.")
        found.update(dict.fromkeys(own))
    return list(found)


def wanted(found: list[Any], names: Iterable[str] | None) -> list[Any]:
    """Return the models that are named, all without names. Raises ImproperlyConfigured with the near miss."""
    if names is None:
        return found
    by_name = {model.__name__: model for model in found}
    chosen = list(names)
    for name in chosen:
        if name not in by_name:
            near = near_names(name, by_name)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(by_name)}."
            raise ImproperlyConfigured(f"There is no model {name!r}.{hint}")
    return [by_name[name] for name in chosen]


def class_lines(imports: Imports, model: Any, variant: str, called: str) -> list[str]:
    """Return the lines of one class."""
    lines = [f"class {called}({imports.name('pydantic', 'BaseModel')}):"]
    doc = (model.__dict__.get("__doc__") or "").strip().partition("\n")[0]
    doc = "" if doc.startswith(f"{model.__name__}(") else doc
    said = {"Out": "as it is read", "In": "as it is made", "Patch": "the changes of one"}[variant]
    text = (
        doc.rstrip(".")
        if doc and '"' not in doc and "\\" not in doc
        else str(model._meta.verbose_name).capitalize()
    )
    lines += [f'    """{text}: {said}."""', ""]
    if variant == "Out":
        config = f"{imports.name('pydantic', 'ConfigDict')}(from_attributes=True)"
        lines += [f"    model_config = {config}", ""]
    fields = [
        "    " + field_line(imports, field, variant)
        for field in columns_of(model._meta).values()
        if variant == "Out" or not (is_read_only(field) or (variant == "Patch" and field.primary_key))
    ]
    return [*lines, *fields] if fields else lines[:-1]


def field_line(imports: Imports, field: Any, variant: str) -> str:
    """Return the line, or the lines, of one field."""
    rules = Rules() if variant == "Out" else rules_of(field)
    type_ = type_of(imports, field, rules)
    options: dict[str, Any] = {}
    optional = field.null and not is_file(field)
    if variant == "Patch":
        optional, options["default"] = True, "None"
    elif variant == "In":
        optional = add_default(imports, field, options) or optional
    pattern = rules.shown.get("pattern")
    for name, limit in rules.limits.items():
        options[name] = imports.value(limit)
    if field.help_text:
        options["description"] = quoted(str(field.help_text))
    if pattern is not None and is_native(pattern) and not is_text(rules):
        options["pattern"] = quoted(pattern)
    annotation = f"{type_} | None" if optional and plain_type(field) is not Any else type_
    before = f"{field.attname}: "
    if not options:
        return laid_out(annotation, 4, before)
    if list(options) == ["default"]:
        flat = f"{before}{annotation} = {options['default']}"
        return (
            flat if len(flat) + 4 <= WIDTH else laid_out(annotation, 4, before) + f" = {options['default']}"
        )
    items = tuple(f"{name}={value}" for name, value in options.items() if value is not None)
    call = Group(f"{imports.name('pydantic', 'Field')}(", items, ")")
    return laid_out(call, 4, f"{before}{annotation} = ")


def type_of(imports: Imports, field: Any, rules: Rules) -> Any:
    """Return the source of a field's type, with the validators that can be written."""
    if rules.choices is not None:
        return imports.type(Literal[rules.choices])
    if is_file(field):
        return imports.name("ormolu.schemas.texts", "FileUrl")
    type_: Any = imports.type(plain_type(field))
    extras: list[str] = []
    for check in rules.checks:
        if not isinstance(check, Check):
            continue
        validator = cast("Any", check.validator)
        text = next((name for one, name in TEXTS.items() if one == validator), None)
        if text is not None:
            type_ = imports.name("ormolu.schemas.texts", text)
            if field.blank:
                type_ = f'{type_} | {imports.name("typing", "Literal")}[""]'
        elif type(validator) not in (known.DecimalValidator, known.RegexValidator):
            found = imports.function(validator)
            if found is not None:
                extras.append(f"{imports.name('ormolu.schemas.texts', 'checked')}({found})")
    if extras:
        return Group(f"{imports.name('typing', 'Annotated')}[", (type_, *extras), "]")
    return type_


def add_default(imports: Imports, field: Any, options: dict[str, Any]) -> bool:
    """Add what stands in for a value that nobody gave; tell whether the type has to have None for it."""
    info = default_of(field, is_filled(field))
    if "default_factory" in info:
        found = imports.function(field.default) if callable(field.default) else None
        args = get_args(plain_type(field))
        if found in ("list", "dict") and args:
            found = str(imports.type(plain_type(field)))
        if found is None:
            options["default"] = "None"
            return True
        options["default_factory"] = found
        return False
    if "default" not in info:
        return False
    default = info["default"]
    written = imports.value(default)
    options["default"] = "None" if written is None else written
    return written is None or default is None


def is_text(rules: Rules) -> bool:
    """Tell whether the type of a field is a text with rules that has a name."""
    return any(isinstance(check, Check) and check.validator in TEXTS for check in rules.checks)


def is_file(field: Any) -> bool:
    """Tell whether a field holds a file, of which there may be none."""
    return bool(field.get_internal_type() == "FileField")


def is_native(pattern: str) -> bool:
    """Tell whether Pydantic's own engine knows a pattern: it has no looking around, and no references back."""
    return not any(part in pattern for part in ("(?=", "(?!", "(?<", "\\1", "\\2", "(?P="))
