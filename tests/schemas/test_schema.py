"""`Schema`, `schema_for()`, `Model.get_schema()`: which fields there are, of which types, with which rules."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field, field_validator
from pydantic.alias_generators import to_camel
from sqlalchemy.dialects.postgresql import Range

import ormolu
from ormolu.schemas import Schema, schema_for
from schemas.kinds import KindColour, KindPart, KindPlain, Kinds
from schemas.shelf import ShelfAuthor, ShelfBook, ShelfProfile, ShelfPublisher, ShelfTag

MODELS: list[type[Any]] = []
GIVEN: dict[str, Any] = {"name": "x", "slug": "a-b", "code": "12", "even": 2}
T = TypeVar("T")


class AuthorOut(Schema):
    class Meta:
        model = ShelfAuthor


class BookOut(Schema):
    class Meta:
        model = ShelfBook
        nested = {"author": AuthorOut, "tags": "TagOut"}


class TagOut(Schema):
    class Meta:
        model = ShelfTag
        exclude = ("note",)


def refused(schema: type[BaseModel], **changes: Any) -> list[tuple[str, str]]:
    """Return the fields that a schema refuses, with the kinds of the errors."""
    with pytest.raises(ValidationError) as caught:
        schema(**{**GIVEN, **changes})
    return [(str(one["loc"][0]), one["type"]) for one in caught.value.errors()]


def test_all_columns_are_fields() -> None:
    """Without `fields` a schema has all columns: keys as keys, and no many-to-many relation."""
    assert list(schema_for(ShelfBook).model_fields) == [
        "id", "title", "author_id", "publisher_id", "state", "price", "listed", "created",
    ]  # fmt: skip


def test_fields_and_exclude_choose() -> None:
    """Names choose, in their order; a relation's name and its column's mean the key; `pk` the primary key."""
    assert list(schema_for(ShelfBook, fields=("title", "author", "pk")).model_fields) == [
        "title",
        "author_id",
        "id",
    ]
    assert "author_id" not in schema_for(ShelfBook, exclude=("author",)).model_fields
    assert "author_id" not in schema_for(ShelfBook, exclude=("author_id",)).model_fields
    assert list(schema_for(KindPart, fields=("pk",)).model_fields) == ["tenant", "number"]


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({"fields": ("titel",)}, "'titel'.*Did you mean 'title'"),
        ({"exclude": ("pasword",)}, "'pasword'"),
        ({"optional": ("titel",)}, "Did you mean 'title'"),
        ({"fields": "title"}, "tuple of names"),
        ({"fields": ("title",), "exclude": ("id",)}, "not both"),
        ({"modle": ShelfBook}, "Did you mean 'model'"),
        ({"unloaded": "maybe"}, "'raise' or 'load'"),
        ({"fields": ("profile",), "model": ShelfAuthor}, "has no column of its own"),
    ],
)
def test_a_wrong_meta_is_an_error(meta: dict[str, Any], text: str) -> None:
    """What `class Meta` can't mean is an error when the schema is made, with the near miss."""
    with pytest.raises(TypeError, match=text):
        type(
            "Wrong",
            (Schema,),
            {"__module__": __name__, "Meta": type("Meta", (), {"model": ShelfBook, **meta})},
        )


def test_a_mistyped_relation_is_an_error_at_first_use() -> None:
    """A nested relation may be declared later than the schema; the error for one that never is names it."""
    schema = schema_for(ShelfBook, nested={"tugs": TagOut})
    with pytest.raises(Exception, match=r"ShelfBook\.tugs"):
        schema(title="x")


def test_types() -> None:
    """Each kind of field has the type of its values; what may be NULL may be None."""
    fields = schema_for(Kinds).model_fields
    types = {name: info.annotation for name, info in fields.items()}
    assert (types["id"], types["name"], types["flag"], types["price"]) == (int, str, bool, Decimal)
    assert (types["colour"], types["day"], types["state"]) == (KindColour, dt.date, Literal["free", "taken"])
    made = schema_for(Kinds)(**GIVEN, span={"lower": 1, "upper": 3}, blob="aGk=", tags=["a"])
    assert made.span == Range(1, 3)
    assert made.blob == b"hi"
    dumped = made.model_dump(mode="json")
    assert dumped["span"] == {"lower": 1, "upper": 3, "bounds": "[)", "empty": False}
    assert dumped["blob"] == "aGk="
    assert schema_for(Kinds).model_validate(made.model_dump(mode="json", exclude_unset=True)).span == Range(
        1, 3
    )


