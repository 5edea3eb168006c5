"""Ways through a generator's latent space, one idea a file: each works on any generator that provides what it
requires."""
