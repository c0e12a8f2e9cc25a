"""Execute the Python blocks of one Markdown page, in order, in one namespace: `python run_page.py PAGE`.

A block may `await` at its top level; the page then has one event loop. A failure's traceback names the
page and the line there. A block in a language other than `python` is text for the reader.
"""

import ast
import asyncio
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def blocks(page: str) -> Iterator[tuple[int, str]]:
    """Give each Python block with the number of the line before its first."""
    start, lines = None, page.splitlines()
    for number, line in enumerate(lines, 1):
        if start is None and line.strip() == "```python":
            start = number
        elif start is not None and line.strip() == "```":
            yield start, "\n".join(lines[start : number - 1])
            start = None
    if start is not None:
        raise SyntaxError(f"The block that begins on line {start} does not end.")


def main(path: Path) -> int:
    # A module of its own, in sys.modules, so that models and dataclasses in it find their names.
    module = sys.modules["page"] = ModuleType("page")
    count = 0
    with asyncio.Runner() as runner:
        for before, source in blocks(path.read_text(encoding="utf-8")):
            code = compile("\n" * before + source, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            if code.co_flags & inspect.CO_COROUTINE:
                runner.run(_awaited(code, vars(module)))
            else:
                exec(code, vars(module))
            count += 1
        if "ormolu" in sys.modules:
            from ormolu import databases

            runner.run(databases.aclose_all())
            databases.close_all()
    return count


async def _awaited(code: object, namespace: dict[str, object]) -> None:
    await eval(code, namespace)  # type: ignore[arg-type]


if __name__ == "__main__":
    print(main(Path(sys.argv[1])), "blocks")
