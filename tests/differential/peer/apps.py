"""The application's configuration."""

from django.apps import AppConfig


class PeerConfig(AppConfig):
    """Gives the application the label of the random models."""

    name = __package__
    label = "differential"
