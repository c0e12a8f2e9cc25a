"""What a user changes: insert, update, delete with on_delete, and the bulk forms, as sans-I/O programs.

Each program is a generator function `fn(driver, ...)` (see `ormolu.programs`); `driver.run(fn, ...)` or
`await driver.arun(fn, ...)` drives it. Nothing here opens a connection, and nothing imports the layers above.
"""
