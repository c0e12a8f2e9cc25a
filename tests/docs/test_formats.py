"""How pages show statements and values, and how their blocks are found and replaced."""

import datetime as dt
from types import SimpleNamespace as Query

from docs import page_format, sql_format, value_format

PAGE = """\
```python
1 + 1
```
```sql
```
```text
3
```

Words.

```text
theirs
```
<!--python
hidden = True
-->
"""


def test_results_follow_their_python() -> None:
    """A block of results belongs to the Python before it when no words are between them."""
    blocks = list(page_format.blocks(PAGE))
    assert [(block.language, block.follows) for block in blocks] == [
        ("python", False),
        ("sql", True),
        ("text", True),
        ("text", False),
        ("python", False),
    ]
    assert blocks[-1].text == "hidden = True"


def test_blocks_are_replaced_in_place() -> None:
    """New texts, longer or shorter ones, take the place of old ones, and nothing else changes."""
    _python, sql, text, *_rest = page_format.blocks(PAGE)
    page = page_format.replaced(PAGE, {sql: "SELECT 1;\nSELECT 2;", text: ""})
    assert page == PAGE.replace("```sql\n", "```sql\nSELECT 1;\nSELECT 2;\n").replace("3\n", "")


def test_parameters_are_written_where_they_go() -> None:
    """Placeholders become literals; a question mark in a text is none."""
    query = Query(
        sql="SELECT '?' FROM t WHERE a = ?\n  AND b = ? AND c = ?",
        params=("it's", None, dt.date(2024, 2, 29)),
    )
    shown = "SELECT '?' FROM t WHERE a = 'it''s' AND b = NULL AND c = '2024-02-29'"
    assert sql_format.pretty([query]) == shown
    assert sql_format.pretty([query, query]) == f"{shown};\n{shown};"


def test_many_rows_are_shown_by_the_first() -> None:
    """A statement for many rows shows the first, and says how many there are."""
    query = Query(sql="INSERT INTO t (a) VALUES (?)", params=[(1,), (2,), (3,)])
    assert sql_format.pretty([query]) == "INSERT INTO t (a) VALUES (1)  -- and 2 more rows"


def test_long_statements_are_broken_at_clauses_and_subqueries() -> None:
    """Lines are short, and a subquery stands by itself."""
    inner = "SELECT max(u.number) AS most FROM other AS u WHERE u.key = t.key AND u.something_else > 100"
    query = Query(
        sql=f"SELECT a, b, ({inner}) AS most FROM t JOIN other ON t.a = other.a WHERE a = 1", params=()
    )
    assert sql_format.pretty([query]).splitlines() == [
        "SELECT a, b, (",
        f"    {inner}",
        ") AS most",
        "FROM t",
        "    JOIN other ON t.a = other.a",
        "WHERE a = 1",
    ]


def test_values_are_shown_as_in_a_notebook() -> None:
    """A short value is its repr; a long list has a line for each item."""
    assert value_format.pretty([1, "a"]) == "[1, 'a']"
    words = ["word" * 8] * 4
    assert value_format.pretty(words).splitlines() == ["[", *(f"    {word!r}," for word in words), "]"]
