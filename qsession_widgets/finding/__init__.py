"""Sessions wherever they are: on every saved account with its instances, on every emulator.

``places`` says where to look and finds one session, ``reaching`` connects, ``asking`` asks all at
once, ``listing`` lists what is open.
"""
