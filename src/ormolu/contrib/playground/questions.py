"""The questions. What is printed beside each answer is this code itself: `asking` takes it from here.

Each question is a function, or a coroutine function, that returns a list of dictionaries; its docstring is
its title. Each answer is ordered, by `pk` where nothing else decides, so that every database gives the same.
"""

from ormolu import Avg, Count, F, Max, Min, Prefetch, Q, Sum, atomic, transaction
from ormolu.contrib.playground.asking import Question, Rows
from ormolu.contrib.playground.models import Classifier, Distribution, File, Person, Requirement


def whole() -> Rows:
    """How much is it altogether?"""
    totals = File.objects.aggregate(files=Count("pk"), total=Sum("size"), largest=Max("size"))
    return [{"distributions": Distribution.objects.count(), **totals}]


def largest() -> Rows:
    """Which distributions take the most room?"""
    return list(
        Distribution.objects.annotate(count=Count("files"), total=Sum("files__size"))
        .filter(count__gt=0)
        .order_by("-total", "pk")
        .values("name", "version", "count", "total")[:6]
    )


def kinds() -> Rows:
    """What kinds of files are there, and how large are they?"""
    return list(
        File.objects.values("kind")
        .annotate(count=Count("pk"), total=Sum("size"), mean=Avg("size"), largest=Max("size"))
        .order_by("-count", "kind")
    )


def big_modules() -> Rows:
    """Which modules are larger than 64 KiB, and whose are they?"""
    modules = (
        File.objects.filter(kind=File.Kind.SOURCE, size__gt=64 * 1024)
        .exclude(path__contains="test")
        .select_related("distribution")
        .order_by("-size", "pk")
    )
    return [{"module": file.path, "size": file.size, "of": str(file.distribution)} for file in modules[:6]]


def dependents() -> Rows:
    """Who needs typing-extensions? One step through the graph."""
    needing = Distribution.objects.filter(
        requirements__target__name="typing-extensions", requirements__extra=""
    )
    return list(needing.distinct().order_by("pk").values("name", "version"))


def second_hand() -> Rows:
    """Who needs somebody that needs typing-extensions? Two steps."""
    return list(
        Requirement.objects.filter(
            extra="",
            target__requirements__extra="",
            target__requirements__target__name="typing-extensions",
        )
        .distinct()
        .order_by("distribution", "target")
        .values(who=F("distribution__name"), through=F("target__name"))[:8]
    )


def wanted() -> Rows:
    """What do most distributions depend on?"""
    needs = Count("dependents__distribution", filter=Q(dependents__extra=""), distinct=True)
    return list(
        Distribution.objects.annotate(needed=needs)
        .filter(needed__gt=0)
        .order_by("-needed", "pk")
        .values("name", "needed")[:6]
    )


def missing() -> Rows:
    """What is asked for by an extra, but not installed?"""
    return list(
        Requirement.objects.filter(target=None)
        .exclude(extra="")
        .values("name")
        .annotate(asked=Count("distribution", distinct=True), first=Min("pk"))
        .order_by("-asked", "first")
        .values("name", "asked")[:6]
    )


def unusual() -> Rows:
    """Whose licence is neither MIT, nor BSD, nor Apache?"""
    usual = Q(license__name__icontains="MIT") | Q(license__name__icontains="BSD")
    return list(
        Distribution.objects.exclude(usual | Q(license__name__istartswith="apache"))
        .order_by("pk")
        .values("name", "license__name")
    )


def topics() -> Rows:
    """What are they about? A many-to-many relation, from its other side."""
    return list(
        Classifier.objects.filter(name__startswith="Topic :: ")
        .annotate(count=Count("distributions"))
        .order_by("-count", "pk")
        .values("name", "count")[:6]
    )


def in_full() -> Rows:
    """What do the newest say of themselves? Three queries, however many distributions."""
    newest = (
        Distribution.objects.select_related("license")
        .prefetch_related("classifiers", Prefetch("people", Person.objects.order_by("pk")))
        .exclude(installed=None)
        .order_by("-installed", "-pk")
    )
    return [
        {
            "name": distribution.name,
            "license": distribution.license and distribution.license.name,
            "classifiers": distribution.classifiers.count(),
            "people": ", ".join(str(person) for person in distribution.people.all()),
        }
        for distribution in newest[:4]
    ]


def what_if() -> Rows:
    """What if every module were twice as long? An update in a transaction that is rolled back."""
    modules = File.objects.filter(kind=File.Kind.SOURCE)
    before = modules.aggregate(total=Sum("size"))
    with atomic():
        rows = modules.update(size=F("size") * 2)
        meanwhile = modules.aggregate(total=Sum("size"))
        transaction.set_rollback(True)
    after = modules.aggregate(total=Sum("size"))
    return [
        {"updated": rows, "before": before["total"], "in it": meanwhile["total"], "after": after["total"]}
    ]


async def untested() -> Rows:
    """Who brings files, but no tests? Asynchronously."""
    silent = Distribution.objects.exclude(files=None).exclude(files__path__icontains="test").order_by("pk")
    return [
        {"name": distribution.name, "files": await distribution.files.acount()}
        async for distribution in silent[:6]
    ]


def whole_blocks() -> Rows:
    """Which files fill their last block of 512 bytes entirely? SQLAlchemy's expressions in a QuerySet."""
    even = File.objects.filter(File.size % 512 == 0, size__gt=0).select_related("distribution")
    return [
        {"file": file.path, "size": file.size, "of": file.distribution.name}
        for file in even.order_by(File.size.desc(), "pk")[:5]
    ]


QUESTIONS: tuple[Question, ...] = (
    whole,
    largest,
    kinds,
    big_modules,
    dependents,
    second_hand,
    wanted,
    missing,
    unusual,
    topics,
    in_full,
    what_if,
    untested,
    whole_blocks,
)
