"""ExclusionConstraint: PostgreSQL's EXCLUDE."""

import datetime
from typing import Any

import pytest

from ormolu import (
    BooleanField,
    CharField,
    DateField,
    Deferrable,
    F,
    Func,
    IntegerField,
    IntegrityError,
    Model,
    Q,
    UniqueConstraint,
    ValidationError,
    atomic,
    connection,
    create_tables,
    drop_tables,
)
from ormolu.contrib.postgres.constraints import ExclusionConstraint
from ormolu.contrib.postgres.indexes import OpClass
from ormolu.fields.ranges import DateRangeField, IntegerRangeField
from support.backends import Backend

MODELS: list[Any] = []


class DateRange(Func):
    """The days from one to another, as a range."""

    function = "DATERANGE"
    output_field = DateRangeField()


class Stay(Model):
    room = IntegerRangeField()
    guest = CharField(max_length=20)
    first, last = DateField(), DateField()
    cancelled = BooleanField(default=False)
    seats = IntegerField(default=0)

    class Meta:
        app_label = "stays"
        constraints = [
            ExclusionConstraint(
                name="no_overlap",
                expressions=[(DateRange("first", "last"), "&&"), ("room", "&&")],
                condition=Q(cancelled=False),
                include=["guest"],
            )
        ]


def stay(first: int, last: int, **values: Any) -> Stay:
    """Return a stay in May, not saved."""
    days = (datetime.date(2030, 5, day) for day in (first, last))
    return Stay(**{"room": (1, 3), "guest": "Ann", "first": next(days), "last": next(days), **values})


@pytest.fixture
def stays(db: Backend) -> Any:
    """The table, with one stay."""
    with connection.schema_editor() as editor:
        editor.create_model(Stay)
    stay(3, 8).save()
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Stay)


@pytest.mark.backends("postgresql")
def test_rows_that_overlap(stays: None) -> None:
    """The database refuses them, among the rows that meet the condition."""
    with pytest.raises(IntegrityError, match="no_overlap"), atomic():
        stay(7, 9).save()
    stay(8, 9).save()
    stay(4, 5, cancelled=True).save()
    stay(4, 5, room=(4, 6)).save()
    assert connection.introspection.get_constraints(None, "stays_stay")["no_overlap"]["columns"] != []


@pytest.mark.backends("postgresql")
async def test_validation(db: Backend, world: Any) -> None:
    """validate() asks the database, and so does avalidate(); not about what is excluded, nor about the row itself."""
    constraint = Stay._meta.constraints[0]
    check = constraint.validate
    await world(create_tables, Stay)
    try:
        first = stay(3, 8)
        await world(first.save)
        await world(check, Stay, first)
        await world(check, Stay, stay(8, 9))
        await world(check, Stay, stay(4, 5, cancelled=True))
        with pytest.raises(ValidationError, match="no_overlap"):
            await world(check, Stay, stay(7, 9))
        await world(check, Stay, stay(7, 9), exclude={"room"})
    finally:
        await world(drop_tables, Stay)


@pytest.mark.backends("postgresql")
def test_added_and_removed(stays: None) -> None:
    """By the schema editor; deferred, it waits for the end of the transaction."""
    constraint = ExclusionConstraint(
        name="far_apart",
        expressions=[(OpClass(F("room"), "range_ops"), "-|-")],
        deferrable=Deferrable.DEFERRED,
    )
    with connection.schema_editor() as editor:
        editor.add_constraint(Stay, constraint)
        sql = str(constraint.create_sql(Stay, editor))
    assert sql.endswith('EXCLUDE USING GIST ("room" range_ops WITH -|-) DEFERRABLE INITIALLY DEFERRED')
    with pytest.raises(IntegrityError, match="far_apart"), atomic():
        passing = stay(20, 21, room=(3, 5))
        passing.save()
        assert passing.pk
    with connection.schema_editor() as editor:
        editor.remove_constraint(Stay, constraint)
    stay(20, 21, room=(3, 5)).save()


def test_made_again() -> None:
    """deconstruct() has what was given; equal constraints may name a field in two ways."""
    given: Any = {
        "name": "a",
        "expressions": [("span", "&&")],
        "condition": Q(cancelled=False),
        "include": ("x",),
    }
    one = ExclusionConstraint(**given)
    assert one.deconstruct()[2] == given
    assert one.clone() == one
    assert one == ExclusionConstraint(**{**given, "expressions": [(F("span"), "&&")]})
    assert one != ExclusionConstraint(**{**given, "index_type": "spgist"})
    assert repr(one) == (
        "<ExclusionConstraint: index_type='GIST' expressions=[('span', '&&')] name='a' "
        "condition=(AND: ('cancelled', False)) include=('x',)>"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index_type": "gin"}, "only support"),
        ({"expressions": ["span"]}, "2-tuples"),
        ({"expressions": []}, "At least one"),
        ({"condition": F("x")}, "must be a Q"),
        ({"deferrable": "later"}, "Deferrable instance"),
        ({"include": "x"}, "list or tuple"),
    ],
)
def test_what_it_refuses(options: Any, message: str) -> None:
    """Options that make no sense."""
    with pytest.raises(ValueError, match=message):
        ExclusionConstraint(**{"name": "a", "expressions": [("span", "&&")], **options})


def test_deferred_with_a_sqlalchemy_condition() -> None:
    """A condition of SQLAlchemy's counts as one, though it has no truth value."""
    import sqlalchemy as sa

    with pytest.raises(ValueError, match="cannot be deferred"):
        UniqueConstraint(fields=["a"], name="b", condition=sa.column("a") > 1, deferrable=Deferrable.DEFERRED)
