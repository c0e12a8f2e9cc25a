"""save() and delete() of objects that a SQLAlchemy Session holds."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ormolu import CharField, IntegerField, Model, databases


class Kettle(Model):
    code = CharField(max_length=10, primary_key=True)
    litres = IntegerField(default=1)

    class Meta:
        app_label = "save_in_session"


def session() -> Session:
    return Session(databases.get().engine)


def test_save_of_an_expired_object(db: Any) -> None:
    """An object that its session expired is updated by save(), not inserted without its key."""
    Kettle.objects.create(code="a", litres=2)
    with session() as s:
        kettle = s.scalars(select(Kettle)).one()
        s.commit()
        kettle.litres = 3
        kettle.save()
        s.commit()
        assert kettle.litres == 3
    assert list(Kettle.objects.values_list("code", "litres")) == [("a", 3)]


def test_a_session_goes_on_after_save(db: Any) -> None:
    """What save() wrote isn't written again by the session; what is changed afterwards is."""
    Kettle.objects.create(code="a")
    with session() as s:
        kettle = s.scalars(select(Kettle)).one()
        s.commit()
        kettle.litres = 3
        kettle.save()
        assert kettle not in s.dirty
        kettle.litres = 4
        s.commit()
    assert Kettle.objects.get().litres == 4


def test_save_of_a_pending_object(db: Any) -> None:
    """An object that waits in a session for its INSERT is there only once when save() does it first."""
    with session() as s:
        kettle = Kettle(code="a")
        s.add(kettle)
        kettle.save()
        assert kettle in s
        kettle.litres = 5
        s.commit()
    assert Kettle.objects.get().litres == 5


def test_delete_of_a_session_s_object(db: Any) -> None:
    """delete() takes the object out of its session, and save() makes the row anew."""
    Kettle.objects.create(code="a")
    with session() as s:
        kettle = s.scalars(select(Kettle)).one()
        s.commit()
        kettle.delete()
        assert kettle not in s
        s.commit()
    assert Kettle.objects.count() == 0


def test_merging(db: Any) -> None:
    """`merge()` takes in what is new, what has a row, and with `load=False` what is known to be as the row is."""
    Kettle.objects.create(code="a", litres=2)
    with session() as s:
        new = s.merge(Kettle(code="b", litres=3))
        assert new._state.adding
        changed = s.merge(Kettle(code="a", litres=5))
        s.commit()
        assert (new._state.adding, changed._state.adding) == (False, False)
    with session() as s:
        known = s.merge(Kettle.objects.get(code="a"), load=False)
        assert (known._state.db, known._state.adding, known in s.dirty) == ("default", False, False)
        known.litres = 6
        known.save()
        s.commit()
    assert list(Kettle.objects.order_by("code").values_list("code", "litres")) == [("a", 6), ("b", 3)]
