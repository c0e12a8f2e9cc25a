"""The playground: a catalogue of the Python environment, and questions that show the query language.

`catalogue` reads the environment (no database), `loader` writes what was read, `questions` asks, `display`
shows, and `run` is the whole of it, as the command `ormolu playground` calls it.
"""
