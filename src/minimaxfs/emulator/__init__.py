"""A MiniMax file store of our own behind real HTTP, as awkward as the real one."""
