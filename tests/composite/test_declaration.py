"""CompositePrimaryKey and ForeignObject as they are declared, and what is refused."""

import copy
import pickle
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

import ormolu
from composite.tenants import MODELS, Badge, Person, Posting, Remark, Tenant, fill
from ormolu import (
    CASCADE,
    CompositePrimaryKey,
    FieldError,
    ForeignKey,
    ForeignObject,
    IntegerField,
    ManyToManyField,
    Model,
    ValidationError,
)
from ormolu.models.registry import Apps, isolated
from support.worlds import World

__all__ = ["MODELS"]


@pytest.fixture
def apps() -> Any:
    with isolated() as registry:
        yield registry


class Legacy(Model):
    """Mapped as SQLAlchemy has it."""

    left: Mapped[int] = mapped_column(primary_key=True)
    right: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    note: Mapped[str] = mapped_column(sa.String(20), default="")


MODELS.append(Legacy)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((), "unique strings"),
        ((1,), "unique strings"),
        (("id", False), "unique strings"),
        (("id", "id"), "unique strings"),
        (("id",), "at least two fields"),
    ],
)
def test_names(names: Any, text: str) -> None:
    """A key names two or more different fields."""
    with pytest.raises(ValueError, match=text):
        CompositePrimaryKey(*names)


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("default", (1, 1), "cannot have a default"),
        ("db_default", 1, "cannot have a database default"),
        ("db_column", "x", "cannot have a db_column"),
        ("editable", True, "cannot be editable"),
        ("primary_key", False, "must be a primary key"),
        ("blank", False, "must be blank"),
    ],
)
def test_options(option: str, value: Any, text: str) -> None:
    """Options that make no sense are refused."""
    with pytest.raises(ValueError, match=text):
        CompositePrimaryKey("a", "b", **{option: value})


def test_meta() -> None:
    """`_meta.pk` is the key, `pk_fields` are its fields in its order; none of them is a primary key by itself."""
    meta = Person._meta
    assert meta.get_field("pk") is meta.pk
    assert meta.is_composite_pk
    assert not Tenant._meta.is_composite_pk
    assert [field.name for field in meta.pk_fields] == ["tenant", "id"]
    assert [field.name for field in meta.get_fields() if field.primary_key] == ["pk"]
    assert "pk" not in {field.name for field in meta.concrete_fields}
    assert [column.name for column in Remark.__table__.primary_key] == ["tenant_id", "remark_id"]
    assert meta.pk.deconstruct() == ("pk", "ormolu.CompositePrimaryKey", ["tenant_id", "id"], {})
    twin = copy.deepcopy(meta.pk)
    assert twin.field_names == ("tenant_id", "id")
    assert twin.clone().field_names == twin.field_names


def test_table(db: Any) -> None:
    """The table has PRIMARY KEY (a, b), in the order of the key."""
    inspector = sa.inspect(ormolu.databases.get().engine)
    assert inspector.get_pk_constraint(Remark._meta.db_table)["constrained_columns"] == [
        "tenant_id",
        "remark_id",
    ]


test_table.pytestmark = [pytest.mark.worlds("sync")]  # type: ignore[attr-defined]


def test_inherited(apps: Apps) -> None:
    """A key of an abstract model is that of its children; a proxy has its model's."""

    class Scoped(Model):
        pk = CompositePrimaryKey("scope", "number")
        scope = IntegerField()
        number = IntegerField()

        class Meta:
            abstract = True

    class Ticket(Scoped):
        pass

    class Old(Ticket):
        class Meta:
            proxy = True

    assert Ticket(pk=(1, 2)).number == 2
    assert Old._meta.pk is Ticket._meta.pk
    assert Old(pk=(3, 4)).pk == (3, 4)
    assert Old(pk=(1, 2)) == Ticket(pk=(1, 2))


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("a", "c"), "'c' is not a valid field"),
        (("a", "pk"), "'pk' field has no column"),
        (("a", "empty"), "may not set 'null=True'"),
        (("link", "link_id"), "are the same fields"),
        (("a", "object"), "'object' field has no column"),
    ],
)
def test_refused_fields(apps: Apps, names: tuple[str, ...], why: str) -> None:
    """A key consists of different fields of the model's own, with columns that are never NULL."""
    with pytest.raises(FieldError, match=why):

        class Wrong(Model):
            pk = CompositePrimaryKey(*names)
            a = IntegerField()
            b = IntegerField()
            empty = IntegerField(null=True)
            link = ForeignKey("self", on_delete=CASCADE, to_field="b")
            object = ForeignObject("self", CASCADE, from_fields=("a",), to_fields=("b",))


