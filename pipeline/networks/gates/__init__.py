"""Gates that choose each block's bits for the input at hand."""
