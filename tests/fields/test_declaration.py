"""What a field is told, and what can be told of it."""

import copy
import pickle
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from ormolu import databases, fields
from ormolu.exceptions import ImproperlyConfigured
from ormolu.fields.validators import MinValueValidator


class Meta:
    """Stands for a model's options."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.app_label, self.model_name = label.lower().split(".")
        self.by_name: dict[str, Any] = {}

    def add_field(self, field: Any, private: bool = False) -> None:
        self.by_name[field.name] = field

    def get_field(self, name: str) -> Any:
        return self.by_name[name]


class Shop:
    """Stands for a model."""

    _meta = Meta("shop.Shop")


def named(field: fields.Field[Any], name: str = "value") -> Any:
    field.set_attributes_from_name(name)
    return field


def test_unknown_option_names_the_nearest() -> None:
    """An option that does not exist is refused, with the one that was meant and all there are."""
    with pytest.raises(
        TypeError, match=r"CharField\(\) has no option 'max_lenght'. Did you mean 'max_length'\?"
    ):
        fields.CharField(max_lenght=3)  # type: ignore[call-overload]


def test_attributes_from_the_name() -> None:
    """Name, attname, column and verbose name follow from the attribute, unless given."""
    plain = named(fields.IntegerField(), "page_count")
    assert (plain.name, plain.attname, plain.column) == ("page_count", "page_count", "page_count")
    assert plain.verbose_name == "page count"
    given = named(fields.IntegerField("Pages", db_column="pp"), "page_count")
    assert (given.attname, given.column, given.verbose_name) == ("page_count", "pp", "Pages")
    assert given.concrete


@pytest.mark.parametrize(
    ("field", "path", "options"),
    [
        (fields.CharField(max_length=65), "ormolu.CharField", {"max_length": 65}),
        (fields.CharField("Name", max_length=5), "ormolu.CharField",
         {"verbose_name": "Name", "max_length": 5}),
        (fields.AutoField(primary_key=True), "ormolu.AutoField", {"primary_key": True}),
        (fields.BooleanField(default=False), "ormolu.BooleanField", {"default": False}),
        (fields.BooleanField(default=None, null=True), "ormolu.BooleanField",
         {"default": None, "null": True}),
        (fields.DateTimeField(auto_now_add=True), "ormolu.DateTimeField", {"auto_now_add": True}),
        (fields.DateField(editable=False), "ormolu.DateField", {"editable": False}),
        (fields.EmailField(), "ormolu.EmailField", {"max_length": 254}),
        (fields.URLField(), "ormolu.URLField", {}),
        (fields.URLField(max_length=231), "ormolu.URLField", {"max_length": 231}),
        (fields.SlugField(), "ormolu.SlugField", {}),
        (fields.SlugField(db_index=False, max_length=9), "ormolu.SlugField",
         {"db_index": False, "max_length": 9}),
        (fields.DecimalField(max_digits=5, decimal_places=0), "ormolu.DecimalField",
         {"max_digits": 5, "decimal_places": 0}),
        (fields.BinaryField(), "ormolu.BinaryField", {}),
        (fields.BinaryField(editable=True), "ormolu.BinaryField", {"editable": True}),
        (fields.UUIDField(), "ormolu.UUIDField", {}),
        (fields.GenericIPAddressField(protocol="ipv6"), "ormolu.GenericIPAddressField", {"protocol": "ipv6"}),
        (fields.FilePathField(match=r".*\.txt$"), "ormolu.FilePathField", {"match": r".*\.txt$"}),
        (fields.IntegerField(choices=((1, "a"),)), "ormolu.IntegerField", {"choices": [(1, "a")]}),
        (fields.IntegerField(db_tablespace="fast"), "ormolu.IntegerField", {"db_tablespace": "fast"}),
        (fields.IntegerField(unique=True, db_default=3), "ormolu.IntegerField",
         {"unique": True, "db_default": 3}),
        (fields.JSONField(encoder=None, default=dict), "ormolu.JSONField", {"default": dict}),
    ],
)  # fmt: skip
def test_deconstruct_has_what_differs(field: Any, path: str, options: dict[str, Any]) -> None:
    """deconstruct() gives the path and only the options that are not the default; clone() uses it."""
    assert field.deconstruct() == (None, path, [], options)
    assert field.clone().deconstruct() == field.deconstruct()
    assert field.clone() != field


def test_deconstruct_keeps_a_function_of_choices() -> None:
    """Choices given as a function stay a function."""

    def colours() -> list[tuple[str, str]]:
        return [("r", "Red")]

    field = fields.CharField(max_length=1, choices=colours)
    assert field.deconstruct()[3]["choices"] is colours
    assert field.flatchoices == [("r", "Red")]


def test_order_and_identity() -> None:
    """Fields are ordered by creation, automatic ones first; a copy for another model is another field."""
    first, automatic, last = (
        fields.IntegerField(),
        fields.IntegerField(auto_created=True),
        fields.IntegerField(),
    )
    assert sorted([last, first, automatic], key=lambda field: field) == [automatic, first, last]  # type: ignore[arg-type,return-value]
    abstract = fields.IntegerField()
    inherited = copy.copy(abstract)
    inherited.model = Shop
    assert abstract != inherited
    assert abstract < inherited
    assert hash(abstract) == hash(inherited)
    assert abstract not in (None, 1, "")


def test_pickling() -> None:
    """A free field is pickled with its options, a model's field as a reference to it."""
    free = fields.CharField(max_length=9, default="x")
    free.get_default()
    assert pickle.loads(pickle.dumps(free)).deconstruct() == free.deconstruct()
    bound = fields.CharField(max_length=9)
    bound.contribute_to_class(Shop, "title")
    assert pickle.loads(pickle.dumps(bound)) is bound


