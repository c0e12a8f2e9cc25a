"""Compare Ormolu with the bare drivers and with its peers: ``python -m benchmarks``."""
