"""The files API of MiniMax, and nothing above it: this floor alone knows httpx and MiniMax's JSON.

::

    client ─► caller ─► exchange ─► httpx          what is asked, with which key, over which connection
    content ────────────►┘                         the bytes of files, by URL or by id
    asks, wire, refusals, framing, multipart, endpoint, exact_url         pure: decide, and never wait

It raises the errors of `core.errors` and no others, takes time from trio alone, and keeps no file, no
listing and no URL: what is known of the store is the business of the floors above.
"""
