"""The same random queries asked of Django's ORM and of ours, on the same rows."""
