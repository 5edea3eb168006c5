"""Functions of tensors: FIR resampling, modulated convolution, warps, gradients with respect to inputs."""
