"""The trained core: a decoder with a sparse mixture of experts and compressed attention."""
