"""Views of a snapshot: functions of it and of now.

``panel`` is the widget, ``wire`` what travels to its page and ``showing`` what a notebook keeps
of it; ``receipt`` and ``picture`` need neither a kernel nor JavaScript, ``timeline`` and
``comparison`` are plotly figures, ``export`` writes files. ``theme`` and
``time_axis`` are what they have in common.
"""
