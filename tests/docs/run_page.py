"""Execute the Python blocks of one Markdown page, in order, in one namespace: `run_page.py [--write | --on URL] PAGE`.

A block may `await` at its top level; the page then has one event loop. A failure's traceback names the
page and the line there. Modules beside the page can be imported, and those in
the folder of its name.

In a page with the comment `<!-- checked -->`, blocks that follow a Python block are compared with what it did:
`sql` with the statements that it caused, `text` with what it printed and with the values of its expressions, as
a notebook shows them. `--write` puts what happened in their place. A block that begins with "```python raises"
must raise, and its `text` is the error. `<!--python` ... `-->` is a block that a reader does not see.

`--on URL` runs a page on another database: its results must be the same, its SQL need not. Blocks that begin with
"```python sqlite" are left out there, and those that begin with "```python postgresql" run nowhere else.
"""

import ast
import asyncio
import contextlib
import difflib
import inspect
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import page_format
import sql_format
import value_format


class Runner:
    """One page's namespace and event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # A module of its own, in sys.modules, so that models and dataclasses in it find their names.
        self.module = sys.modules["page"] = ModuleType("page")
        self.module.__dict__[_SHOW] = self.show
        self.loop = asyncio.Runner()
        self.printed = io.StringIO()
        self.statements: list[Any] = []

    def show(self, value: Any) -> None:
        """Print the value of an expression, as a notebook does."""
        if value is not None:
            print(value_format.pretty(value), file=self.printed)

    def run(self, block: page_format.Block, checked: bool) -> None:
        """Execute a block; afterwards `printed` and `statements` are what it did."""
        self.printed, self.statements = io.StringIO(), []
        code = self.compiled(block, checked)
        with contextlib.redirect_stdout(self.printed):
            try:
                if code.co_flags & inspect.CO_COROUTINE:
                    self.loop.run(self.awaited(code))
                else:
                    with self.captured():
                        exec(code, vars(self.module))
            except Exception as error:
                if "raises" not in block.info:
                    raise
                print(value_format.error(error))
            else:
                assert "raises" not in block.info, f"{self.path}:{block.line}: nothing was raised"

    def compiled(self, block: page_format.Block, checked: bool) -> CodeType:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree = ast.parse("\n" * block.line + block.text, str(self.path))
        if checked:
            for node in tree.body:
                if isinstance(node, ast.Expr):
                    call = ast.Call(ast.Name(_SHOW, ast.Load()), [node.value], [])
                    node.value = ast.copy_location(call, node.value)
            ast.fix_missing_locations(tree)
        return compile(tree, str(self.path), "exec", flags=flags)

    async def awaited(self, code: CodeType) -> None:
        with self.captured():
            await eval(code, vars(self.module))

    @contextlib.contextmanager
    def captured(self) -> Iterator[None]:
        from ormolu import capture_queries

        with capture_queries() as queries:
            self.statements = queries
            yield

    def close(self) -> None:
        from ormolu import databases

        self.loop.run(databases.aclose_all())
        databases.close_all()
        self.loop.close()


_SHOW = "__show__"


def main(path: Path, write: bool = False, elsewhere: bool = False) -> int:
    """Run a page, and compare what it shows with what happened. Return the number of its Python blocks.

    With `write` what happened replaces what it shows. `elsewhere` says that the database isn't SQLite.
    """
    text = path.read_text(encoding="utf-8")
    blocks = list(page_format.blocks(text))
    checked = "<!-- checked -->" in text
    runner, count, happened, left_out = Runner(path), 0, {}, False
    for block in blocks:
        if block.language == "python":
            left_out = ("sqlite" if elsewhere else "postgresql") in block.info
            if not left_out:
                runner.run(block, checked)
                count += 1
        elif left_out or not (checked and block.follows):
            continue
        elif block.language == "sql" and not elsewhere:
            happened[block] = sql_format.pretty(runner.statements)
        elif block.language == "text":
            happened[block] = runner.printed.getvalue().rstrip()
    runner.close()
    if write:
        path.write_text(page_format.replaced(text, happened), encoding="utf-8")
    else:
        differences = "\n".join(
            filter(None, (_difference(path, block, new) for block, new in happened.items()))
        )
        if differences:
            raise SystemExit(f"{differences}\nIf that is right: scripts/docs --write {path}")
    return count


def _difference(path: Path, block: page_format.Block, happened: str) -> str:
    where = f"{path}:{block.line}"
    lines = difflib.unified_diff(
        block.text.splitlines(), happened.splitlines(), f"{where} says", "what happened", lineterm=""
    )
    return "\n".join(lines)


def _alone() -> None:
    """Leave the settings of whoever runs this behind."""
    for name in list(os.environ):
        if name == "DATABASE_URL" or name.startswith("ORMOLU_"):
            del os.environ[name]


if __name__ == "__main__":
    *options, page = sys.argv[1:]
    page = Path(page).resolve()
    sys.path[:0] = [str(page.parent), str(page.with_suffix(""))]
    _alone()
    if "--on" in options:
        os.environ["DATABASE_URL"] = options[-1]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        print(main(page, "--write" in options, "--on" in options), "blocks")
        os.chdir(page.parent)