def test_plain_columns_have_the_types_of_their_annotations() -> None:
    """What `Mapped[...]` says is the type; a key that counts up is read-only, a length holds."""
    schema = schema_for(KindPlain)
    types = {name: info.annotation for name, info in schema.model_fields.items()}
    assert types == {
        "id": int, "name": str, "colour": KindColour | None, "when": dt.datetime, "amount": Decimal,
    }  # fmt: skip
    assert schema(name="x").model_dump() == {
        "id": None, "name": "x", "colour": None, "when": dt.datetime(2024, 1, 1), "amount": Decimal("2.5"),
    }  # fmt: skip
    with pytest.raises(ValidationError, match="at most 30"):
        schema(name="x" * 31)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("name", "", "string_too_short"),
        ("name", "x" * 21, "string_too_long"),
        ("name", None, "string_type"),
        ("email", "x", "invalid"),
        ("site", "example", "invalid"),
        ("slug", "a b", "invalid"),
        ("code", "1a", "digits"),
        ("even", 3, "odd"),
        ("even", 0, "greater_than_equal"),
        ("even", 2**31, "less_than_equal"),
        ("small", -1, "greater_than_equal"),
        ("price", "1234567.5", "decimal_max_digits"),
        ("price", "1.234", "decimal_max_places"),
        ("state", "lost", "literal_error"),
        ("level", 3, "literal_error"),
        ("colour", "green", "enum"),
        ("address", "x", "invalid"),
        ("tags", ["toolong"], "string_too_long"),
        ("tags", ["a", "b", "c", "d"], "too_long"),
        ("span", {"lower": 3, "upper": 1}, "range"),
        ("blob", "?", "base64_decode"),
    ],
)
def test_rules_come_along(name: str, value: Any, kind: str) -> None:
    """Lengths, ranges, choices, validators: what a field's rules refuse, the schema refuses, and nothing else."""
    assert refused(schema_for(Kinds), **{name: value}) == [(name, kind)]


def test_choices_may_come_as_text() -> None:
    """Integers among which one may choose are read from text, as other integers are: forms have nothing else."""
    made = schema_for(Kinds)(**GIVEN, level="2", small="3")
    assert (made.level, made.small) == (2, 3)
    assert refused(schema_for(Kinds), level="two") == [("level", "literal_error")]


def test_texts_of_errors_are_the_fields_own() -> None:
    """A validator's message is the error's text."""
    with pytest.raises(ValidationError, match="Digits, please"):
        schema_for(Kinds)(**{**GIVEN, "code": "1a"})


def test_defaults_come_along() -> None:
    """A field with a default may be left out: values stay, functions are called each time."""
    schema = schema_for(Kinds)
    first, second = schema(**GIVEN), schema(**GIVEN)
    assert (first.price, first.state, first.colour, first.day) == (
        Decimal(1), "free", KindColour.RED, dt.date(2024, 1, 2),
    )  # fmt: skip
    assert (first.text, first.email, first.site) == ("", "", None)
    assert first.token != second.token
    assert first.data is not second.data


def test_json_schema_of_input_and_output() -> None:
    """Input needs what has no default; output has everything. Read-only fields say so; no rule needs a null."""
    schema = schema_for(ShelfAuthor)
    given, shown = schema.model_json_schema(), schema.model_json_schema(mode="serialization")
    assert given["required"] == ["name", "email"]
    assert shown["required"] == ["id", "name", "email", "bio", "age"]
    assert given["properties"]["id"]["readOnly"] is True
    assert "default" not in given["properties"]["id"]
    assert given["properties"]["name"] == {
        "title": "Full name", "description": "As on the cover.", "type": "string", "minLength": 1, "maxLength": 50,
    }  # fmt: skip
    assert given["properties"]["email"]["format"] == "email"
    assert schema_for(Kinds).model_json_schema()["properties"]["code"]["pattern"] == r"^\d+$"


