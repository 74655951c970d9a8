"""Trains the encoder that ships: corpus, teachers, views, targets, loop, export. Never at run time.

``python -m vision.training --help`` lists the steps.
"""
