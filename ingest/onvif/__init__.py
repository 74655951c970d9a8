"""ONVIF: which cameras are there, what they are, where their streams are, what they say."""
