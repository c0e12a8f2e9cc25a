"""The commands: for each name a module beside this file, with a function `command` that typer reads."""

COMMANDS = ("check", "from-sqlmodel", "makemigrations", "migrate", "playground", "schemas", "shell", "stubs")
