"""A field's rules as Pydantic's: what `full_clean()` refuses, a schema refuses; OpenAPI shows what it can say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from ormolu.exceptions import ValidationError
from ormolu.fields import validators as known
from ormolu.fields.integers import INTEGER_RANGES, IntegerField
from ormolu.fields.validators.base import Validator
from ormolu.schemas.types import plain_type, refusal

__all__ = ["Rules", "annotated", "rules_of"]

STORED = "ormolu_stored"
"""Key, in the metadata of a core schema, of the one that values are read by which the database has."""

LITERALS = (str, int, bool)


@dataclass
class Rules:
    """What of a field's rules Pydantic knows itself (`limits`), what is called (`checks`), what JSON Schema is told."""

    limits: dict[str, Any] = dataclass_field(default_factory=dict[str, Any])
    checks: list[Callable[[Any], Any]] = dataclass_field(default_factory=list[Callable[[Any], Any]])
    shown: dict[str, Any] = dataclass_field(default_factory=dict[str, Any])
    choices: tuple[Any, ...] | None = None


class Stored:
    """Marks a type that has rules: a value that the database has is read without them, as it is."""

    def __init__(self, plain: Any) -> None:
        self.plain = plain

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema so far, with the one for stored values beside it."""
        made: Any = handler(source)
        plain = handler.generate_schema(self.plain)
        return cast("CoreSchema", {**made, "metadata": {**made.get("metadata", {}), STORED: plain}})


class Shown:
    """Adds to the JSON Schema of a type."""

    def __init__(self, items: dict[str, Any]) -> None:
        self.items = items

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        """Return the type's JSON Schema with more in it."""
        return {**handler(schema), **self.items}


def annotated(field: Any) -> Any:
    """Return the type of a field's values that are not None, with the field's rules."""
    plain = plain_type(field, annotated)
    rules = rules_of(field)
    type_: Any = plain
    if rules.choices is not None:
        type_ = Literal[rules.choices]
    extras: list[Any] = [Field(**rules.limits)] if rules.limits else []
    if rules.choices is not None and plain is int:
        extras.append(BeforeValidator(whole))
    extras += [AfterValidator(check) for check in rules.checks]
    if rules.shown:
        extras.append(Shown(rules.shown))
    if not extras and type_ is plain:
        return plain
    bare = plain_type(field)
    return Annotated[(type_, *extras, Stored(bare))]


def whole(value: Any) -> Any:
    """Return the integer of a text, as Pydantic does for integers: query strings and forms have nothing else."""
    try:
        return int(value) if isinstance(value, str) else value
    except ValueError:
        return value


def rules_of(field: Any) -> Rules:
    """Return the rules of a field: its validators, its choices, whether it may be empty."""
    rules = Rules()
    if getattr(field, "is_relation", False):
        limit_integers(field.target_field, rules)
        return rules
    if getattr(field, "generated", False) or field.get_internal_type() == "FileField":
        return rules
    for validator in validators_of(field):
        add_validator(field, validator, rules)
    if field.choices is not None and field.editable and not hasattr(field, "enum_class"):
        add_choices(field, rules)
    if not field.blank and field.editable and not hasattr(field, "plain_column"):
        refuse_empty(field, rules)
    elif hasattr(field, "plain_column") and field.max_length and plain_type(field) is str:
        rules.limits.setdefault("max_length", field.max_length)
    return rules


def limit_integers(field: Any, rules: Rules) -> None:
    """Let a key that refers to an integer be as large as that."""
    while getattr(field, "is_relation", False):
        field = field.target_field
    if isinstance(field, IntegerField):
        least, most = INTEGER_RANGES.get(field.get_internal_type(), (None, None))
        rules.limits.update({"ge": least, "le": most} if least is not None else {})


def validators_of(field: Any) -> Iterable[Callable[[Any], Any]]:
    """Return a field's validators; the range of integers is that of server databases, wherever this runs."""
    if isinstance(field, IntegerField):
        return field._with_range("")
    return list(field.validators)