def test_refused_models(apps: Apps) -> None:
    """The key is called pk; there is one; a model with a parent's table has none of several columns, nor has that."""
    with pytest.raises(FieldError, match="must be named 'pk'"):

        class Named(Model):
            key = CompositePrimaryKey("a", "b")
            a = IntegerField()
            b = IntegerField()

    with pytest.raises(FieldError, match="more than one field with 'primary_key=True'"):

        class Two(Model):
            pk = CompositePrimaryKey("a", "b")
            a = IntegerField(primary_key=True)
            b = IntegerField()

    class Parent(Model):
        pk = CompositePrimaryKey("a", "b")
        a = IntegerField()
        b = IntegerField(unique=True)

    with pytest.raises(FieldError, match="can't have a row of its own beside"):

        class Child(Parent):
            c = IntegerField()

    with pytest.raises(FieldError, match="Use a ForeignObject"):

        class Pointing(Model):
            parent = ForeignKey(Parent, on_delete=CASCADE)

    with pytest.raises(FieldError, match="involving model 'Parent' which has a CompositePrimaryKey"):

        class Many(Model):
            parents = ManyToManyField(Parent)

    class ByOneField(Model):
        parent = ForeignKey(Parent, on_delete=CASCADE, to_field="b")

    assert ByOneField(parent=Parent(a=1, b=2)).parent_id == 2  # type: ignore[attr-defined]


def test_refused_objects(apps: Apps) -> None:
    """A ForeignObject needs as many fields here as there, and fields that have columns."""
    with pytest.raises(ValueError, match="same non-zero length"):
        ForeignObject(Person, CASCADE, from_fields=("a",), to_fields=("tenant_id", "id"))
    with pytest.raises(ValueError, match="same non-zero length"):
        ForeignObject(Person, CASCADE, from_fields=(), to_fields=())

    class Misspelt(Model):
        number = IntegerField()
        person = ForeignObject(Person, CASCADE, from_fields=("nunber",), to_fields=("id",), related_name="+")

    assert Misspelt(number=1).number == 1
    assert len(Misspelt.check()) == 1
    with pytest.raises(FieldError, match="from_fields names 'nunber'.* Did you mean 'number'"):
        Misspelt.objects.filter(person__email="x")

    with pytest.raises(FieldError, match="to_fields names 'pk'"):

        class ToTuple(Model):
            number = IntegerField()
            person = ForeignObject(
                Person, CASCADE, from_fields=("number",), to_fields=("pk",), related_name="+"
            )


def test_pk_of_an_instance() -> None:
    """`pk` is a tuple that follows its fields and sets them; anything else is refused."""
    person = Person(pk=(1, 2))
    assert (person.tenant_id, person.id, person.pk) == (1, 2, (1, 2))  # type: ignore[attr-defined]
    person.id = 3
    assert person.pk == (1, 3)
    assert person._is_pk_set()
    person.pk = [4, 5]
    assert (person.tenant_id, person.id) == (4, 5)  # type: ignore[attr-defined]
    person.pk = None
    assert person.pk == (None, None)
    assert not person._is_pk_set()
    for wrong in ("foo", 1, True):
        with pytest.raises(ValueError, match="'pk' must be a list or a tuple"):
            person.pk = wrong
    for wrong in ((), (1,), (1, 2, 3)):
        with pytest.raises(ValueError, match="'pk' must have 2 elements"):
            person.pk = wrong
    assert Person(pk=(1, 1), id=2).pk == Person(id=2, pk=(1, 1)).pk == (1, 1)


