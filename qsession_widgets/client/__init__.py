"""The service that runs the sessions: an IBM account, or an emulator on this machine.

``selection`` selects it, from ``accounts`` that are saved and ``emulators`` that run;
``connected_service`` is one that is connected, with plan, price and quota, ``rest`` a client for
the requests that the client library has no public way for.
"""
