"""Readers of many images in one array: .npy, .npz and HDF5."""
