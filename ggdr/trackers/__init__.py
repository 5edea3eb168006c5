"""Where the run's numbers and grids go besides its own folder, one interface a file."""
