"""Our side of the models."""

from ormolu import CASCADE, SET_NULL, CharField, ForeignKey, IntegerField, ManyToManyField, Model


class P(Model):
    """A publisher."""

    name = CharField(max_length=20)
    city = CharField(max_length=20, null=True)

    class Meta:
        app_label = "differential"


class A(Model):
    """An author."""

    name = CharField(max_length=20)
    age = IntegerField()
    bio = CharField(max_length=20, null=True)
    publisher = ForeignKey(P, null=True, on_delete=SET_NULL, related_name="authors")
    friends = ManyToManyField("self", symmetrical=False, related_name="fans")

    class Meta:
        app_label = "differential"
        ordering = ["name"]


class T(Model):
    """A tag."""

    label = CharField(max_length=20)

    class Meta:
        app_label = "differential"


class B(Model):
    """A book."""

    title = CharField(max_length=20)
    pages = IntegerField(null=True)
    year = IntegerField()
    author = ForeignKey(A, on_delete=CASCADE, related_name="books")
    editor = ForeignKey(A, null=True, on_delete=CASCADE, related_name="edited")
    tags = ManyToManyField(T, related_name="books")

    class Meta:
        app_label = "differential"


class W(Model):
    """An award."""

    title = CharField(max_length=20)
    author = ForeignKey(A, on_delete=CASCADE, related_name="awards")

    class Meta:
        app_label = "differential"
