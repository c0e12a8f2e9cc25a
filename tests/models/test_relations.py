"""Relations: how they resolve, what they make, which paths they offer."""

from typing import Any

import pytest
import sqlalchemy as sa

from ormolu.exceptions import FieldError, UnresolvedRelation
from ormolu.fields import CharField, UUIDField
from ormolu.models import CASCADE, SET_NULL, Apps, ForeignKey, ManyToManyField, Model, OneToOneField


def test_a_key_takes_its_targets_type(apps: Apps) -> None:
    """The column of a relation has the type of the column it refers to, also when the target comes later."""

    class Book(Model):
        author = ForeignKey("Author", CASCADE)
        editor = ForeignKey("Author", SET_NULL, to_field="code", null=True, related_name="edited")

    assert isinstance(Book.__table__.c.author_id.type, sa.types.NullType)

    class Author(Model):
        id = UUIDField(primary_key=True)
        code = CharField(max_length=7, unique=True)

    assert Book.__table__.c.author_id.type is Author.__table__.c.id.type
    assert Book.__table__.c.editor_id.type.length == 7
    (path,) = Book._meta.get_field("editor").path_infos()
    assert path.pairs == ((Book.__table__.c.editor_id, Author.__table__.c.code),)
    assert (path.multiple, path.nullable, path.reverse) == (False, True, False)
    (back,) = Author._meta.get_field("edited").path_infos()
    assert (back.from_meta, back.to_meta) == (Author._meta, Book._meta)
    assert (back.multiple, back.nullable, back.reverse) == (True, True, True)


def test_one_unresolved_model_leaves_others_alone(apps: Apps) -> None:
    """A relation to a model that isn't there breaks only the model that has it, with the near miss."""

    class Author(Model):
        name = CharField(max_length=10)

    class Lost(Model):
        author = ForeignKey("Authr", CASCADE, null=True)

    class Book(Model):
        author = ForeignKey(Author, CASCADE)

    assert "JOIN" in str(sa.select(Book).join(Book.author))
    with pytest.raises(
        UnresolvedRelation, match=r"Lost.author refers to the model 'Authr'.*Did you mean 'tests.Author'"
    ):
        Lost._meta.get_field("author").related_model
    with pytest.raises(UnresolvedRelation):
        sa.inspect(Lost())

    class Authr(Model):
        pass

    assert Lost._meta.get_field("author").related_model is Authr
    assert sa.inspect(Lost()).transient


def test_labels(apps: Apps) -> None:
    """A label without an application means the model's own; "self" the model itself."""

    class Node(Model):
        parent = ForeignKey("self", CASCADE, null=True, related_name="children")
        other = ForeignKey("shop.Node", CASCADE, null=True)
        near = ForeignKey("Node", CASCADE, null=True, related_name="+")

    class ShopNode(Model):
        class Meta:
            app_label = "shop"

    ShopNode._meta.apps.unregister(ShopNode)
    node: Any = type(Model)("Node", (Model,), {"__module__": "shop.models", "__qualname__": "Node"})
    assert Node._meta.get_field("parent").related_model is Node
    assert Node._meta.get_field("other").related_model is node
    assert Node._meta.get_field("near").related_model is Node


def test_many_to_many_makes_a_model(apps: Apps) -> None:
    """The table between is named and built as Django's, and is a model of the registry."""

    class Tag(Model):
        name = CharField(max_length=10)

    class Article(Model):
        tags = ManyToManyField(Tag, related_name="articles")
        friends = ManyToManyField("self")

    through = Article.tags.through
    assert through.__name__ == "Article_tags"
    assert through.__table__.name == "tests_article_tags"
    assert through.__table__.c.keys() == ["id", "article_id", "tag_id"]
    assert {"article_id", "tag_id"} in [
        {c.name for c in u.columns}
        for u in through.__table__.constraints
        if isinstance(u, sa.UniqueConstraint)
    ]
    assert apps.get_model("tests.article_tags") is through
    assert through not in apps.get_models()
    friends = Article.friends.through
    assert friends.__table__.c.keys() == ["id", "from_article_id", "to_article_id"]
    assert Article.friends.rel.symmetrical
    into, out = Article._meta.get_field("tags").path_infos()
    assert into.to_meta is out.from_meta is through._meta
    assert (into.multiple, out.multiple, out.to_meta) == (True, False, Tag._meta)
    into, out = Tag._meta.get_field("articles").path_infos()
    assert into.pairs == ((Tag.__table__.c.id, through.__table__.c.tag_id),)
    assert Tag.articles.rel.field.name == "tags"  # type: ignore[attr-defined]


