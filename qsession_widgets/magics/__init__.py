"""The magics of a notebook, ``%%session``, ``%%batch`` and ``%session``.

``magics`` registers them and reads ``%%session``, ``actions`` has the actions of ``%session``,
``resolve`` finds the session that a line means, ``cell_hooks`` run before and after each cell;
``help_text`` and ``completion`` are help and Tab.
"""
