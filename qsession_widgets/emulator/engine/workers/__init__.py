"""Worker processes of the engine.

``pool`` keeps them warm, ``worker`` is the loop in one, ``ipc`` frames the messages between.
"""
