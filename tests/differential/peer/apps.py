"""The application's configuration."""

from django.apps import AppConfig


class PeerConfig(AppConfig):
    """Gives the application the label that our models have, too."""

    name = __package__
    label = "differential"
