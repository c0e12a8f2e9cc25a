"""`dorm.db`: connections, and what helps with them."""
