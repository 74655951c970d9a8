"""The way in: command line, wiring, REST, live streams, dashboard, observability."""
