"""The network: its layers, weights, training and evaluation."""
