"""What can be asked for when a session is opened, on a magic's line and from Python alike.

``table`` has the options, ``readers`` makes values of what was typed, ``parsing`` reads a whole
line, ``configuration`` what IPython's configuration files say.
"""
