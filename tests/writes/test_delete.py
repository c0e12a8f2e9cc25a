"""delete(): what on_delete does to the rows that refer to a deleted one, and what is counted."""

import pytest

from ormolu import signals
from ormolu.exceptions import IntegrityError, ProtectedError, RestrictedError
from ormolu.writes.bulk import bulk_create
from ormolu.writes.collector import Collector, make_rows
from ormolu.writes.delete import delete_instances
from ormolu.writes.save import save
from writes.library import (
    Album,
    Artist,
    Author,
    Award,
    Book,
    Egg,
    Empty,
    Hen,
    Node,
    Passport,
    Publisher,
    Referrer,
    Song,
    Tag,
    Target,
    calls,
)

MODELS = [
    Publisher,
    Author,
    Tag,
    Book,
    Award,
    Passport,
    Target,
    Referrer,
    Node,
    Egg,
    Hen,
    Artist,
    Album,
    Song,
    Empty,
]


async def saved(run, instance):
    await run(save, instance)
    return instance


async def test_one_statement_where_nothing_refers_to_the_row(run, statements):
    """A model without relations: one DELETE, and the instance has no key any more."""
    empty = await saved(run, Empty())
    statements.clear()
    assert await run(delete_instances, Empty, [empty]) == (1, {"writes.Empty": 1})
    assert [sql.split()[0] for sql in statements] == ["DELETE"]
    assert empty.pk is None
    assert empty._state.adding
    await run(save, empty)
    assert await run.count(Empty) == 1


async def test_an_instance_without_a_key(run):
    """There is nothing to delete: ValueError with Django's text."""
    with pytest.raises(
        ValueError, match="Empty object can't be deleted because its id attribute is set to None"
    ):
        await run(delete_instances, Empty, [Empty()])


async def test_several_instances(run, statements):
    """As few statements as possible; all instances lose their keys."""
    many = await run(bulk_create, Empty, [Empty() for _ in range(50)])
    statements.clear()
    assert await run(delete_instances, Empty, many) == (50, {"writes.Empty": 50})
    assert len(statements) == 1
    assert {empty.pk for empty in many} == {None}


async def test_cascade_takes_few_statements(run, statements):
    """A parent and fifty children with rows of a many-to-many table: few statements (trap E30)."""
    author = await saved(run, Author(name="Ann"))
    tag = await saved(run, Tag(name="t"))
    books = await run(bulk_create, Book, [Book(title=str(n), author=author) for n in range(50)])
    through = Book._meta.get_field("tags").remote_field.through
    links = [through(book_id=book.pk, tag_id=tag.pk) for book in books]
    await run(bulk_create, through, links)
    statements.clear()
    counts = {"writes.Author": 1, "writes.Book": 50, through._meta.label: 50}
    assert await run(delete_instances, Author, [author]) == (101, counts)
    assert len(statements) <= 8
    assert await run.count(Book) == 0
    assert await run.count(Tag) == 1


async def test_protect_leaves_everything_as_it_was(run):
    """With children that would be deleted and one that is protected, nothing is deleted (trap E29)."""
    author = await saved(run, Author(name="Ann"))
    await run(bulk_create, Book, [Book(title=str(n), author=author) for n in range(3)])
    award = await saved(run, Award(title="a", author=author))
    text = (
        "Cannot delete some instances of model 'Author' because they are referenced through protected "
        "foreign keys: 'Award.author'."
    )
    with pytest.raises(ProtectedError) as caught:
        await run(delete_instances, Author, [author])
    assert text in str(caught.value)
    assert caught.value.protected_objects == {award}
    with pytest.raises(ProtectedError):
        await run.world(Author.objects.all().delete)
    assert await run.count(Book) == 3
    assert author.pk is not None
    assert isinstance(caught.value, IntegrityError)


async def test_protect_further_away(run):
    """The error names the relation that leads away from the row to be deleted."""
    target = await saved(run, Target(name="t"))
    other = await saved(run, Target(name="u"))
    await saved(run, Referrer(name="r", protect=target, set_default=None))
    with pytest.raises(ProtectedError, match=r"'Referrer.protect'"):
        await run(delete_instances, Target, [target, other])


