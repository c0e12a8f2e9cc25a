"""What a user declares: models, their relations, managers, constraints."""
