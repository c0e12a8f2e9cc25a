"""What a user asks: QuerySet, Q, F, lookups, expressions, functions, aggregates, prefetch."""