@pytest.mark.parametrize("relation", ["set_null", "set_default", "set_value"])
async def test_setting_policies(run, relation):
    """SET_NULL, SET_DEFAULT and SET() change the rows; the counts have the deleted rows only."""
    fallback = await saved(run, Target(id=1000, name="fallback"))
    target = await saved(run, Target(name="t"))
    await saved(run, Referrer(name="r", **{relation: target}))
    await saved(run, Referrer(name="s", **{relation: fallback}))
    assert await run(delete_instances, Target, [target]) == (1, {"writes.Target": 1})
    expected = None if relation == "set_null" else fallback.pk
    assert await run.rows(Referrer, "name", f"{relation}_id") == [("r", expected), ("s", fallback.pk)]


async def test_functions_of_policies_are_called_only_if_needed(run):
    """SET(f) and a default that is a function are left alone while no row is concerned."""
    target = await saved(run, Target(name="t"))
    calls.clear()
    await run(delete_instances, Target, [target])
    assert calls == []


async def test_do_nothing(run):
    """The rows keep their key, also where it leads nowhere now."""
    target = await saved(run, Target(name="t"))
    key = target.pk
    await saved(run, Referrer(name="r", nothing=target, set_default=None))
    await run(delete_instances, Target, [target])
    assert await run.rows(Referrer, "nothing_id") == [(key,)]


async def test_to_field(run):
    """A relation to another field than the key cascades by that field."""
    target = await saved(run, Target(name="t"))
    await saved(run, Referrer(name="r", by_name=target, set_default=None))
    await saved(run, Referrer(name="s", cascade=target, set_default=None))
    await saved(run, Referrer(name="u", set_default=None))
    assert await run(delete_instances, Target, [target]) == (3, {"writes.Target": 1, "writes.Referrer": 2})
    assert await run.rows(Referrer, "name") == [("u",)]


async def test_restrict(run):
    """Refused, unless a cascade deletes the restricting rows as well (Django's example)."""
    one = await saved(run, Artist())
    two = await saved(run, Artist())
    album_one = await saved(run, Album(artist=one))
    album_two = await saved(run, Album(artist=two))
    await saved(run, Song(artist=one, album=album_one))
    song = await saved(run, Song(artist=one, album=album_two))
    with pytest.raises(RestrictedError, match=r"restricted foreign keys: 'Song.album'"):
        await run(delete_instances, Album, [album_one])
    with pytest.raises(RestrictedError, match="model 'Artist'") as caught:
        await run(delete_instances, Artist, [two])
    assert caught.value.restricted_objects == {song}
    counts = {"writes.Song": 2, "writes.Album": 1, "writes.Artist": 1}
    assert await run(delete_instances, Artist, [one]) == (4, counts)


async def test_a_tree(run):
    """A relation to itself is followed to the leaves."""
    root = await saved(run, Node(name="root"))
    branch = await saved(run, Node(name="branch", parent=root))
    await saved(run, Node(name="leaf", parent=branch))
    other = await saved(run, Node(name="other"))
    assert await run(delete_instances, Node, [root]) == (3, {"writes.Node": 3})
    assert await run.rows(Node, "name") == [("other",)]
    other.parent = other
    await run(save, other)
    assert await run(delete_instances, Node, [other]) == (1, {"writes.Node": 1})


async def test_a_cycle_of_models(run):
    """Rows of two models that refer to each other go together."""
    hen = await saved(run, Hen())
    egg = await saved(run, Egg(laid_by=hen))
    hen.born_of = egg
    await run(save, hen)
    assert await run(delete_instances, Hen, [hen]) == (2, {"writes.Egg": 1, "writes.Hen": 1})
    assert await run.count(Egg) == 0


async def test_querysets(run, statements):
    """One DELETE with the condition inside where nothing depends on the rows; else their keys are read, and no more."""
    many = await run(bulk_create, Empty, [Empty() for _ in range(5)])
    statements.clear()
    some = Empty.objects.filter(pk__lte=many[1].pk)
    assert await run.world(some.delete) == (2, {"writes.Empty": 2})
    assert await run.world(some.delete) == (0, {})
    assert await run.world(Empty.objects.all().delete) == (3, {"writes.Empty": 3})
    assert [sql.split()[0] for sql in statements] == ["DELETE"] * 3
    author = await saved(run, Author(name="Ann"))
    await saved(run, Author(name="Bob"))
    await saved(run, Book(title="b", author=author))
    statements.clear()
    found = await run.world(Author.objects.filter(name="Ann").delete)
    assert found == (2, {"writes.Author": 1, "writes.Book": 1})
    assert "name" not in statements[0].split("FROM")[0]
    assert await run.rows(Author, "name") == [("Bob",)]


