"""Feature extractors: what turns images into the features that metrics compare, one network a file."""
