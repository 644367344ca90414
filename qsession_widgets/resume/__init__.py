"""Jobs that were paid for and are taken up again by a later run of the same notebook.

``circuit_digest`` and ``fingerprint`` give one value for one thing that is asked for, ``records``
keeps fingerprints and job ids on disk, and ``runs`` takes up the jobs of an earlier run, one
``asking`` at a time.
"""
