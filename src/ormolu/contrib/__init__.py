"""What stands beside the library: optional packages that the core never imports."""
