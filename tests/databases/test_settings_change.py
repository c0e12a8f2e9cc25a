"""Settings that change while databases are open."""

import datetime as dt

from ormolu import DateTimeField, Model, atomic, databases
from ormolu.conf import override, settings


class Moment(Model):
    at = DateTimeField()


MODELS = [Moment]


def test_another_time_zone_policy_keeps_the_transaction(db):
    """USE_TZ concerns how values are read, not the connections: open blocks go on, plans are made anew."""
    moment = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
    with atomic():
        Moment.objects.create(at=moment)
        assert Moment.objects.get().at == moment
        database = databases.get()
        with override(USE_TZ=True, TIME_ZONE="Europe/Paris"):
            assert Moment.objects.get().at == moment
        assert databases.get() is database
        assert Moment.objects.count() == 1


def test_watchers_hear_only_of_their_settings():
    """A watcher names the settings that it depends on."""
    heard: list[str] = []
    settings.on_change(lambda: heard.append("zone"), "TIME_ZONE")
    with override(TIME_ZONE="Asia/Tokyo"):
        pass
    with override(SLOW_QUERY_MS=1.0):
        pass
    assert heard == ["zone", "zone"]
