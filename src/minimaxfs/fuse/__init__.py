"""The kernel's side: the only floor that knows pyfuse3."""
