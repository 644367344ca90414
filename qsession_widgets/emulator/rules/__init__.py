"""Session rules of the emulated service: pure, with the clock handed in and no I/O.

``lifecycle`` answers requests, ``scheduler`` decides which job runs next and what an end means,
``state`` holds the records with their indexes, ``deadlines`` the times at which something changes.
``records`` defines sessions, jobs and backends; ``simulated_load`` and ``background_users`` are
other users of a backend; ``usage`` and ``instance_index`` count what an instance has used.
``refusals`` are the answers to requests that the rules do not allow.
"""
