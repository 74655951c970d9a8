"""Findings in, notifications and history out: policy, suppression, relay, channels."""
