"""Networks that start from the weights of others, as far as those fit."""
