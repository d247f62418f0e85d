"""A MiniMax file store of our own behind real HTTP, as awkward as the real one.

Knows h11 and trio, and nothing of the drive. The rooms, from pure to real::

    messages settings purposes ids signing ranges     values, tables and rules
    service  storage  generation  replies             request, now → reply; no socket, no clock
    faults   multipart                                what to spoil; how a form is taken apart
    contents tally desk                               where bytes lie; what came; the shared state
    uploads  transmit connection server               trio and h11: two listeners
    background  run  samples                          a thread for tests; a program; the demo's files

Facts of the API: the official documentation (platform.minimax.io) and recorded answers of the service.
"""
