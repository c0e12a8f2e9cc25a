"""What a class body becomes: columns, `_meta`, names, options."""

from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ormolu.exceptions import FieldDoesNotExist, FieldError
from ormolu.fields import BigAutoField, CharField, ColumnField, DateTimeField, IntegerField, UUIDField
from ormolu.models import (
    CASCADE,
    Apps,
    ForeignKey,
    IntPKMixin,
    Manager,
    ManyToManyField,
    Model,
    OneToOneField,
    TimestampMixin,
    UUIDPKMixin,
)


def test_columns_stand_in_the_order_of_declaration(apps: Apps) -> None:
    """The automatic key comes first, then fields of bases, then those of the body, plain columns among them."""

    class Base(Model):
        made = DateTimeField(auto_now_add=True)

        class Meta:
            abstract = True

    class Author(Model):
        name = CharField(max_length=10)

    class Book(Base):
        title = CharField(max_length=10)
        pages: Mapped[int] = mapped_column(default=0)
        author = ForeignKey(Author, CASCADE)
        isbn = CharField(max_length=13)

    expected = ["id", "made", "title", "pages", "author_id", "isbn"]
    assert Book.__table__.c.keys() == expected
    assert [field.attname for field in Book._meta.concrete_fields] == expected
    assert isinstance(Book._meta.pk, BigAutoField)
    assert isinstance(Book._meta.get_field("pages"), ColumnField)


def test_fields_of_a_base_are_copied(apps: Apps) -> None:
    """Each model has fields and columns of its own, also of a plain mixin; None takes one away."""

    class Base(Model):
        name = CharField(max_length=10)
        note = CharField(max_length=10)

        class Meta:
            abstract = True
            ordering = ["name"]

    class One(Base, TimestampMixin):
        pass

    class Two(Base):
        note = None  # type: ignore[assignment]

    assert One._meta.get_field("name") is not Two._meta.get_field("name")
    assert One._meta.get_field("name").model is One
    assert One.__table__.c.name is not Two.__table__.c.name
    assert "note" not in Two.__table__.c
    assert {"created_at", "updated_at"} <= set(One.__table__.c.keys())
    assert One._meta.ordering == Two._meta.ordering == ["name"]


def test_annotated_fields(apps: Apps) -> None:
    """A field may be annotated with Mapped, or with a name that exists only for type checkers."""

    class Author(Model):
        name: Mapped[str] = CharField(max_length=10)

    class Book(Model):
        author: "Mapped[NotThere]" = ForeignKey(Author, CASCADE)  # type: ignore[name-defined]  # noqa: F821
        author_id: int
        tags: "ManyToManyField[NotThere]" = ManyToManyField(Author, related_name="+")  # type: ignore[name-defined]  # noqa: F821

    assert Book.__table__.c.keys() == ["id", "author_id"]


@pytest.mark.parametrize(
    ("module", "label", "table"),
    [
        ("blog.models", "blog", "blog_item"),
        ("shop.blog.models.posts", "blog", "blog_item"),
        ("shop.catalog", "shop", "shop_item"),
        ("script", "", "item"),
        ("__main__", "", "item"),
    ],
)
def test_table_names(apps: Apps, module: str, label: str, table: str) -> None:
    """A table is named after its application and model; a script's after the model alone."""
    item: Any = type(Model)("Item", (Model,), {"__module__": module, "__qualname__": "Item"})
    assert (item._meta.app_label, item._meta.db_table) == (label, table)
    assert item.__table__.name == table


def test_table_names_that_are_given(apps: Apps) -> None:
    """Meta.db_table, Meta.app_label and `__tablename__` are taken."""

    class A(Model):
        class Meta:
            db_table = "letters"

    class B(Model):
        class Meta:
            app_label = "shop"

    class C(Model):
        __tablename__ = "sea"

    assert (A._meta.db_table, B._meta.db_table, C._meta.db_table) == ("letters", "shop_b", "sea")
    assert (B._meta.label, B._meta.label_lower) == ("shop.B", "shop.b")


def test_unknown_meta_option(apps: Apps) -> None:
    """An option that Meta doesn't have is refused with the near miss."""
    with pytest.raises(
        TypeError, match=r"Bad: 'class Meta' got invalid attribute\(s\): orderng. Did you mean 'ordering'"
    ):

        class Bad(Model):
            class Meta:
                orderng = ["name"]


