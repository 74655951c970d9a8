"""For developers: pin dependencies, write generated documents."""
