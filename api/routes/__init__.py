"""One file for each noun of the REST interface."""
