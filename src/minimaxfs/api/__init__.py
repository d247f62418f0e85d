"""The files API of MiniMax, and nothing above it: this floor alone knows httpx and MiniMax's JSON.

::

    client ─► caller ─► exchange ─► httpx          what is asked, with which key, over which connection
    content ─► gets ────►┘   └────► transport      the bytes of files, by URL or by id
                  transport ─► local_line, pump    connections of this process, and of one beside it
    asks, wire, refusals, framing, multipart, endpoint, exact_url, heads, links   pure: decide, never wait

It raises the errors of `core.errors` and no others, takes time from trio alone, and keeps no file, no
listing and no URL: what is known of the store is the business of the floors above.
"""
