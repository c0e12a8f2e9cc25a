"""Other systems' names and manners on Ormolu's models: code moves over by changing its imports.

A port is thin: it has no engine of its own, it imports the public parts of this library, and no port imports
another. Where an original behaves otherwise than the core, the port follows the original, and its docstring says so.
"""
