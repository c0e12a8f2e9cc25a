"""Django's side of the models."""

from django.db import models


class P(models.Model):
    """A publisher."""

    name = models.CharField(max_length=20)
    city = models.CharField(max_length=20, null=True)


class A(models.Model):
    """An author."""

    name = models.CharField(max_length=20)
    age = models.IntegerField()
    bio = models.CharField(max_length=20, null=True)
    publisher = models.ForeignKey(P, null=True, on_delete=models.SET_NULL, related_name="authors")
    friends = models.ManyToManyField("self", symmetrical=False, related_name="fans")

    class Meta:
        ordering = ["name"]


class T(models.Model):
    """A tag."""

    label = models.CharField(max_length=20)


class B(models.Model):
    """A book."""

    title = models.CharField(max_length=20)
    pages = models.IntegerField(null=True)
    year = models.IntegerField()
    author = models.ForeignKey(A, on_delete=models.CASCADE, related_name="books")
    editor = models.ForeignKey(A, null=True, on_delete=models.CASCADE, related_name="edited")
    tags = models.ManyToManyField(T, related_name="books")


class W(models.Model):
    """An award."""

    title = models.CharField(max_length=20)
    author = models.ForeignKey(A, on_delete=models.CASCADE, related_name="awards")
