"""The service that runs the sessions: an IBM account, or an emulator on this machine.

``choosing`` decides which, from ``accounts`` that are saved and ``emulators`` that run;
``client`` asks it what the client library has no public way for, ``quota`` and ``prices`` say
what is left and what it costs.
"""
