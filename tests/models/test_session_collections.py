"""Many-to-many relations as SQLAlchemy's tools use them: loaded as lists, assigned, given to constructors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from ormolu import CharField, DateTimeField, JSONField, ManyToManyField, Model, UUIDField, databases


class CollectedWord(Model):
    text = CharField(max_length=20)

    def __str__(self) -> str:
        return self.text


class CollectedText(Model):
    title = CharField(max_length=20)
    words = ManyToManyField(CollectedWord, related_name="texts")
    made = DateTimeField(auto_now_add=True)


@pytest.fixture
def session(db: Any) -> Iterator[Session]:
    """A session on the library's own engine."""
    with Session(databases.get().engine) as made:
        yield made


def written() -> list[str]:
    """Return the words of the first text, as its rows say."""
    return sorted(word.text for word in CollectedText.objects.get().words.all())


def test_a_session_writes_what_the_constructor_was_given(session: Session) -> None:
    """`Text(words=[...])` is SQLAlchemy's way, and the session writes both; a list may be assigned as well."""
    one, two = CollectedWord(text="one"), CollectedWord(text="two")
    text = CollectedText(title="t", words=[one])
    assert list(text.words) == [one]
    session.add(text)
    session.commit()
    assert written() == ["one"]
    text.words = [one, two]  # type: ignore[assignment]
    session.commit()
    assert written() == ["one", "two"]
    text.words = []  # type: ignore[assignment]
    session.commit()
    assert written() == []


def test_loaded_collections_are_lists_and_managers(session: Session, queries: Any) -> None:
    """What `selectinload()` has loaded is a list without a query; changes go to the session, the manager's at once."""
    text = CollectedText.objects.create(title="t")
    text.words.create(text="one")
    query = sa.select(CollectedText).options(selectinload(CollectedText.words))
    loaded: Any = session.scalars(query).one()
    before = len(queries)
    assert isinstance(loaded.words, list)
    assert [str(word) for word in loaded.words] == ["one"]
    assert [str(word) for word in loaded.words.all()] == ["one"]
    assert loaded.words.count() == 1
    assert len(queries) == before
    three = CollectedWord(text="three")
    loaded.words.append(CollectedWord(text="two"))
    loaded.words.extend([three])
    loaded.words.insert(0, CollectedWord(text="zero"))
    assert len(loaded.words) == 4
    session.commit()
    assert written() == ["one", "three", "two", "zero"]
    session.scalars(query.execution_options(populate_existing=True)).one()
    loaded.words.pop(0)
    session.commit()
    assert len(written()) == 3
    loaded = session.scalars(query.execution_options(populate_existing=True)).one()
    loaded.words.remove(three)
    assert three not in loaded.words.all()
    loaded.words.clear()
    session.commit()
    assert written() == []


def test_managers_are_iterable(db: Any) -> None:
    """A related manager iterates over what `all()` gives."""
    text = CollectedText.objects.create(title="t")
    text.words.create(text="one")
    assert [str(word) for word in text.words] == ["one"]
    assert [one.title for one in CollectedWord.objects.get().texts] == ["t"]  # type: ignore[attr-defined]


def test_nothing_that_was_assigned_is_lost_silently(db: Any) -> None:
    """`save()` writes no collection, and says so; a saved object has `set()`."""
    word = CollectedWord.objects.create(text="one")
    text = CollectedText(title="t", words=[word])
    with pytest.raises(TypeError, match=r"then use words\.set\(\)"):
        text.save()
    with pytest.raises(TypeError, match=r"then use words\.set\(\)"):
        CollectedText.objects.bulk_create([text])
    with pytest.raises(TypeError, match=r"then use words\.set\(\)"):
        CollectedText.objects.create(title="t", words=[word])
    assert CollectedText.objects.count() == 0
    saved = CollectedText.objects.create(title="t", words=[])
    with pytest.raises(TypeError, match=r"Use words.set\(\) instead"):
        saved.words = [word]  # type: ignore[assignment]


def test_tables_know_what_tools_ask(db: Any) -> None:
    """Columns with `auto_now_add` have a default for plain INSERTs, and types name the class of their values."""
    with databases.get().engine.begin() as connection:
        connection.execute(sa.insert(CollectedText.__table__), {"title": "by hand"})
    assert CollectedText.objects.get().made is not None
    types = [UUIDField().sa_type, JSONField().sa_type, DateTimeField().sa_type]
    assert [type_.python_type.__name__ for type_ in types] == ["UUID", "dict", "datetime"]
