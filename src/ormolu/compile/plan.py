"""A plan: SQL text, how to bind values to it, how to read its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ormolu.compile.params import Binding, Params
from ormolu.exceptions import EmptyResultSet
from ormolu.fields.locating import field_of, located
from ormolu.programs import Fetch, FetchLocked, FetchWriting

MOST_PLANS = 2_000  # per driver; the oldest quarter goes when there are more


class Plan:
    """Everything needed to run a query of one shape.

    `bind(values)` gives the positional parameters, `decode(rows)` the result.
    `empty` plans match nothing and are not run.
    """

    __slots__ = ("bind", "decode", "empty", "extra", "owners", "sql", "step", "zone")

    def __init__(
        self,
        sql: str,
        bind: Callable[[Sequence[Any]], Any],
        decode: Callable[[Any], Any] | None,
        *,
        empty: bool = False,
        extra: Any = None,
    ) -> None:
        self.sql = sql
        self.bind = bind
        self.decode = decode
        self.empty = empty
        self.extra = extra
        self.owners: Any = None  # what the key refers to by identity
        self.step: type[Fetch] = Fetch  # what asks for the rows
        self.zone: str | None = None  # the current time zone that the text holds for


def remember(plans: dict[Any, Any], key: Any, plan: Any) -> None:
    """Store a plan; forget the oldest ones when there are too many."""
    if len(plans) >= MOST_PLANS:
        for old in list(plans)[: MOST_PLANS // 4]:
            plans.pop(old, None)
    plans[key] = plan


def finish(
    driver: Any, statement: Any, params: Params, decode: Callable[[Any], Any] | None, extra: Any = None
) -> Plan:
    """Compile a statement for a driver."""
    compiled = statement.compile(dialect=driver.dialect, compile_kwargs={"render_postcompile": True})
    sql, names = positional(compiled)
    plan = Plan(sql, binder(compiled, names, params.bindings, driver.dialect), decode, extra=extra)
    if getattr(statement, "_for_update_arg", None) is not None:
        plan.step = FetchWriting if driver.vendor == "sqlite" else FetchLocked
    return plan


def positional(compiled: Any) -> tuple[str, list[str]]:
    """Return SQL text and the names of its parameters in order."""
    return compiled.string, list(compiled.positiontup or ())


def binder(
    compiled: Any, names: list[str], bindings: dict[str, Binding], dialect: Any
) -> Callable[[Sequence[Any]], Any]:
    """Generate the function from the values of a query to positional parameters."""
    scope: dict[str, Any] = {}
    lists: dict[tuple[int, int], str] = {}
    lines: list[str] = []
    items: list[str] = []
    by_key = {bound.key: bound for bound in compiled.binds.values()}
    for number, name in enumerate(names):
        bound = compiled.binds.get(name)
        if bound is None:
            bound = by_key.get(name)
        if bound is None:  # one of the values of SQLAlchemy's `in_()`
            scope[f"k{number}"] = expanded(compiled, name)
            items.append(f"k{number}")
            continue
        process = bound.type.dialect_impl(dialect).bind_processor(dialect)
        binding = bindings.get(bound.key)
        if binding is None:
            value = compiled.params.get(name, bound.effective_value)
            scope[f"k{number}"] = process(value) if process is not None else value
            items.append(f"k{number}")
            continue
        source = f"v[{binding.place}]"
        if binding.prepare is not None:
            key = (binding.place, id(binding.prepare))
            if key not in lists:
                lists[key] = f"l{len(lists)}"
                scope[f"f{number}"] = binding.prepare
                lines.append(f"    {lists[key]} = f{number}({source})")
            source = lists[key] if binding.pick is None else f"{lists[key]}[{binding.pick}]"
        elif binding.pick is not None:
            source = f"{source}[{binding.pick}]"
        if binding.convert is not None:
            if process is not None and getattr(field_of(binding.convert), "immutable", True) is False:
                process = located(process, field_of(binding.convert))
            scope[f"c{number}"] = binding.convert
            source = f"c{number}({source})"
        if process is not None:
            scope[f"b{number}"] = process
            source = f"b{number}({source})"
        items.append(source)
    body = "\n".join(["def bind(v):", *lines, f"    return ({', '.join(items)}{',' if items else ''})"])
    exec(body, scope)
    return scope["bind"]  # type: ignore[no-any-return]


def expanded(compiled: Any, name: str) -> Any:
    """Return a value that SQLAlchemy has made a parameter of its own, of a list or of a row in it."""
    state = compiled._post_compile_expanded_state
    value, process = state.parameters[name], state.processors.get(name)
    return value if process is None else process(value)


def empty_plan(extra: Any = None) -> Plan:
    """Return the plan of a query that matches nothing."""
    return Plan("", lambda values: (), None, empty=True, extra=extra)


__all__ = ["EmptyResultSet", "Plan", "binder", "empty_plan", "finish", "positional", "remember"]
