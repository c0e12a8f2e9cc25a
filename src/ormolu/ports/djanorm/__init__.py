"""djanorm's names and manners: put `import ormolu.ports.djanorm as dorm` where `import dorm` stood.

Models, querysets, fields, functions and transactions are Ormolu's own. What differs from the core, as djanorm has it:

- `save()` and `create()` of a new instance check its unique fields first: ValidationError, not IntegrityError;
- an abstract model's Meta options count in the models that derive from it, each unless they say otherwise;
- an error of several fields has a `message`, too;
- `Index(fields, unique=True)`, and an index without a name is called `idx_<model>_<fields>`;
- `Cast(..., output_field="text")` takes the name of a type; `Coalesce` and `Concat` mix texts of all kinds;
- `Author.objects.delete()` deletes all rows; `CombinedQuerySet` is the class of `union()` and its kin;
- `configure()` has djanorm's defaults (naive datetimes, `MAX_POOL_SIZE` 10, ...): see `ormolu.ports.djanorm.conf`;
- statements are logged on `dorm.db.backends.<vendor>`, slow ones as warnings, pools on `dorm.db.lifecycle.<vendor>`;
- the environment variables DORM_SETTINGS, DORM_SLOW_QUERY_MS, DORM_RETRY_ATTEMPTS and DORM_RETRY_BACKOFF.
"""

from typing import TYPE_CHECKING

from ormolu.lazy import door
from ormolu.ports.djanorm import conf
from ormolu.ports.djanorm.db import logs

logs.start()

if TYPE_CHECKING:
    from ormolu import (
        CASCADE,
        DO_NOTHING,
        PROTECT,
        RESTRICT,
        SET_DEFAULT,
        SET_NULL,
        Abs,
        ArrayField,
        AutoField,
        Avg,
        BigAutoField,
        BigIntegerField,
        BinaryField,
        BooleanField,
        Case,
        CharField,
        Count,
        DatabaseError,
        DateField,
        DateTimeField,
        DecimalField,
        DurationField,
        EmailField,
        Exists,
        F,
        Field,
        FieldDoesNotExist,
        FloatField,
        ForeignKey,
        GenericIPAddressField,
        ImproperlyConfigured,
        IntegerField,
        IntegrityError,
        JSONField,
        Length,
        Lower,
        ManyToManyField,
        Max,
        Min,
        MultipleObjectsReturned,
        Now,
        ObjectDoesNotExist,
        OneToOneField,
        OperationalError,
        OuterRef,
        PositiveIntegerField,
        PositiveSmallIntegerField,
        Prefetch,
        ProtectedError,
        Q,
        QuerySet,
        RawSQL,
        Signal,
        SlugField,
        SmallAutoField,
        SmallIntegerField,
        StdDev,
        Subquery,
        Sum,
        TextField,
        TimeField,
        Upper,
        URLField,
        UUIDField,
        ValidationError,
        Value,
        Variance,
        When,
        ahealth_check,
        health_check,
        post_delete,
        post_query,
        post_save,
        pre_delete,
        pre_query,
        pre_save,
        settings,
    )
    from ormolu.fields.validators import (
        EmailValidator,
        MaxLengthValidator,
        MaxValueValidator,
        MinLengthValidator,
        MinValueValidator,
        RegexValidator,
        validate_email,
    )
    from ormolu.ports.djanorm import (
        aggregates,
        contrib,
        db,
        exceptions,
        expressions,
        fields,
        functions,
        indexes,
        manager,
        models,
        queryset,
        signals,
        transaction,
        validators,
    )
    from ormolu.ports.djanorm.conf import configure
    from ormolu.ports.djanorm.exceptions import DoesNotExist, MigrationError
    from ormolu.ports.djanorm.fields import IPAddressField, NullBooleanField
    from ormolu.ports.djanorm.functions import Cast, Coalesce, Concat
    from ormolu.ports.djanorm.indexes import Index
    from ormolu.ports.djanorm.manager import Manager
    from ormolu.ports.djanorm.models import Model
    from ormolu.ports.djanorm.queryset import CombinedQuerySet
    from ormolu.query.raw import RawQuerySet

