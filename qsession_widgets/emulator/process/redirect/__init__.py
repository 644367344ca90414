"""The folder that ``qsession run`` puts on the ``PYTHONPATH`` of its command."""