def test_a_copy_makes_its_own_column() -> None:
    """Copies share options but neither column nor what else is worked out."""
    field = named(fields.IntegerField())
    assert field.sa_column is field.sa_column
    assert copy.deepcopy(field).sa_column is not field.sa_column


def test_str_and_repr() -> None:
    """A field is shown with its class and name, a model's field by its label."""
    assert repr(fields.CharField()) == "<ormolu.CharField>"
    assert repr(named(fields.CharField())) == "<ormolu.CharField: value>"
    bound = fields.CharField()
    bound.contribute_to_class(Shop, "title")
    assert str(bound) == "shop.Shop.title"


def test_display_method() -> None:
    """A field with choices gives its model get_<name>_display(), unless that has its own."""

    class Own:
        _meta = Meta("shop.Own")

        def get_size_display(self) -> str:
            return "own"

    class Given:
        _meta = Meta("shop.Given")

    choices = [("Small ones", [("s", "Small"), ("xs", "Tiny")]), ("l", "Large")]
    for model in (Own, Given):
        fields.CharField(choices=choices).contribute_to_class(model, "size")
    instance: Any = Given()
    shown = []
    for value in ("xs", "l", "?", None):
        instance.size = value
        shown.append(instance.get_size_display())
    assert shown == ["Tiny", "Large", "?", None]
    assert Own().get_size_display() == "own"


def test_defaults() -> None:
    """Without a default a text is "", everything else None; a function is called each time."""
    assert fields.CharField().get_default() == ""
    assert fields.CharField(null=True).get_default() is None
    assert fields.IntegerField().get_default() is None
    assert fields.BinaryField().get_default() == b""
    made = fields.JSONField(default=dict)
    assert made.get_default() == {}
    assert made.get_default() is not made.get_default()
    assert isinstance(fields.IntegerField(db_default=1).get_default(), fields.DatabaseDefault)


def ddl(field: Any, vendor: str) -> str:
    column = named(field).make_column()
    table = sa.Table("shop", sa.MetaData(), column)
    field.complete_table(column, table)
    dialect = sa.make_url(f"{vendor}://").get_dialect()()
    return " ".join(str(CreateTable(table).compile(dialect=dialect)).split())


