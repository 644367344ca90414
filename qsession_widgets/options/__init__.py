"""The options of a session, on a magic's line and from Python alike.

``table`` has the options, ``validators`` convert what was typed into values, ``parsing`` reads a
whole line or keyword arguments, ``configuration`` reads IPython's configuration files.
"""
