"""What the drive means: trio's time and concurrency over the store and the disk. Knows no kernel."""
