"""Each line with a mark at its end is a mistake that every checker has to see, and no other line is one."""

from decimal import Decimal

from annotated import LongReview, Novel, Review, Writer


def constructors(writer: Writer, novel: Novel) -> None:
    Writer(nam="Ann")  # wrong
    Writer()  # wrong
    Writer(name=3)  # wrong
    Writer(name=None)  # wrong
    Writer("Ann")  # wrong
    Writer(name="Ann", age="old")  # wrong
    Writer(name="Ann", joined=None)  # wrong
    Writer(name="Ann", extra={"a": "b"})  # wrong
    Novel(title="T", pages=3)  # wrong
    Novel(title="T", pages=3, writer=3)  # wrong
    Novel(title="T", pages=3, writer=novel)  # wrong
    Novel(title="T", pages=3, writer=writer, price="much")  # wrong
    Review(stars=3, novel_id=7)  # wrong
    LongReview(stars=3, novel_id=7, text="Good.")  # wrong


def managers(writer: Writer) -> None:
    Writer.objects.create(nam="Ann")  # wrong
    Writer.objects.create()  # wrong
    Writer.objects.create(name=3)  # wrong
    Writer.objects.create(name="Ann", age="old")  # wrong
    LongReview.objects.create(stars=3, novel_id=7, text="Good.")  # wrong
    Novel.objects.short()  # wrong
    Writer.objects.nothing()  # wrong


async def managers_in_async_code() -> None:
    await Writer.objects.acreate(nam="Ann")  # wrong
    await Writer.objects.acreate()  # wrong
    await Writer.objects.acreate(name=3)  # wrong


def attributes(writer: Writer, novel: Novel) -> None:
    writer.nam  # wrong
    writer.name = 3  # wrong
    writer.age = "old"  # wrong
    novel.writer = 3  # wrong
    novel.price = Decimal(3)
    novel.price = 3.5  # wrong
    novel.writer.nam  # wrong
    novel.tags.nothing()  # wrong
