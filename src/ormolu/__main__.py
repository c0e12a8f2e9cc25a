"""`python -m ormolu` is the command `ormolu`."""

from ormolu.cli import main

if __name__ == "__main__":
    main()
