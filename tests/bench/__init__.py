"""minimaxfs beside `rclone mount`, on one nginx with the same files. `./run bench` starts it.

`__main__` reads the command line; `opening` sets up the `site`, what all measures share; `session` runs them,
interleaved. Only `opening` and `plot` need more than the drive itself and the standard library.
`measures` is the table of what is measured and what it must reach; `takes` says how each is taken.
`corpus`, `nginx`, `relay` (its model: `link`) are the store and the way to it; `candidates` are the drives;
`reader` reads from them, in a process of its own; `usage` is what they cost. `report` and `plot` show it.
"""
