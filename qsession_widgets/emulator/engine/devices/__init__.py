"""Simulated devices: gates and calibration, fake devices from data files, and noise models."""
