"""The receiver, `photocloak serve`: programs send a photo, and get its cloaked file or the reason.

It is a daemon like that of the watched folders (`watch.daemon`): the same loop, queue, journal and
runner, but what fills the queue is HTTP. `store` keeps what was sent and what was made of it,
`intake` joins it to the daemon, `app` has the addresses, `answers` and `problems` the words.
"""
