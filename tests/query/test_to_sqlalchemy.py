"""`as_sqlalchemy()`: conditions and expressions of ours in SQLAlchemy's statements."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, aliased

from ormolu import (
    CASCADE,
    CharField,
    Count,
    Exists,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    Q,
    databases,
)
from ormolu.query.functions import Upper
from support.backends import Backend


class Potter(Model):
    name = CharField(max_length=20)


class Vase(Model):
    potter = ForeignKey(Potter, on_delete=CASCADE, related_name="vases")
    colour = CharField(max_length=20)
    height = IntegerField()


@pytest.fixture
def session(db: Backend) -> Iterator[Session]:
    """A session on a database with three vases of two potters, and a third potter."""
    ann, bob, _cleo = (Potter.objects.create(name=name) for name in ("Ann", "Bob", "Cleo"))
    for potter, colour, height in (ann, "red", 10), (ann, "blue", 20), (bob, "red", 30):
        Vase.objects.create(potter=potter, colour=colour, height=height)
    with Session(databases.get().engine) as made:
        yield made


def heights(session: Session, *conditions: Any) -> list[int]:
    return list(session.scalars(select(Vase.height).where(*conditions).order_by(Vase.height)))


def names(session: Session, *conditions: Any) -> list[str]:
    return list(session.scalars(select(Potter.name).where(*conditions).order_by(Potter.name)))


def test_conditions(session: Session) -> None:
    """A Q is a condition among others, negated or not, and one that says nothing holds."""
    assert heights(session, Q(colour="red").as_sqlalchemy(Vase), Vase.height > 10) == [30]
    assert heights(session, ~Q(colour="red").as_sqlalchemy(Vase)) == [20]
    assert heights(session, (Q(height__lt=15) | Q(height__gt=25)).as_sqlalchemy(Vase)) == [10, 30]
    assert heights(session, Q().as_sqlalchemy(Vase)) == [10, 20, 30]
    assert heights(session, Q(height__in=[]).as_sqlalchemy(Vase)) == []
    assert heights(session, Q(height__gt=F("height") - 1, colour__icontains="BLU").as_sqlalchemy(Vase)) == [
        20
    ]


def test_conditions_over_relations(session: Session) -> None:
    """A condition over relations holds for the row, and does not repeat it."""
    assert heights(session, Q(potter__name="Ann").as_sqlalchemy(Vase)) == [10, 20]
    assert names(session, Q(vases__height__lt=25).as_sqlalchemy(Potter)) == ["Ann"]
    assert names(session, (~Q(vases__colour="blue")).as_sqlalchemy(Potter)) == ["Bob", "Cleo"]
    assert names(session, Exists(Vase.objects.filter(potter=OuterRef("pk"))).as_sqlalchemy(Potter)) == [
        "Ann",
        "Bob",
    ]


def test_one_place_holds_other_conditions(session: Session) -> None:
    """SQLAlchemy does not take a statement for another one that it has compiled."""
    found = [heights(session, Q(height=height).as_sqlalchemy(Vase)) for height in (10, 20, 30)]
    assert found == [[10], [20], [30]]


def test_expressions(session: Session) -> None:
    """An expression is a column, in arithmetic, in order and in groups; its type makes the values."""
    twice = (F("height") * 2).as_sqlalchemy(Vase)
    assert list(session.scalars(select(twice + 1).order_by(twice))) == [21, 41, 61]
    assert session.scalar(select(func.max(twice))) == 60
    loud = Upper("colour").as_sqlalchemy(Vase)
    assert session.execute(select(loud, func.count()).group_by(loud).order_by(loud)).all() == [
        ("BLUE", 1),
        ("RED", 2),
    ]
    assert session.scalar(select(Count("pk").as_sqlalchemy(Vase))) == 3


def test_expressions_over_relations(session: Session) -> None:
    """What other tables are needed for is of each row."""
    by = F("potter__name").as_sqlalchemy(Vase)
    assert session.execute(select(Vase.height, by).order_by(Vase.height)).all() == [
        (10, "Ann"),
        (20, "Ann"),
        (30, "Bob"),
    ]
    number = Count("vases").as_sqlalchemy(Potter)
    assert session.execute(select(Potter.name, number).order_by(Potter.name)).all() == [
        ("Ann", 2),
        ("Bob", 1),
        ("Cleo", 0),
    ]


def test_aliases(session: Session) -> None:
    """The model may be an alias: columns and keys are the alias's."""
    higher = aliased(Vase)
    pairs = (
        select(Vase.height, higher.height)
        .where(Vase.potter_id == higher.potter_id, Vase.height < higher.height)
        .where(Q(potter__name="Ann", colour="blue").as_sqlalchemy(higher))
    )
    assert session.execute(pairs).all() == [(10, 20)]


def test_changes(session: Session) -> None:
    """UPDATE and DELETE take conditions and expressions."""
    session.execute(
        update(Vase)
        .where(Q(colour="red").as_sqlalchemy(Vase))
        .values(height=(F("height") + 1).as_sqlalchemy(Vase))
    )
    assert heights(session) == [11, 20, 31]
    session.execute(delete(Vase).where(Q(colour="blue").as_sqlalchemy(Vase)))
    assert heights(session) == [11, 31]


def test_back_in_a_queryset(session: Session) -> None:
    """What has become SQLAlchemy's stands in querysets as all of its conditions do."""
    assert Vase.objects.filter(Q(colour="blue").as_sqlalchemy(Vase)).get().height == 20


def test_unknown_names(db: Backend) -> None:
    """An unknown name is refused at once, and so is what is no model."""
    with pytest.raises(FieldError, match="Did you mean 'colour'"):
        Q(color="red").as_sqlalchemy(Vase)
    with pytest.raises(FieldError, match="Cannot resolve keyword 'widht'"):
        F("widht").as_sqlalchemy(Vase)
    with pytest.raises(TypeError, match="takes a model"):
        Q(colour="red").as_sqlalchemy("Vase")
