"""What is kept on this machine: sqlite3 and local files. Synchronous; never waits for a network."""
