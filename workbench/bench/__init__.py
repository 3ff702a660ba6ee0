"""The benchmark: what the solvers, the network and the peers do on the machine at hand."""
