"""djast's names: `djast.db.models`, `djast.database`, `djast.settings` below `ormolu.ports`.

Models have `Model.objects(session)`, an asynchronous manager, and instance methods that take the session.

As in the original, and unlike the rest of Ormolu, a bound manager's
- `get(**filters)` gives None where there is no row;
- `count(**filters)` and `exists(**filters)` filter;
- `create()`, `save()` and `update()` flush, and load the row again;
- `bulk_create(objects, refresh=True)` loads the rows again; `delete_all(**filters)` deletes rows by one statement,
  all of them without filters, and gives their number: no signals, no `on_delete`;
- and a model's table is named `package_class_name`, with an underscore before each capital letter.

Other than in the original, `get()` raises MultipleObjectsReturned where there are several rows; `filter()` and `all()`
can be refined further before they are awaited (`filter(age__gte=18).order_by("-age")[:3]`); a lost race keeps what was
pending in the session; and a name that a model doesn't have is an error everywhere.
"""
