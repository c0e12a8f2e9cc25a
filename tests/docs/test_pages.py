"""README.md and every page under docs/: what they show runs, as it stands, with warnings as errors."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.backends import Backends

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
QUERY_PAGES = [ROOT / "docs/queries.md", *sorted((ROOT / "docs/queries").glob("*.md"))]
ALSO_ON_POSTGRESQL = [
    *QUERY_PAGES,
    *(page for page in PAGES if "```python postgresql" in page.read_text(encoding="utf-8")),
]
NEEDED = {"files.md": "PIL", "schemas.md": "fastapi"}
"""What the examples of a page need beside the drivers."""

RUNNER = Path(__file__).with_name("run_page.py")


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def run(page: Path, folder: Path, *options: str) -> str | None:
    """Run a page in a process of its own; return what is wrong with it."""
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL" and not k.startswith("ORMOLU_")}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT / "src"), environment.get("PYTHONPATH")])
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", RUNNER, *options, page],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return None if done.returncode == 0 else f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, backends: Backends
) -> Iterator[dict[tuple[str, Path], Future[str | None]]]:
    """The pages that the chosen tests are about, two at a time, on SQLite or on PostgreSQL."""
    with ThreadPoolExecutor(2) as pool:
        started = {}
        for item in request.session.items:
            if not isinstance(item, pytest.Function) or "runs" not in item.fixturenames:
                continue
            name, page = item.originalname, item.callspec.params["page"]
            options = ("--on", backends.fresh("postgresql").url) if name.endswith("postgresql") else ()
            started[name, page] = pool.submit(run, page, tmp_path_factory.mktemp(page.stem), *options)
        yield started
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(
    "page", [p for p in PAGES if "```python" in p.read_text(encoding="utf-8")], ids=_name
)
def test_examples_run(page: Path, runs: dict[Any, Any]) -> None:
    """The examples of a page run in order, in an empty folder, and show what they do."""
    if page.name in NEEDED:
        pytest.importorskip(NEEDED[page.name])
    wrong = runs["test_examples_run", page].result()
    assert wrong is None, wrong


@pytest.mark.parametrize("page", ALSO_ON_POSTGRESQL, ids=_name)
def test_results_are_the_same_on_postgresql(page: Path, runs: dict[Any, Any]) -> None:
    """What the pages about queries show is what PostgreSQL gives, too; and pages about PostgreSQL run there."""
    wrong = runs["test_results_are_the_same_on_postgresql", page].result()
    assert wrong is None, wrong


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository names one that is there, and a heading that it has."""
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing
    for name, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", text):
        target = page.parent / name if name else page
        if target.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, f"{name}#{anchor}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_readme_has_two_shell_blocks() -> None:
    """README's set-up is two commands: one shows the playground, one runs the tests."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shell = re.findall(r"^```(?:bash|sh|shell|console)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert len(shell) == 2
    assert "ormolu playground" in shell[0]
    assert "pytest" in shell[1]


def test_every_public_name_is_on_a_page() -> None:
    """What `ormolu` exports is mentioned in README.md or under docs/."""
    import ormolu

    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in ormolu.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_every_function_and_method_is_on_a_page() -> None:
    """The database functions, and what a QuerySet can be asked, are mentioned in README.md or under docs/."""
    from ormolu import QuerySet
    from ormolu.query import functions

    inner = {
        "prefilled",
        "resolve_expression",
    }  # what other parts of the library and of Django ask of a queryset
    names = [
        *functions.__all__,
        *(name for name in dir(QuerySet) if not name.startswith("_") and name not in inner),
    ]
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_query_pages_are_checked() -> None:
    """The pages about queries show the SQL and the results, and so they are compared with what happens."""
    assert [
        _name(page) for page in QUERY_PAGES if "<!-- checked -->" not in page.read_text(encoding="utf-8")
    ] == []