def test_optional_fields_may_be_left_out_but_not_be_null() -> None:
    """`optional` takes nothing for a field; None only where the column may be NULL."""
    patch = schema_for(ShelfAuthor, exclude=("id",), optional="__all__")
    assert patch().model_dump(exclude_unset=True) == {}
    assert patch().name is None
    assert patch(age=None).model_dump(exclude_unset=True) == {"age": None}
    with pytest.raises(ValidationError):
        patch(name=None)
    assert "required" not in patch.model_json_schema()
    assert "default" not in patch.model_json_schema()["properties"]["name"]
    some = schema_for(ShelfAuthor, optional=("name",))
    assert some.model_json_schema()["required"] == ["email"]


def test_the_class_body_comes_first() -> None:
    """Fields of one's own, other types, `Field()`s, validators and computed fields stand beside and above."""

    class Mine(Schema):
        name: Annotated[str, Field(min_length=3)]
        email = Field(title="Mail")
        confirm: str = "x"

        @field_validator("bio")
        @classmethod
        def lower(cls, value: str) -> str:
            return value.lower()

        @computed_field
        @property
        def loud(self) -> str:
            return self.name.upper()

        class Meta:
            model = ShelfAuthor
            exclude = ("id",)

    made = Mine(name="Ann", email="a@b.io", bio="BIO")
    assert (made.loud, made.bio, made.confirm) == ("ANN", "bio", "x")
    assert Mine.model_fields["email"].title == "Mail"
    with pytest.raises(ValidationError, match="valid email"):
        Mine(name="Ann", email="x")
    with pytest.raises(ValidationError, match="at least 3"):
        Mine(name="A", email="a@b.io")


def test_subclasses_inherit() -> None:
    """A subclass has its base's fields; its own `Meta` adds to what it inherits, and may choose anew."""

    class Named(AuthorOut):
        nick: str = "-"

    class Slim(Named):
        class Meta:
            fields = ("name",)

    class Fuller(Slim):
        class Meta:
            exclude = ("bio",)
            optional = ("email",)

    assert set(Named.model_fields) == {"id", "name", "email", "bio", "age", "nick"}
    assert set(Slim.model_fields) == {"name", "nick"}
    assert set(Fuller.model_fields) == {"id", "name", "email", "age", "nick"}
    assert Fuller(name="x").email is None
    assert set(Slim.model_json_schema()["properties"]) == {"name", "nick"}


