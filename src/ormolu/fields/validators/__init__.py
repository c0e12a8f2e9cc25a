"""Validators: callables that raise ValidationError for a value that does not fit.

Names, arguments, codes and texts are those of Django's `django.core.validators`; those made alike are equal.
Source: Django's documentation, "Validators".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.fields.validators.addresses import (
        DomainNameValidator,
        EmailValidator,
        URLValidator,
        ip_address_validators,
        validate_domain_name,
        validate_email,
        validate_ipv4_address,
        validate_ipv6_address,
        validate_ipv46_address,
    )
    from ormolu.fields.validators.files import (
        FileExtensionValidator,
        get_available_image_extensions,
        validate_image_file_extension,
    )
    from ormolu.fields.validators.limits import (
        BaseValidator,
        DecimalValidator,
        MaxLengthValidator,
        MaxValueValidator,
        MinLengthValidator,
        MinValueValidator,
        StepValueValidator,
    )
    from ormolu.fields.validators.patterns import (
        ProhibitNullCharactersValidator,
        RegexValidator,
        int_list_validator,
        integer_validator,
        validate_comma_separated_integer_list,
        validate_integer,
        validate_slug,
        validate_unicode_slug,
    )
    from ormolu.fields.validators.several import (
        ArrayMaxLengthValidator,
        ArrayMinLengthValidator,
        KeysValidator,
        RangeMaxValueValidator,
        RangeMinValueValidator,
    )

__all__ = [
    "EMPTY_VALUES",
    "ArrayMaxLengthValidator",
    "ArrayMinLengthValidator",
    "BaseValidator",
    "DecimalValidator",
    "DomainNameValidator",
    "EmailValidator",
    "FileExtensionValidator",
    "KeysValidator",
    "MaxLengthValidator",
    "MaxValueValidator",
    "MinLengthValidator",
    "MinValueValidator",
    "ProhibitNullCharactersValidator",
    "RangeMaxValueValidator",
    "RangeMinValueValidator",
    "RegexValidator",
    "StepValueValidator",
    "URLValidator",
    "get_available_image_extensions",
    "int_list_validator",
    "integer_validator",
    "ip_address_validators",
    "validate_comma_separated_integer_list",
    "validate_domain_name",
    "validate_email",
    "validate_image_file_extension",
    "validate_integer",
    "validate_ipv46_address",
    "validate_ipv4_address",
    "validate_ipv6_address",
    "validate_slug",
    "validate_unicode_slug",
]

EMPTY_VALUES: tuple[Any, ...] = (None, "", [], (), {})

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "addresses": """
                DomainNameValidator EmailValidator URLValidator ip_address_validators
                validate_domain_name validate_email validate_ipv4_address
                validate_ipv6_address validate_ipv46_address
            """,
            "files": """
                FileExtensionValidator get_available_image_extensions
                validate_image_file_extension
            """,
            "limits": """
                BaseValidator DecimalValidator MaxLengthValidator MaxValueValidator
                MinLengthValidator MinValueValidator StepValueValidator
            """,
            "patterns": """
                ProhibitNullCharactersValidator RegexValidator int_list_validator
                integer_validator validate_comma_separated_integer_list validate_integer
                validate_slug validate_unicode_slug
            """,
            "several": """
                ArrayMaxLengthValidator ArrayMinLengthValidator KeysValidator
                RangeMaxValueValidator RangeMinValueValidator
            """,
        },
    )
