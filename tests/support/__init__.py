"""What the tests share: the databases they run on, the two worlds they run in, and helpers for both."""
