"""The store over HTTP: httpx and MiniMax's JSON, and nothing about files of a drive."""
