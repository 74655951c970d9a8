"""Frames in, incidents out: detector, tracker, rules, facts, evidence."""