async def test_signals(run):
    """pre_delete and post_delete go to every deleted object, children before parents, keys still there."""
    seen = []

    def before(sender, instance, using, origin, **rest):
        seen.append(("pre", sender.__name__, instance.pk is not None, using))

    def after(sender, instance, **rest):
        seen.append(("post", sender.__name__, instance.pk is not None, instance.title))

    signals.pre_delete.connect(before)
    signals.post_delete.connect(after, sender=Book)
    try:
        author = await saved(run, Author(name="Ann"))
        await saved(run, Book(title="b", author=author))
        await run(delete_instances, Author, [author])
    finally:
        signals.pre_delete.disconnect(before)
        signals.post_delete.disconnect(after, sender=Book)
    assert seen == [
        ("pre", "Book", True, "default"),
        ("pre", "Author", True, "default"),
        ("post", "Book", True, "b"),
    ]
    assert author.pk is None


async def test_the_origin_of_signals(run):
    """Receivers are told what `delete()` was called on: the object, or the queryset itself."""
    seen = []

    def note(origin, **rest):
        seen.append(origin)

    signals.pre_delete.connect(note)
    try:
        author = await saved(run, Author(name="Ann"))
        await saved(run, Book(title="b", author=author))
        queryset = Author.objects.all()
        await run.world(queryset.delete)
        book = await saved(run, Book(title="b", author=await saved(run, Author(name="Bob"))))
        await run.world(book.delete)
    finally:
        signals.pre_delete.disconnect(note)
    assert seen[0] is seen[1] is queryset
    assert seen[2] is book


async def test_an_error_while_writing_undoes_everything(run):
    """A receiver that raises in the middle leaves all rows, and the instances keep their keys."""

    def refuse(**rest):
        raise RuntimeError("no")

    author = await saved(run, Author(name="Ann"))
    await saved(run, Book(title="b", author=author))
    signals.post_delete.connect(refuse, sender=Book)
    try:
        with pytest.raises(RuntimeError):
            await run(delete_instances, Author, [author])
    finally:
        signals.post_delete.disconnect(refuse, sender=Book)
    assert await run.count(Book) == 1
    assert author.pk is not None


async def test_many_values(run, statements):
    """More rows than one statement can name are deleted in parts."""
    await run(bulk_create, Tag, [Tag(name=str(n)) for n in range(12_000)])
    tags = make_rows(run.driver, Tag, Tag._meta.concrete_fields, await run.rows(Tag, "id", "name"))
    statements.clear()
    count, _ = await run(delete_instances, Tag, tags)
    assert count == 12_000
    assert await run.count(Tag) == 0
    assert len(statements) < 10


@pytest.mark.worlds("sync")
async def test_what_a_deletion_would_do(run):
    """A collector of one's own finds what would go, and writes nothing; what stands in the way is an error."""
    author = await saved(run, Author(name="Ann"))
    book = await saved(run, Book(title="b", author=author))
    collector = Collector(using="default")
    assert collector.can_fast_delete(Empty())
    assert not collector.can_fast_delete(Author.objects.all())
    collector.collect([author])
    assert {model: list(rows) for model, rows in collector.data.items()} == {
        Author: [author.pk],
        Book: [book.pk],
    }
    assert await run.count(Book) == 1
    await saved(run, Award(title="a", author=author))
    with pytest.raises(ProtectedError):
        Collector(using="default").collect([author])


async def test_what_an_object_lacks_is_read(run):
    """A deferred column that a relation refers to is read by the deletion itself, in async code, too (`only()`)."""
    target = await saved(run, Target(name="t"))
    await saved(run, Referrer(name="r", by_name=target, set_default=None))
    (brief,) = await run.world.list(Target.objects.only("pk"))
    counts = {"writes.Target": 1, "writes.Referrer": 1}
    assert await run.world(brief.delete) == (2, counts)


async def test_what_was_not_loaded_before_a_deletion(run):
    """A deferred column of a deleted object: DoesNotExist when it is read, as in Django, and ValueError from save()."""
    await saved(run, Tag(name="t"))
    (brief,) = await run.world.list(Tag.objects.only("pk"))
    await run.world(brief.delete)
    with pytest.raises(Tag.DoesNotExist, match=r"Tag\.name can't be loaded any more"):
        _ = brief.name
    with pytest.raises(ValueError, match="'name' was not loaded before it was deleted, or made"):
        await run.world(brief.save)
    brief.name = "u"
    await run.world(brief.save)
    assert brief.pk is not None
