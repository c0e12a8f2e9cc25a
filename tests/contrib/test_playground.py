"""The playground: every question has an answer, the same on every database."""

import io
from typing import Any

import pytest

from ormolu import configure, create_tables, databases
from ormolu.contrib.playground import catalogue, display, shell
from ormolu.contrib.playground.asking import Answer, ask, body_of
from ormolu.contrib.playground.catalogue import Catalogue
from ormolu.contrib.playground.loader import load
from ormolu.contrib.playground.models import MODELS, Distribution, File
from ormolu.contrib.playground.questions import QUESTIONS, what_if
from support.backends import Backend, Backends


@pytest.fixture(scope="module")
def environment() -> Catalogue:
    """This environment, less the files of the largest distributions: a real catalogue that loads fast."""
    found = catalogue.read()
    return Catalogue([d for d in found.distributions if len(d.files) < 1_000])


@pytest.fixture
def counts(db: Backend, environment: Catalogue) -> dict[str, int]:
    return load(environment)


def test_everything_is_loaded(counts: dict[str, int], environment: Catalogue) -> None:
    """Each record becomes one row, and primary keys follow the alphabet."""
    assert counts["Distribution"] == len(environment.distributions)
    assert counts["File"] == sum(len(d.files) for d in environment.distributions)
    links = Distribution.classifiers.through.objects.count()
    assert sum(counts.values()) + links == environment.row_count
    names = list(Distribution.objects.order_by("pk").values_list("name", flat=True))
    assert names == sorted(names)


def test_progress_reaches_its_end(db: Backend, environment: Catalogue) -> None:
    """The steps that are reported add up to the number of rows that was announced."""
    steps: list[int] = []
    load(environment, steps.append)
    assert sum(steps) == environment.row_count


def test_each_question_has_an_answer(counts: dict[str, int]) -> None:
    """A question gives rows, and shows the Python and the SQL that they came from."""
    for question in QUESTIONS:
        answer = ask(question)
        assert answer.rows, answer.title
        assert answer.sql, answer.title
        assert answer.title.endswith((".", "?"))
        assert "objects" in answer.python
        assert "def " not in answer.python


def test_rolled_back_update_leaves_nothing(counts: dict[str, int]) -> None:
    """What the question about an update changes is as it was, afterwards."""
    sizes = list(File.objects.order_by("pk").values_list("size", flat=True))
    (row,) = what_if()
    assert row["in it"] == 2 * row["before"]
    assert row["after"] == row["before"]
    assert list(File.objects.order_by("pk").values_list("size", flat=True)) == sizes


def test_all_databases_answer_the_same(backends: Backends, environment: Catalogue) -> None:
    """The same catalogue gives the same answers on SQLite and on PostgreSQL, to the letter of their JSON."""
    assert _answers(backends, "sqlite", environment) == _answers(backends, "postgresql", environment)


def _answers(backends: Backends, name: str, environment: Catalogue) -> list[Any]:
    configure(backends.fresh(name).url)
    try:
        create_tables(*MODELS)
        load(environment)
        answers = [ask(question) for question in QUESTIONS]
        return [display.plain_rows(answer) for answer in answers]
    finally:
        databases.close_all()


def test_python_shown_is_the_source() -> None:
    """What is shown is the body of the function, without its signature and docstring."""

    def question() -> list[int]:
        """Say what?"""
        # why
        return [1]

    assert body_of(question) == "# why\nreturn [1]"


def test_answer_is_drawn() -> None:
    """An answer on paper has its title, its code, its statements and its rows."""
    screen = display.Console(width=100, record=True, file=io.StringIO())
    answer = Answer("Why?", "return 1", ["SELECT 1"], 0.0123, [{"name": "[x]", "n": 1234, "mean": 2.5}])
    display.show_answer(1, answer, screen)
    text = screen.export_text()
    for part in ("1. Why?", "return 1", "SELECT 1", "1 query, 12.3 ms", "[x]", "1,234", "2.5"):
        assert part in text


def test_sql_is_laid_out_by_clauses() -> None:
    """A statement on paper has a line for each of its clauses."""
    sql = "SELECT a\nFROM t LEFT OUTER JOIN u ON t.id = u.t_id JOIN v ON v.id = u.id \nWHERE a = ? ORDER BY a"
    assert display.laid_out(sql).splitlines() == [
        "SELECT a",
        "FROM t",
        "LEFT OUTER JOIN u ON t.id = u.t_id",
        "JOIN v ON v.id = u.id",
        "WHERE a = ?",
        "ORDER BY a",
    ]


def test_shell_has_models_and_public_names() -> None:
    """The shell begins with the models, the questions and the library's own names."""
    names = shell.namespace()
    assert {"Distribution", "File", "Q", "F", "Count", "atomic", "largest"} <= set(names)
