"""Tests of the routes, over memory."""
