"""The MiniMax file store, mounted as a drive: the map of the house.

Each package is a floor, defined by the one thing that it alone may know. Imports
go down only, and import-linter (in pyproject.toml) holds them to it::

    cli ─► app ─► fuse ─► vfs ─► api | disk ─► core

===========  ====================================================================
top          the process: arguments, environment, signals (`cli` `config` `app`
             `demo`; `fstab` for mount(8)), what must hold before and after a
             mount (`preflight` `unmount` `ending`), commands to a living
             drive (`control` and `replies` answer; `ask` asks, for `status`
             `paths` `uploads` `explain`), whether all is fit for a drive
             (`doctor`), and what systemd starts and hears (`service` `systemd`
             `report`)
`fuse`       pyfuse3: requests in, errnos out
`vfs`        trio: time and concurrency; what the drive means
`api`        httpx and MiniMax's JSON
`disk`       sqlite3 and local files, synchronous
`core`       nothing: no I/O, no clock, no async, no third party
`emulator`   a store of its own behind real HTTP; shares no code with `api`
===========  ====================================================================
"""

__version__ = "0.1.0"
