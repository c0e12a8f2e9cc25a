"""Generated functions: from the values in an instance's `__dict__` to a tuple of parameters."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from ormolu.fields import timezones
from ormolu.fields.types import temporal
from ormolu.writes.values import Conversion

Bind = Callable[[Any, dict[str, Any]], tuple[Any, ...]]
BindAll = Callable[[Sequence[Any]], list[tuple[Any, ...]]]

# Conversions written out where they are needed: `{v}` is a value of the field's class that has passed its check.
_INLINE: dict[Any, str] = {
    temporal.naive_text: '{v}.isoformat(" ", "microseconds")',
    temporal.utc_text: '{v}.astimezone(utc).isoformat(" ", "microseconds")',
    temporal.iso_text: "{v}.isoformat()",
    temporal.time_text: '{v}.isoformat("microseconds")',
    temporal.made_aware: "{v}.replace(tzinfo=zone)",  # for what is aware already nothing is written
}


def make_bind(conversions: Sequence[Conversion], stamped: frozenset[str] = frozenset()) -> Bind:
    """Return `bind(instance, its __dict__)`, which gives the parameters in the order of `conversions`.

    `stamped` are the attnames whose value comes from the field's pre_save(instance, True). It raises
    KeyError for a value that is not loaded, NeedsStatement for an expression, and what the conversions raise.
    """
    names: dict[str, Any] = {}
    body = _body(conversions, stamped, names, "    ")
    lines = ["def bind(o, d):", *_zone(body), *body, f"    return {_tuple(conversions)}"]
    return _compile(lines, names, "bind")  # type: ignore[no-any-return]


def make_bind_all(conversions: Sequence[Conversion], stamped: frozenset[str] = frozenset()) -> BindAll:
    """Return `bind_all(instances)`, which gives a list of parameter tuples."""
    names: dict[str, Any] = {}
    body = _body(conversions, stamped, names, "        ")
    lines = ["def bind_all(objs):", *_zone(body), "    rows = []", "    append = rows.append"]
    lines += ["    for o in objs:", "        d = o.__dict__", *body]
    lines += [f"        append({_tuple(conversions)})", "    return rows"]
    return _compile(lines, names, "bind_all")  # type: ignore[no-any-return]


def _zone(body: list[str]) -> list[str]:
    """Return the line that finds out TIME_ZONE, if a function needs it."""
    return ["    zone = default_zone()"] if any("=zone)" in line for line in body) else []


def _compile(lines: list[str], names: dict[str, Any], name: str) -> Any:
    names |= {"utc": datetime.UTC, "default_zone": timezones.get_default_timezone}
    exec("\n".join(lines), names)
    return names[name]


def _tuple(conversions: Sequence[Conversion]) -> str:
    return "(" + "".join(f"v{n}, " for n in range(len(conversions))) + ")"


def _body(
    conversions: Sequence[Conversion], stamped: frozenset[str], names: dict[str, Any], pad: str
) -> list[str]:
    lines: list[str] = []
    for n, conversion in enumerate(conversions):
        names |= {f"x{n}": conversion.convert, f"p{n}": conversion.process, f"C{n}": conversion.exact}
        if conversion.attname in stamped:
            names[f"f{n}"] = conversion.field.pre_save
            lines.append(f"{pad}v{n} = f{n}(o, True)")
        else:
            lines.append(f"{pad}v{n} = d[{conversion.attname!r}]")
        lines += [pad + line for line in _convert(n, conversion)]
    return lines


def _processed(n: int, conversion: Conversion) -> str:
    text = _INLINE.get(conversion.process, f"p{n}({{v}})")
    return f"v{n} = " + text.format(v=f"v{n}")


def _convert(n: int, conversion: Conversion) -> list[str]:
    """Return the lines that convert one value: the usual class inline, the rest by a call."""
    rest = "else:" if conversion.takes_none else f"elif v{n} is not None:"
    if conversion.exact is None:
        test = "" if conversion.takes_none else f"if v{n} is not None: "
        return [f"{test}v{n} = x{n}(v{n})"]
    inner: list[str] = []
    if conversion.check == "length":
        inner.append(f"    if len(v{n}) > {conversion.limit}: x{n}(v{n})")
    elif conversion.check == "range":
        least, most = conversion.range
        inner.append(f"    if not {least} <= v{n} <= {most}: x{n}(v{n})")
    elif conversion.check in ("aware", "naive"):
        unlike = "is" if conversion.check == "aware" else "is not"
        inner.append(f"    if v{n}.tzinfo {unlike} None: v{n} = x{n}(v{n})")
        done = conversion.check == "aware" and conversion.process is temporal.made_aware
        written = _processed(n, conversion) if conversion.process and not done else "pass"
        inner.append(f"    else: {written}")
    if conversion.process is not None and conversion.check not in ("aware", "naive"):
        inner.append(f"    {_processed(n, conversion)}")
    if inner:
        return [f"if v{n}.__class__ is C{n}:", *inner, rest, f"    v{n} = x{n}(v{n})"]
    none = "" if conversion.takes_none else f" and v{n} is not None"
    return [f"if v{n}.__class__ is not C{n}{none}: v{n} = x{n}(v{n})"]