def add_validator(field: Any, validator: Any, rules: Rules) -> None:
    """Add one validator: as a limit of Pydantic's where it has that, else as a function to call."""
    kind = cast("Any", type(validator))
    limit: Any = getattr(validator, "limit_value", None)
    if kind in LIMITS and not callable(limit) and kind.__call__ is known.BaseValidator.__call__:
        name, stricter = LIMITS[kind]
        before = rules.limits.get(name)
        rules.limits[name] = limit if before is None else stricter(before, limit)
        return
    rules.checks.append(Check(validator, field))
    if kind is known.DecimalValidator:
        digits = {"max_digits": validator.max_digits, "decimal_places": validator.decimal_places}
        rules.limits.update({name: most for name, most in digits.items() if most is not None})
    elif kind is known.RegexValidator:
        pattern = ecma(validator)
        if pattern is not None:
            rules.shown.setdefault("pattern", pattern)
    elif isinstance(validator, Validator):
        format_ = FORMATS.get(kind)
        rules.shown.update({"format": format_} if format_ else {})
    else:
        format_ = IP_FORMATS.get(validator)
        rules.shown.update({"format": format_} if format_ else {})


LIMITS: dict[Any, tuple[str, Callable[[Any, Any], Any]]] = {
    known.MinValueValidator: ("ge", max),
    known.MaxValueValidator: ("le", min),
    known.MinLengthValidator: ("min_length", max),
    known.MaxLengthValidator: ("max_length", min),
    known.ArrayMinLengthValidator: ("min_length", max),
    known.ArrayMaxLengthValidator: ("max_length", min),
}
FORMATS: dict[Any, str] = {known.EmailValidator: "email", known.URLValidator: "uri"}
IP_FORMATS: dict[Any, str] = {
    known.validate_ipv4_address: "ipv4",
    known.validate_ipv6_address: "ipv6",
    known.validate_ipv46_address: "ipvanyaddress",
}


def ecma(validator: known.RegexValidator) -> str | None:
    """Return a validator's pattern as JSON Schema has it; None where that can't say it."""
    regex = validator.regex
    text: str = regex.pattern
    if validator.inverse_match or regex.flags & ~32 or any(part in text for part in ("(?P", "(?i", "(?#")):
        return None
    return text.replace(r"\A", "^").replace(r"\Z", "$")


class Check:
    """Calls a validator of a field for Pydantic: its error becomes Pydantic's, with the field's own text."""

    def __init__(self, validator: Callable[[Any], Any], field: Any = None) -> None:
        self.validator = validator
        self.field = field

    def __call__(self, value: Any) -> Any:
        """Return the value. Raises PydanticCustomError, with the code and text of the validator's error."""
        if self.field is not None and value in self.field.empty_values:
            return value
        try:
            self.validator(value)
        except ValidationError as error:
            raise refusal(error, None if self.field is None else self.field.error_messages) from error
        return value


def add_choices(field: Any, rules: Rules) -> None:
    """Take only the field's choices: as a Literal where that can be said, else by a function."""
    from ormolu.fields.choices import CallableChoices

    values = [value for value, _label in field.flatchoices if value is not None]
    if field.blank and field.empty_strings_allowed and "" not in values:
        values.append("")
    rules.limits.pop("max_length", None)
    plain = all(type(value) in LITERALS for value in values) and plain_type(field) in (str, int)
    if values and plain and not isinstance(field.choices, CallableChoices):
        rules.choices = tuple(dict.fromkeys(values))
        rules.limits.clear()
        return

    def choose(value: Any) -> None:
        field.validate(value, None)

    rules.checks.append(Check(choose, field))


def refuse_empty(field: Any, rules: Rules) -> None:
    """Refuse what counts as empty: a text of no letters, a list of no items."""
    plain: Any = plain_type(field)
    if rules.choices is not None:
        rules.choices = tuple(value for value in rules.choices if value != "")
    elif plain is str or getattr(plain, "__origin__", None) is list:
        rules.limits["min_length"] = max(1, rules.limits.get("min_length") or 0)
    elif plain in (Any, dict, bytes) or getattr(plain, "__origin__", None) in (dict, bytes):

        def present(value: Any) -> Any:
            if value in field.empty_values:
                raise refusal(field._invalid("blank", value))
            return value

        rules.checks.append(present)
