"""Sessions that this kernel has: opened, bound to the primitives, kept to their rules, ended.

``opening`` makes a ``live`` session, ``again`` goes on in one. ``binding`` says which one a
primitive belongs to, by the ``seams`` where the client library asks; ``blocks`` are the user's
own, ``strays`` what runs beside. ``guards`` and ``ending`` end them, ``noting`` tells others of
them.
"""
