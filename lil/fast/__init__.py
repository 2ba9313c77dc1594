"""The optional wing: compiled loops for processors and recorded graphs for GPUs. ``rm -r lil/fast`` only costs time."""
