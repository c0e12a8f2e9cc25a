"""The names of django.contrib.postgres, for those who come from there."""
