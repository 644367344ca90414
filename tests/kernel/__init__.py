"""The magics in shells and kernels, on a real emulator."""
