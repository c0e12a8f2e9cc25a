"""A blog: users, posts, tags and comments, over HTTP with FastAPI, in a worker, and in a script.

uvicorn blog.app:app --app-dir examples          # DATABASE_URL names the database; SQLite without one
python -m examples.blog.report                   # a script over the same models
"""