@pytest.mark.parametrize(
    ("field", "sqlite", "postgresql"),
    [
        (fields.BigAutoField(primary_key=True), "value INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
         "value BIGINT GENERATED BY DEFAULT AS IDENTITY, PRIMARY KEY (value)"),
        (fields.CharField(max_length=3, null=True), "value VARCHAR(3)", "value VARCHAR(3)"),
        (fields.PositiveIntegerField(),
         "value INTEGER NOT NULL, CONSTRAINT shop_value_check CHECK (value >= 0)",
         "value INTEGER NOT NULL, CONSTRAINT shop_value_check CHECK (value >= 0)"),
        (fields.DateTimeField(unique=True), "value DATETIME NOT NULL, UNIQUE (value)",
         "value TIMESTAMP WITH TIME ZONE NOT NULL, UNIQUE (value)"),
        (fields.JSONField(),
         "value TEXT NOT NULL, CONSTRAINT shop_value_check CHECK (JSON_VALID(value) OR value IS NULL)",
         "value JSONB NOT NULL"),
        (fields.UUIDField(), "value CHAR(32) NOT NULL", "value UUID NOT NULL"),
        (fields.DurationField(), "value BIGINT NOT NULL", "value INTERVAL NOT NULL"),
        (fields.DecimalField(max_digits=20, decimal_places=2), "value TEXT COLLATE decimal NOT NULL",
         "value NUMERIC(20, 2) NOT NULL"),
        (fields.ArrayField(fields.ArrayField(fields.IntegerField())), "value TEXT NOT NULL",
         "value INTEGER[][] NOT NULL"),
        (fields.IntegerField(db_default=5), "value INTEGER DEFAULT 5 NOT NULL",
         "value INTEGER DEFAULT 5 NOT NULL"),
        (fields.IntegerField(db_default=sa.text("1 + 1")), "value INTEGER DEFAULT (1 + 1) NOT NULL",
         "value INTEGER DEFAULT 1 + 1 NOT NULL"),
    ],
)  # fmt: skip
def test_columns(field: Any, sqlite: str, postgresql: str) -> None:
    """Each field has the column that the database is best at."""
    assert ddl(field, "sqlite") == f"CREATE TABLE shop ( {sqlite} )"
    assert ddl(field, "postgresql") == f"CREATE TABLE shop ( {postgresql} )"


def test_types_of_custom_fields() -> None:
    """A user's field is stored as its internal type says, or as its own db_type()."""

    class Whole(fields.Field[int]):
        def get_internal_type(self) -> str:
            return "IntegerField"

    class Point(fields.Field[Any]):
        def db_type(self, connection: Any) -> str:
            return "point" if connection.vendor == "postgresql" else "text"

    class Lost(fields.Field[Any]):
        pass

    assert ddl(Whole(), "sqlite") == "CREATE TABLE shop ( value INTEGER NOT NULL )"
    assert ddl(Point(), "sqlite") == "CREATE TABLE shop ( value text NOT NULL )"
    assert ddl(Point(), "postgresql") == "CREATE TABLE shop ( value point NOT NULL )"
    assert fields.CharField(max_length=3).db_type(SimpleNamespace(vendor="sqlite")) == "varchar(3)"
    with pytest.raises(ImproperlyConfigured, match="Lost has no column type"):
        ddl(Lost(), "sqlite")


def test_column_field_describes_a_plain_column() -> None:
    """A `mapped_column()` is a field like others, with the column's own type."""
    column = sa.Column("age", sa.Integer, nullable=True, default=4, comment="years")
    field = fields.ColumnField(column, "age_in_years")
    assert (field.name, field.attname, field.column) == ("age_in_years", "age_in_years", "age")
    assert (field.null, field.get_default(), field.db_comment) == (True, 4, "years")
    assert field.sa_column is column
    assert field.sa_type is column.type
    assert field.get_internal_type() == "IntegerField"
    assert field.immutable
    assert field.prep_for(int) is None
    assert not fields.ColumnField(sa.Column("data", sa.JSON), "data").immutable


def test_auto_fields_are_auto_fields() -> None:
    """Every width of automatic key counts as an AutoField; a model may have one."""
    assert isinstance(fields.BigAutoField(primary_key=True), fields.AutoField)
    assert not isinstance(fields.BigIntegerField(), fields.AutoField)
    assert issubclass(fields.SmallAutoField, fields.AutoField)
    assert not isinstance(fields.AutoField(primary_key=True), fields.BigAutoField)


def test_validators_of_a_field() -> None:
    """A field's validators are those of its class, its own, and those of the range of servers' columns."""
    assert databases.vendor_of() == "", "a fixture of another module has left its database"
    field = fields.PositiveSmallIntegerField(validators=[MinValueValidator(5)])
    limits = [(type(one).__name__, one.limit_value) for one in field.validators]  # type: ignore[attr-defined]
    assert limits == [("MinValueValidator", 5), ("MaxValueValidator", 32767)]
