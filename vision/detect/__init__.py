"""One file for each detector family, and the runtime that they share."""