def test_through_models(apps: Apps) -> None:
    """`through` names a model of one's own, which may come later; ambiguous keys need through_fields."""

    class Group(Model):
        members = ManyToManyField("Person", through="Membership", through_fields=("group", "person"))
        unclear = ManyToManyField("Person", through="Membership", related_name="unclear_groups")

    class Person(Model):
        pass

    class Membership(Model):
        group = ForeignKey(Group, CASCADE)
        person = ForeignKey(Person, CASCADE)
        inviter = ForeignKey(Person, CASCADE, related_name="invited")

    assert Group.members.through is Membership
    assert Group._meta.get_field("members").m2m_reverse_name() == "person_id"
    with pytest.raises(
        FieldError, match=r"more than one foreign key to 'Person' \(person, inviter\), which is ambiguous"
    ):
        Group._meta.get_field("unclear").path_infos()


def test_related_names(apps: Apps) -> None:
    """related_name and related_query_name take %(class)s and %(app_label)s; Meta gives a default."""

    class Author(Model):
        pass

    class Base(Model):
        author = ForeignKey(
            Author, CASCADE, related_name="%(app_label)s_%(class)ss", related_query_name="a_%(class)s"
        )

        class Meta:
            abstract = True

    class Book(Base):
        pass

    class Song(Base):
        singer = ForeignKey(Author, CASCADE)

        class Meta:
            default_related_name = "sung"

    accessors = {rel.get_accessor_name(): rel.name for rel in Author._meta.related_objects}
    assert accessors == {"tests_books": "a_book", "tests_songs": "a_song", "sung": "sung"}


def test_what_a_relation_refuses(apps: Apps) -> None:
    """on_delete is required; the target is a model or a label; contradictions are refused."""

    class Base(Model):
        class Meta:
            abstract = True

    with pytest.raises(TypeError, match=r"ForeignKey.__init__\(\) is missing on_delete.*CASCADE, PROTECT"):
        ForeignKey("Author")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="on_delete must be callable"):
        ForeignKey("Author", on_delete="CASCADE")
    with pytest.raises(TypeError, match=r"OneToOneField\(3\) is invalid. First parameter"):
        OneToOneField(3, CASCADE)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="cannot define a relation with abstract class Base"):
        ForeignKey(Base, CASCADE)
    with pytest.raises(ValueError, match="Cannot specify a db_table"):
        ManyToManyField("Tag", through="Tagging", db_table="x")
    with pytest.raises(TypeError, match="has no option 'nul'. Did you mean 'null'"):
        ForeignKey("Author", CASCADE, nul=True)  # type: ignore[call-overload]
    with pytest.raises(FieldError, match="to_field='cod' is no field of tests.Author. Did you mean 'code'"):

        class Author(Model):
            code = CharField(max_length=3, unique=True)
            friend = ForeignKey("self", CASCADE, to_field="cod")


def test_assignment(apps: Apps) -> None:
    """Assigning an object sets the key; assigning another key lets go of the object."""

    class Author(Model):
        pass

    class Book(Model):
        author = ForeignKey(Author, CASCADE, null=True)

    class Profile(Model):
        author = OneToOneField(Author, CASCADE)

    ann, bea = Author(id=1), Author(id=2)
    book: Any = Book(author=ann)
    assert (book.author, book.author_id) == (ann, 1)
    book.author_id = 1
    assert book.author is ann
    book.author_id = 2
    assert "author" not in book.__dict__
    book.author = bea
    assert book.author_id == 2
    book.author = None
    assert (book.author, book.author_id) == (None, None)
    with pytest.raises(
        ValueError, match=r'Cannot assign "<Book: .*>": "Book.author" must be a "Author" instance'
    ):
        book.author = book
    profile: Any = Profile(author=ann)
    assert ann.profile is profile  # type: ignore[attr-defined]
    profile.author = bea
    assert bea.profile is profile  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"Use book_set.set\(\) instead"):
        ann.book_set = []  # type: ignore[attr-defined]


def test_a_required_relation_without_a_value(apps: Apps) -> None:
    """Reading it raises an error that is the model's DoesNotExist and an AttributeError."""

    class Author(Model):
        pass

    class Book(Model):
        author = ForeignKey(Author, CASCADE)

    with pytest.raises(Book.author.RelatedObjectDoesNotExist, match="Book has no author"):  # type: ignore[attr-defined]
        Book().author
    assert not hasattr(Book(), "author")
    assert issubclass(Book.author.RelatedObjectDoesNotExist, Author.DoesNotExist)  # type: ignore[attr-defined]


def test_deconstruction(apps: Apps) -> None:
    """deconstruct() says what makes the field again, and clone() makes it."""

    class Author(Model):
        pass

    class Book(Model):
        author = ForeignKey(Author, CASCADE, related_name="books", null=True)
        tags = ManyToManyField(Author, related_name="tagged")

    name, path, args, kwargs = Book._meta.get_field("author").deconstruct()
    assert (name, path, args) == ("author", "ormolu.ForeignKey", [])
    assert kwargs == {"to": "tests.author", "on_delete": CASCADE, "related_name": "books", "null": True}
    assert Book._meta.get_field("author").clone().remote_field.related_name == "books"
    assert Book._meta.get_field("tags").deconstruct()[3] == {"to": "tests.author", "related_name": "tagged"}
