"""Sessions wherever they are: on every saved account with its instances, and on every emulator.

``endpoints`` connects to services, ``sources`` lists where endpoints may be, ``fan_out`` asks all
of them at once, ``search`` finds one session, ``listing`` lists the open ones, and ``close_all``
closes them.
"""
