"""Incidents, findings, alerts, feed and settings in SQL; evidence by content address."""
