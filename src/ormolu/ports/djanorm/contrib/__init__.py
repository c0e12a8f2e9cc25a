"""`dorm.contrib`: what works with other libraries."""