# fmt: off
__all__ = [
    "configure", "settings", "transaction", "signals", "health_check", "ahealth_check",
    "Signal", "pre_save", "post_save", "pre_delete", "post_delete", "pre_query", "post_query",
    "Model", "Manager", "QuerySet", "CombinedQuerySet", "RawQuerySet",
    "Field", "AutoField", "BigAutoField", "SmallAutoField", "CharField", "TextField", "IntegerField",
    "SmallIntegerField", "BigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField", "FloatField",
    "DecimalField", "BooleanField", "NullBooleanField", "DateField", "TimeField", "DateTimeField", "DurationField",
    "EmailField", "URLField", "SlugField", "UUIDField", "IPAddressField", "GenericIPAddressField", "JSONField",
    "BinaryField", "ArrayField", "ForeignKey", "OneToOneField", "ManyToManyField",
    "CASCADE", "PROTECT", "SET_NULL", "SET_DEFAULT", "DO_NOTHING", "RESTRICT",
    "Q", "F", "Value", "RawSQL", "Exists", "Subquery", "OuterRef", "Prefetch",
    "Count", "Sum", "Avg", "Max", "Min", "StdDev", "Variance",
    "Case", "When", "Coalesce", "Now", "Concat", "Cast", "Upper", "Lower", "Length", "Abs",
    "Index",
    "MinValueValidator", "MaxValueValidator", "MinLengthValidator", "MaxLengthValidator", "RegexValidator",
    "EmailValidator", "validate_email",
    "DoesNotExist", "ObjectDoesNotExist", "MultipleObjectsReturned", "FieldDoesNotExist", "ValidationError",
    "DatabaseError", "IntegrityError", "ProtectedError", "OperationalError", "MigrationError",
    "ImproperlyConfigured",
    "aggregates", "conf", "contrib", "db", "exceptions", "expressions", "fields", "functions", "indexes", "manager",
    "models", "queryset", "validators",
]
# fmt: on

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "": """
                aggregates contrib db exceptions expressions fields functions indexes manager models queryset signals
                transaction validators
            """,
            "conf": "configure",
            "exceptions": "DoesNotExist MigrationError",
            "fields": "IPAddressField NullBooleanField",
            "functions": "Cast Coalesce Concat",
            "indexes": "Index",
            "manager": "Manager",
            "models": "Model",
            "queryset": "CombinedQuerySet",
            "ormolu.query.raw": "RawQuerySet",
            "ormolu.fields.validators": """
                EmailValidator MaxLengthValidator MaxValueValidator MinLengthValidator MinValueValidator RegexValidator
                validate_email
            """,
            "ormolu": """
                Abs ArrayField AutoField Avg BigAutoField BigIntegerField BinaryField BooleanField CASCADE Case
                CharField Count DO_NOTHING DatabaseError DateField DateTimeField DecimalField DurationField
                EmailField Exists F Field FieldDoesNotExist FloatField ForeignKey GenericIPAddressField
                ImproperlyConfigured IntegerField IntegrityError JSONField Length Lower ManyToManyField Max Min
                MultipleObjectsReturned Now ObjectDoesNotExist OneToOneField OperationalError OuterRef PROTECT
                PositiveIntegerField PositiveSmallIntegerField Prefetch ProtectedError Q QuerySet RESTRICT RawSQL
                SET_DEFAULT SET_NULL Signal SlugField SmallAutoField SmallIntegerField StdDev Subquery Sum TextField
                TimeField URLField UUIDField Upper ValidationError Value Variance When ahealth_check health_check
                post_delete post_query post_save pre_delete pre_query pre_save settings
            """,
        },
    )
