"""Fields may have any name, also those that the library's own generated code might use."""

from ormolu import IntegerField, Model


class Odd(Model):
    d = IntegerField()
    M = IntegerField(default=2)
    extra = IntegerField(default=3)
    events = IntegerField(default=4)
    loading = IntegerField(default=5)
    names = IntegerField(default=6)


def test_a_constructor_takes_any_name(db):
    """Names of variables inside the generated constructor don't get in the way of fields."""
    made = Odd(d=1, extra=9)
    made.save()
    found = Odd.objects.get(d=1)
    values = (found.d, found.M, found.extra, found.events, found.loading, found.names)
    assert values == (1, 2, 9, 4, 5, 6)
