"""The commands: for each name a module beside this file, with a function `command` that typer reads."""

COMMANDS = ("playground",)