def test_identity() -> None:
    """Objects are equal by their keys, hash as these, and are neither equal nor hashable without."""
    assert Person(pk=(1, 2)) == Person(pk=(1, 2)) != Person(pk=(2, 2))
    assert hash(Person(pk=(1, 2))) == hash((1, 2))
    assert Person() != Person()
    assert Person(id=1) != Person(id=1)
    for unset in (Person(), Person(id=1), Person(tenant_id=1)):
        with pytest.raises(TypeError, match="unhashable"):
            hash(unset)
    assert str(Person(pk=(1, 2))) == "Person object ((1, 2))"


async def test_copies(db: Any, world: World) -> None:
    """Objects, querysets and fields can be pickled."""
    here = await fill(world)
    assert pickle.loads(pickle.dumps(here.ann)) == here.ann
    queryset = Person.objects.filter(pk=(here.one.pk, 1))
    again = Person.objects.all()
    again.query = pickle.loads(pickle.dumps(queryset.query))
    assert await world.list(again) == [here.ann]
    assert pickle.loads(pickle.dumps(Person._meta.pk)) is Person._meta.pk


@pytest.mark.worlds("sync")
def test_sqlalchemy(db: Any) -> None:
    """SQLAlchemy's mapping has the same key; sessions, joins and relations follow it."""
    here: dict[str, Any] = {}
    tenant = Tenant.objects.create(name="one")
    here["ann"] = Person.objects.create(tenant=tenant, id=1, email="ann")
    Remark.objects.create(person=here["ann"], id=7, text="hello")
    with Session(ormolu.databases.get().engine) as session:
        ann = session.get(Person, (tenant.pk, 1))
        assert ann is not None
        assert ann.pk == (tenant.pk, 1)
        assert ann == here["ann"]
        remark = session.scalars(sa.select(Remark).join(Remark.person).where(Person.email == "ann")).one()
        assert remark.person is ann
        ann.email = "anna"
        session.add(Person(pk=(tenant.pk, 2), email="bob"))
        session.commit()
        assert Person.objects(session).get(pk=(tenant.pk, 1)) is ann
    assert sorted(Person.objects.values_list("pk", "email")) == [
        ((tenant.pk, 1), "anna"),
        ((tenant.pk, 2), "bob"),
    ]


async def test_plain_mapping(db: Any, world: World) -> None:
    """A model with several primary_key columns of SQLAlchemy's has the same kind of key."""
    assert isinstance(Legacy._meta.pk, CompositePrimaryKey)
    await world(Legacy.objects.create, left=1, right="a", note="x")
    await world(Legacy.objects.create, pk=(1, "b"), note="y")
    assert (await world(Legacy.objects.get, pk=(1, "b"))).note == "y"
    assert await world.list(Legacy.objects.filter(pk__gt=(1, "a")).values_list("pk", flat=True)) == [(1, "b")]


def test_object_fields() -> None:
    """A ForeignObject has no column; its fields come in pairs."""
    field: Any = Remark._meta.get_field("person")
    assert field.column is None
    assert not field.concrete
    assert field not in Remark._meta.concrete_fields
    assert [(near.name, far.name) for near, far in field.related_fields] == [
        ("tenant", "tenant"),
        ("person_id", "id"),
    ]
    assert "person" not in Remark.__table__.columns
    _name, path, args, kwargs = field.deconstruct()
    assert path == "ormolu.ForeignObject"
    assert not args
    assert kwargs["from_fields"] == ["tenant_id", "person_id"]
    assert kwargs["to"].endswith("person")
    assert field.clone().to_fields == ("tenant_id", "id")
    assert Badge.person.field.remote_field.one_to_many
    assert Posting._meta.pk_fields[0].name == "kind"


def test_texts() -> None:
    """For serialisers a key is a JSON list, and is read from one."""
    person = Person(pk=(1, 2))
    key: Any = Person._meta.pk
    assert key.value_to_string(person) == '["1", "2"]'
    assert key.to_python('["1", "2"]') == key.to_python(["1", 2]) == (1, 2)
    assert key.value_from_object(person) == (1, 2)
    assert key.to_python(None) is None
    assert [field.attname for field in key] == ["tenant_id", "id"]
    for wrong in ("1", "x", [1], (1, 2, 3), 7):
        with pytest.raises(ValidationError):
            key.to_python(wrong)
