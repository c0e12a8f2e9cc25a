"""Show the catalogue and the answers: on a terminal with rich, or as JSON."""

import json
import re
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table

from ormolu.contrib.playground.asking import Answer

# A statement with a long list of parameters says no more after this.
_LONGEST_SQL = 700
# Before each of these a line begins.
_CLAUSES = re.compile(
    r" (?=(?:LEFT OUTER JOIN|FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|SET|VALUES|RETURNING)\b)|(?<!OUTER) (?=JOIN\b)"
)


def console(*, stderr: bool = False) -> Console:
    """Return a console that is wide enough for tables where nobody says how wide it is."""
    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=110)


@contextmanager
def progress(title: str, total: int, *, screen: Console) -> Generator[Callable[[int], None]]:
    """Show a bar; gives the function that moves it on by a number of rows."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen) as bar:
        task = bar.add_task(title, total=total)

        def advance(rows: int) -> None:
            bar.advance(task, rows)

        yield advance


def show_answer(number: int, answer: Answer, screen: Console) -> None:
    """Print one answer: title, Python, SQL, time, table."""
    screen.print(Rule(f"[bold]{number}. {answer.title}", align="left"))
    screen.print(Syntax(answer.python, "python", theme="ansi_dark", word_wrap=True, padding=(1, 2)))
    for sql, times in Counter(answer.sql).items():
        screen.print(Syntax(laid_out(sql), "sql", theme="ansi_dark", word_wrap=True, padding=(0, 2)))
        if times > 1:
            screen.print(f"  [dim]{times} times[/dim]")
    count = len(answer.sql)
    screen.print(
        f"\n  [dim]{count} {'query' if count == 1 else 'queries'}, {answer.seconds * 1000:.1f} ms[/dim]"
    )
    screen.print(Padding(table(answer.rows), (0, 0, 1, 2)))


def laid_out(sql: str) -> str:
    """Return a statement with each of its clauses on a line of its own."""
    flat = " ".join(sql.split())
    short = flat if len(flat) <= _LONGEST_SQL else f"{flat[:_LONGEST_SQL]} ..."
    return _CLAUSES.sub("\n", short)


def table(rows: Sequence[dict[str, Any]]) -> Table | str:
    """Return rows as a table, numbers to the right."""
    if not rows:
        return "(nothing)"
    shown = Table()
    for name, value in rows[0].items():
        numeric = isinstance(value, (int, float, Decimal))
        shown.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(_cell, row.values()))
    return shown


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (float, Decimal)):
        return f"{value:,.1f}"
    return str(value).replace("[", r"\[")


def as_json(counts: dict[str, int], vendor: str, answers: Sequence[Answer]) -> str:
    """Return everything as one JSON document."""
    document = {
        "database": vendor,
        "rows": counts,
        "answers": [
            {
                "title": a.title,
                "python": a.python,
                "sql": a.sql,
                "seconds": round(a.seconds, 6),
                "rows": plain_rows(a),
            }
            for a in answers
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def plain_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return an answer's rows in JSON's terms, equal for all databases.

    They differ in the last digits of a mean, so fractions are rounded to six places.
    """
    return [{name: _plain(value) for name, value in row.items()} for row in answer.rows]


def _plain(value: Any) -> Any:
    if isinstance(value, (float, Decimal)):
        return round(float(value), 6)
    if isinstance(value, date):
        return value.isoformat()
    return value