def test_unknown_field(apps: Apps) -> None:
    """get_field() knows names, attnames and reverse names, and names the near miss of another."""

    class Author(Model):
        name = CharField(max_length=10)

    class Book(Model):
        author = ForeignKey(Author, CASCADE)

    assert Book._meta.get_field("author") is Book._meta.get_field("author_id")
    assert Author._meta.get_field("book").related_model is Book
    with pytest.raises(FieldDoesNotExist, match=r"Author has no field named 'nam'\. Did you mean 'name'"):
        Author._meta.get_field("nam")


def test_primary_keys(apps: Apps) -> None:
    """A declared key, of whatever kind, takes the place of the automatic one."""
    Key = Annotated[int, mapped_column(primary_key=True)]

    class A(Model):
        code = CharField(max_length=3, primary_key=True)

    class B(UUIDPKMixin, Model):
        pass

    class C(Model, IntPKMixin):
        pass

    class D(Model):
        number: Mapped[int] = mapped_column(primary_key=True)

    class E(Model):
        a: Mapped[int] = mapped_column(primary_key=True)
        b: Mapped[int] = mapped_column(primary_key=True)

    class F(Model):
        number: Mapped[Key]

    assert [m._meta.pk.attname for m in (A, B, C, D, E)] == ["code", "id", "id", "number", "pk"]
    assert isinstance(B._meta.pk, UUIDField)
    assert B().pk is not None
    assert E(a=1, b=2).pk == (1, 2)
    assert [f.name for f in E._meta.pk_fields] == ["a", "b"]
    assert F._meta.pk.attname == "number"


def test_managers(apps: Apps) -> None:
    """`objects` is there unless the class declares managers; the first declared one is the default."""

    class Published(Manager[Any]):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(name="x")

    class Base(Model):
        people = Manager[Any]()
        name = CharField(max_length=10)

        class Meta:
            abstract = True

    class Author(Model):
        name = CharField(max_length=10)

    class Post(Base):
        published = Published()

    assert Author._default_manager is Author.objects
    assert Author.objects.model is Author
    assert [m.name for m in Post._meta.managers] == ["published", "people"]
    assert isinstance(Post._default_manager, Published)
    assert type(Post._base_manager) is Manager
    assert Post.people.model is Post
    assert not hasattr(Post, "objects")
    with pytest.raises(AttributeError, match="Base is abstract"):
        Base.people
    with pytest.raises(AttributeError, match="isn't accessible via Author instances"):
        Author().objects


def test_choices_and_dates_give_methods(apps: Apps) -> None:
    """get_FOO_display() and get_next_by_FOO() belong to the fields that call for them."""

    class Post(Model):
        state = IntegerField(choices=[(1, "draft"), (2, "public")], default=1)
        made = DateTimeField()

    assert Post().get_state_display() == "draft"  # type: ignore[attr-defined]
    assert callable(Post.get_next_by_made)  # type: ignore[attr-defined]


def test_a_model_that_is_defined_again(apps: Apps) -> None:
    """A notebook's second definition takes the first one's place, in the relations of others too."""

    def define_author(**more: Any) -> Any:
        class Author(Model):
            name = CharField(max_length=10)
            locals().update(more)

        return Author

    first = define_author()

    class Book(Model):
        author = ForeignKey(first, CASCADE)
        readers = ManyToManyField(first, related_name="read")

    second = define_author(age=IntegerField(default=3))
    assert apps.get_model("tests.Author") is second
    assert Book._meta.get_field("author").related_model is second
    assert Book.__table__.c.author_id.references(second.__table__.c.id)
    assert Book(author=second(name="x")).author.age == 3
    assert "JOIN tests_author" in str(sa.select(Book).join(Book.author).where(second.age == 3))
    assert set(second._meta.fields_map) == {"book", "read"}
    with pytest.raises(ValueError, match="must be a"):
        Book(author=first(name="x"))


def test_two_models_of_one_label(apps: Apps) -> None:
    """Models of one label in different modules are a conflict."""
    body = {"__qualname__": "Dup", "Meta": type("Meta", (), {"app_label": "a"})}
    type(Model)("Dup", (Model,), {**body, "__module__": "one.models"})
    with pytest.raises(
        RuntimeError, match=r"Conflicting 'dup' models in application 'a': one.models.Dup and two"
    ):
        type(Model)("Dup", (Model,), {**body, "__module__": "two.models"})


