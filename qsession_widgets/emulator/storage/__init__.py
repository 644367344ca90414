"""The emulator on disk: records and results survive a restart.

``store`` writes and reads records, ``database`` owns the SQLite file, ``writer`` groups writes into
transactions, ``retention`` says how long ended sessions and results are kept.
"""
