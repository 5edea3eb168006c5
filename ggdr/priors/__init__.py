"""Priors: the distributions that codes are to have, each as what it makes of standard normal noise."""