def test_reading_objects() -> None:
    """An object is read with what it holds: related objects, lists of prefetched ones, nothing that isn't there."""
    author = ShelfAuthor(id=1, name="Ann", email="ann@example.com")
    book = ShelfBook(id=2, title="One", author=author, created=dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    found = BookOut.model_validate(book)
    assert (found.author.name, found.tags, found.publisher_id) == ("Ann", [], None)


def test_what_the_database_has_is_shown_as_it_is() -> None:
    """Rules are for input: an object that would not pass them is read all the same."""
    author = ShelfAuthor(id=1, name="", email="no address", age=999)
    assert AuthorOut.model_validate(author).age == 999
    with pytest.raises(ValidationError):
        AuthorOut.model_validate({"id": 1, "name": "", "email": "no address", "age": 999})


def test_ones_own_validators_see_objects_too() -> None:
    """Validators of the class body run for objects as for input; one that comes before sees the object itself."""
    from pydantic import model_validator

    class Checked(Schema):
        @model_validator(mode="before")
        @classmethod
        def look(cls, value: Any) -> Any:
            seen.append(type(value))
            return value

        @field_validator("name")
        @classmethod
        def upper(cls, value: str) -> str:
            return value.upper()

        class Meta:
            model = ShelfAuthor

    seen: list[type] = []
    assert Checked.model_validate(ShelfAuthor(id=1, name="ann", email="a@b.io")).name == "ANN"
    assert seen == [ShelfAuthor]


def test_aliases_name_input_and_output_alone() -> None:
    """With an alias generator JSON has other names; objects are read by their own."""

    class Camel(Schema):
        model_config = ConfigDict(alias_generator=to_camel)

        class Meta:
            model = ShelfBook
            fields = ("title", "author")
            nested = {"author": AuthorOut}

    class Keys(Schema):
        model_config = ConfigDict(alias_generator=to_camel)

        class Meta:
            model = ShelfBook
            fields = ("title", "author")

    author = ShelfAuthor(id=1, name="Ann", email="a@b.io")
    book = ShelfBook(title="One", author=author)
    assert Keys.model_validate(book).model_dump(by_alias=True) == {"title": "One", "authorId": 1}
    assert Keys(title="x", authorId=3).author_id == 3
    assert Camel.model_validate(book).author.name == "Ann"


def test_objects_of_another_model_are_refused() -> None:
    """A schema reads objects of its model; in a union, each model finds its schema."""
    with pytest.raises(ValidationError, match="reads objects of shelf.ShelfTag"):
        TagOut.model_validate(ShelfAuthor(name="x"))

    class Either(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        item: TagOut | AuthorOut

    made = Either(item=ShelfAuthor(id=1, name="Ann", email="a@b.io"))
    assert type(made.item) is AuthorOut


def test_recursive_schemas() -> None:
    """A schema may hold itself, by its name."""

    class Tree(Schema):
        class Meta:
            model = Kinds
            fields = ("name", "parent")
            nested = {"parent": "Tree"}

    Tree.model_rebuild(_types_namespace={"Tree": Tree})
    leaf = Kinds(name="leaf", parent=Kinds(name="root"))
    assert Tree.model_validate(leaf).model_dump() == {
        "name": "leaf",
        "parent": {"name": "root", "parent": None},
    }
    assert "Tree" in Tree.model_json_schema()["$defs"]


def test_generic_schemas() -> None:
    """A schema without a model may be generic, and be read from objects by its parts."""

    class Page(Schema, Generic[T]):
        items: list[T]
        total: int

    page = Page[TagOut](items=[ShelfTag(id=1, name="new")], total=1)
    assert page.items[0].name == "new"


def test_schemas_are_pickled() -> None:
    """Instances of a schema that stands in a module can be pickled."""
    made = TagOut(name="new")
    assert pickle.loads(pickle.dumps(made)) == made


def test_get_schema_is_one_class() -> None:
    """`Model.get_schema()` gives the same class for the same model and names."""
    schema = ShelfAuthor.get_schema(exclude={"bio"})
    assert schema is ShelfAuthor.get_schema(exclude=["bio"])
    assert schema.__name__ == "ShelfAuthorSchema"
    assert (set(schema.model_fields), schema.model_fields["name"].annotation) == (
        {"id", "name", "email", "age"},
        str,
    )
    assert schema.model_config["from_attributes"]
    with pytest.raises(TypeError, match="Did you mean 'bio'"):
        ShelfAuthor.get_schema(exclude={"boi"})


def test_a_base_of_ones_own() -> None:
    """`schema_for(base=)` derives from a class, with its fields and its configuration."""

    class Base(BaseModel):
        model_config = ConfigDict(extra="forbid")
        extra_field: int = 1

    made = schema_for(ShelfTag, base=Base, name="Slim", fields=("name",))
    assert (made.__name__, issubclass(made, Base), list(made.model_fields)) == (
        "Slim",
        True,
        ["extra_field", "name"],
    )
    with pytest.raises(ValidationError, match="extra"):
        made(name="x", other=1)


def test_a_relation_that_is_declared_later() -> None:
    """A schema may nest the other side of a relation of a model that doesn't exist yet."""
    with ormolu.models.isolated():

        class LateHead(ormolu.Model):
            name = ormolu.CharField(max_length=5)

            class Meta:
                app_label = "late"

        class HeadOut(Schema):
            class Meta:
                model = LateHead
                fields = ("name",)
                nested = {"tails": "TagOut"}

        class KeyOut(Schema):
            pass

        class LateTail(ormolu.Model):
            head = ormolu.ForeignKey(LateHead, on_delete=ormolu.CASCADE, related_name="tails")
            other = ormolu.ForeignKey("LateLeaf", on_delete=ormolu.CASCADE)

            class Meta:
                app_label = "late"

        early = schema_for(LateTail, fields=("other",))

        class LateLeaf(ormolu.Model):
            code = ormolu.CharField(max_length=3, primary_key=True)

            class Meta:
                app_label = "late"

        assert HeadOut(name="x", tails=[{"name": "new"}]).tails[0].name == "new"
        assert early(other_id="abc").other_id == "abc"
        assert early.model_json_schema()["properties"]["other_id"]["type"] == "string"


def test_lists_of_keys() -> None:
    """A many-to-many relation that is named without a schema is a list of keys."""
    schema = schema_for(ShelfBook, fields=("title", "tags"))
    assert schema(title="x", tags=[1, 2]).tags == [1, 2]
    assert schema(title="x").tags == []
    assert schema.model_json_schema()["properties"]["tags"]["items"]["type"] == "integer"


__all__ = ["ShelfProfile", "ShelfPublisher"]