def test_clashes(apps: Apps) -> None:
    """A reverse accessor that is taken is refused, and the model that wanted it isn't registered."""

    class Author(Model):
        name = CharField(max_length=10)

    with pytest.raises(FieldError, match=r"Reverse accessor 'Author.name' for .* clashes with field name"):

        class One(Model):
            author = ForeignKey(Author, CASCADE, related_name="name")

    with pytest.raises(FieldError, match="Add or change a related_name argument"):

        class Two(Model):
            author = ForeignKey(Author, CASCADE)
            editor = ForeignKey(Author, CASCADE)

    assert [m.__name__ for m in apps.get_models()] == ["Author"]
    assert not Author._meta.related_objects

    class Three(Model):
        author = ForeignKey(Author, CASCADE)
        editor = ForeignKey(Author, CASCADE, related_name="+")

    assert Author._meta.lookup_names() == ["id", "name", "three"]


def test_columns_that_are_added_later(apps: Apps) -> None:
    """A column, a field or a relation set on a class that exists is mapped and known."""

    class Author(Model):
        name = CharField(max_length=10)

    class Book(Model):
        pass

    Book.pages = mapped_column(sa.Integer)  # type: ignore[attr-defined]
    Book.add_to_class("title", CharField(max_length=5, default="t"))
    Book.add_to_class("author", ForeignKey(Author, CASCADE, null=True))
    book = Book(pages=3, author=Author(id=4))
    assert (book.pages, book.title, book.author_id) == (3, "t", 4)  # type: ignore[attr-defined]
    assert Author._meta.get_field("book").related_model is Book


def test_fields_with_names_that_sqlalchemy_reserves(apps: Apps) -> None:
    """A field may be called `metadata` or `registry`."""

    class Thing(Model):
        metadata = IntegerField(default=3)  # type: ignore[assignment]
        registry = IntegerField(default=4)  # type: ignore[assignment]

    class Child(Thing):
        pass

    thing = Thing(metadata=7)
    assert (thing.metadata, thing.registry) == (7, 4)
    assert str(sa.select(Thing.metadata)) == "SELECT tests_thing.metadata \nFROM tests_thing"
    assert Child(metadata=1).metadata == 1


def test_a_field_with_a_descriptor_of_its_own(apps: Apps) -> None:
    """A field may put a descriptor on the class, which then reads and writes the attribute."""

    class Upper:
        def __get__(self, instance: Any, owner: Any) -> Any:
            return self if instance is None else instance.__dict__["code"]

        def __set__(self, instance: Any, value: str) -> None:
            instance.__dict__["code"] = value.upper()

    class UpperField(CharField[str]):
        def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
            super().contribute_to_class(cls, name, private_only)
            setattr(cls, name, Upper())

    class Thing(Model):
        code = UpperField(max_length=3)

    thing = Thing(code="abc")
    assert thing.code == "ABC"
    thing.__dict__["_db"] = "default"
    thing.code = "xyz"
    assert (thing.code, thing.__dict__["_dirty"]) == ("XYZ", {"code": "ABC"})
    assert "code" in Thing.__table__.c


def test_proxy(apps: Apps) -> None:
    """A proxy shares its model's table and relations, and has methods and ordering of its own."""

    class Author(Model):
        name = CharField(max_length=10)

    class Writer(Author):
        class Meta:
            proxy = True
            ordering = ["name"]

        def shout(self) -> str:
            return self.name.upper()

    class Book(Model):
        writer = ForeignKey(Writer, CASCADE)

    assert Writer._meta.concrete_model is Author
    assert Writer._meta.table is Author._meta.table
    assert Writer(name="ann").shout() == "ANN"
    assert Author(id=1) == Writer(id=1)
    assert Book(writer=Author(id=1)).writer_id == 1  # type: ignore[attr-defined]
    assert Author._meta.get_field("book") is Writer._meta.get_field("book")
    with pytest.raises(FieldError, match="Proxy model 'Bad' contains model fields: age"):

        class Bad(Author):
            age = IntegerField()

            class Meta:
                proxy = True

    class Dated(Model):
        day = IntegerField()

        class Meta:
            abstract = True

    with pytest.raises(
        TypeError, match="Proxy model 'Worse' can't derive from an abstract model with fields: day"
    ):

        class Worse(Dated, Author):
            class Meta:
                proxy = True


def test_a_child_of_a_table(apps: Apps) -> None:
    """A child of a model with a table has a one-to-one key to its parent's row."""

    class Place(Model):
        name = CharField(max_length=10)

    class Restaurant(Place):
        stars = IntegerField(default=1)

    assert Restaurant.__table__.c.keys() == ["place_ptr_id", "stars"]
    assert [f.name for f in Restaurant._meta.fields] == ["id", "name", "place_ptr", "stars"]
    assert isinstance(Restaurant._meta.pk, OneToOneField)
    assert Restaurant._meta.get_parent_list() == [Place]
    assert Restaurant(name="x").name == "x"
